import type { DoorState, SeatState } from '../../device/desk/desk-contract.ts'
import { agoText } from './plain-time.ts'

/** Where the desk is now, in plain words, for the lock screen; undefined when nobody knows. */
export function seatWords(door: DoorState, nowMs: number): string | undefined {
  if (door.handedOverTo) return `You are on ${placeOf(door.handedOverTo, door.deviceName)}. Unlock to bring your desk back here.`
  const { seat } = door
  if (!seat) return undefined
  const where = seat.device === door.deviceId ? 'this device' : seat.deviceName
  return `Your desk is on ${where}, unlocked ${agoText(seat.atMs, nowMs)}.`
}

/** Most displays named in one sentence. */
const MAX_NAMED = 3

/** Which displays still show the desk though it moved, and what becomes of them (rule AP74); undefined when all have followed. */
export function unconfirmedWords({ unconfirmed }: Pick<SeatState, 'unconfirmed'>, ownDevice: string): string | undefined {
  if (unconfirmed.length === 0) return undefined
  // "Chrome on kitchen (kitchen)": the device puts its name behind what the display calls itself.
  const places = [...new Set(unconfirmed.map((name) => placeOf(name.replace(/ \(([^()]*)\)$/, ''), ownDevice)))]
  const more = places.length - MAX_NAMED
  const named = [...places.slice(0, MAX_NAMED), ...(more > 0 ? [`${more} more`] : [])]
  return `Not yet locked: ${named.join(', ')}. ${named.length === 1 ? 'It locks when it is' : 'They lock when they are'} reachable.`
}

/** A display is called "Chrome on kitchen"; a person is told of the kitchen, and of the browser only where the machine is the same. */
export function placeOf(displayName: string, ownDevice: string): string {
  const [, browser, device] = /^(.+?) on (.+)$/.exec(displayName) ?? []
  if (!device) return displayName
  return device === ownDevice ? `another display of this device, in ${browser}` : device
}
