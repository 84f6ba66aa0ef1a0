import type { DoorState } from '../../device/desk-contract.ts'
import { agoText } from './plain-time.ts'

/** Where the desk is now, in plain words, for the lock screen; undefined when nobody knows. */
export function seatWords(door: DoorState, nowMs: number): string | undefined {
  if (door.handedOverTo) return `You are on ${door.handedOverTo}. Unlock to bring it back here.`
  const { seat } = door
  if (!seat) return undefined
  const where = seat.device === door.deviceId ? 'this device' : seat.deviceName
  return `Your desk is on ${where}, unlocked ${agoText(seat.atMs, nowMs)}.`
}
