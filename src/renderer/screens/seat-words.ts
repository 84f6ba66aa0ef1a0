import type { DoorState } from '../../device/desk/desk-contract.ts'
import { agoText } from './plain-time.ts'

/** Where the desk is now, in plain words, for the lock screen; undefined when nobody knows. */
export function seatWords(door: DoorState, nowMs: number): string | undefined {
  if (door.handedOverTo) return `You are on ${placeOf(door.handedOverTo, door.deviceName)}. Unlock to bring your desk back here.`
  const { seat } = door
  if (!seat) return undefined
  const where = seat.device === door.deviceId ? 'this device' : seat.deviceName
  return `Your desk is on ${where}, unlocked ${agoText(seat.atMs, nowMs)}.`
}

/** A display is called "Chrome on kitchen"; a person is told of the kitchen, and of the browser only where the machine is the same. */
function placeOf(displayName: string, ownDevice: string): string {
  const [, browser, device] = /^(.+?) on (.+)$/.exec(displayName) ?? []
  if (!device) return displayName
  return device === ownDevice ? `another display of this device, in ${browser}` : device
}
