import { expect, it } from 'vitest'
import type { DoorState } from '../../device/desk/desk-contract.ts'
import { seatWords, unconfirmedWords } from './seat-words.ts'

const door: DoorState = {
  phase: 'display-locked',
  deviceName: 'desk',
  deviceId: 'D1',
  version: '0',
  notices: [],
  unattended: false,
  walletSignIn: false,
}
const seat = {
  display: 'x',
  displayName: 'Chrome on kitchen',
  device: 'D2',
  deviceName: 'kitchen',
  how: 'move',
  counter: 3,
  atMs: 0,
  unconfirmed: [],
} as const

it('says where the desk is and since when', () => {
  expect(seatWords({ ...door, seat: { ...seat, unconfirmed: [] } }, 240_000)).toBe('Your desk is on kitchen, unlocked 4 min ago.')
  expect(seatWords({ ...door, seat: { ...seat, device: 'D1', unconfirmed: [] } }, 1_000)).toBe(
    'Your desk is on this device, unlocked just now.',
  )
})

it('after a hand-over says where the person went and how to come back', () => {
  const words = (handedOverTo: string) => seatWords({ ...door, handedOverTo }, 0)
  expect(words('Chrome on kitchen')).toBe('You are on kitchen. Unlock to bring your desk back here.')
  expect(words('Chrome on desk')).toBe('You are on another display of this device, in Chrome. Unlock to bring your desk back here.')
  expect(words('Chrome')).toBe('You are on Chrome. Unlock to bring your desk back here.')
})

it('[AP74] names the displays that have not locked yet', () => {
  const words = (...unconfirmed: readonly string[]) => unconfirmedWords({ unconfirmed: [...unconfirmed] }, 'laptop')
  expect(words()).toBeUndefined()
  expect(words('Chromium on kitchen (kitchen)')).toBe('Not yet locked: kitchen. It locks when it is reachable.')
  // Two windows of one machine are one place to a person.
  expect(words('Chromium on kitchen (kitchen)', 'Firefox on kitchen (kitchen)')).toBe(
    'Not yet locked: kitchen. It locks when it is reachable.',
  )
  expect(words('Chromium on kitchen (kitchen)', 'a display (server)')).toBe(
    'Not yet locked: kitchen, a display. They lock when they are reachable.',
  )
  expect(words(...['a', 'b', 'c', 'd', 'e'].map((name) => `Chrome on ${name} (${name})`))).toBe(
    'Not yet locked: a, b, c, 2 more. They lock when they are reachable.',
  )
})

it('says nothing when nothing is known', () => expect(seatWords(door, 0)).toBeUndefined())
