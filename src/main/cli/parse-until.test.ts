import { expect, it } from 'vitest'
import { findDevice } from './find-device.ts'
import { parsePast, parseSince, parseUntil } from './parse-until.ts'

const NOW = Date.UTC(2026, 10, 29)

it.each([
  ['30m', NOW + 1_800_000],
  ['12h', NOW + 43_200_000],
  ['7d', NOW + 604_800_000],
  ['2027-03-01T18:00:00Z', Date.UTC(2027, 2, 1, 18)],
])('[DV42] until %s', (text, expected) => expect(parseUntil(text, NOW)).toBe(expected))

it.each(['', 'friday', '0m', '2020-01-01', '-3d', '7'])('[DV42] until "%s" is refused', (text) =>
  expect(() => parseUntil(text, NOW)).toThrow(TypeError),
)

it.each([
  ['2h', NOW - 7_200_000],
  ['2026-11-01T00:00:00Z', Date.UTC(2026, 10, 1)],
])('[DV43] since %s', (text, expected) => expect(parseSince(text, NOW)).toBe(expected))

it.each(['', 'soon', '2030-01-01'])('[DV43] since "%s" is refused', (text) => expect(() => parseSince(text, NOW)).toThrow(TypeError))

it('[DV42] a device is found by its whole name, else by the front of its id, and never guessed', () => {
  const rows = ['laptop', 'server', 'server'].map((name, i) => ({ name, deviceId: `${i}abcdef` }) as never)
  expect(findDevice(rows, 'laptop')).toBe(rows[0])
  expect(findDevice(rows, '1abc')).toBe(rows[1])
  for (const wanted of ['server', 'phone', '1a', undefined]) expect(() => findDevice(rows, wanted)).toThrow(TypeError)
})

it('[DV51] a moment of the past: an age, a time, or a day as it ended', () => {
  const now = new Date(2026, 10, 29, 12, 30) // a Sunday
  const at = (text: string) => parsePast(text, now.getTime())
  expect(at('2h')).toBe(now.getTime() - 7_200_000)
  expect(at('2026-11-24')).toBe(new Date(2026, 10, 25).getTime() - 1)
  expect(at('Tuesday')).toBe(at('2026-11-24'))
  expect(at('sunday')).toBe(new Date(2026, 10, 23).getTime() - 1)
  expect(at('yesterday')).toBe(new Date(2026, 10, 29).getTime() - 1)
  expect(at('today')).toBe(now.getTime())
  for (const text of ['', 'soon', '2027-01-01', '2026-11-31', '2026-13-01']) expect(() => at(text)).toThrow(TypeError)
})
