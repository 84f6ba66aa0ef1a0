import { expect, it } from 'vitest'
import { agoText, bytesText, countdownText, countText, memoryText, momentText, percentText, roundTripText } from './plain-words.ts'

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [999.6, '1.0 kB'],
  [1_400, '1.4 kB'],
  [12_345_678, '12 MB'],
  [999_600_000, '1.0 GB'],
  [-5, '0 B'],
])('[AP70] %d bytes is %s', (bytes, text) => expect(bytesText(bytes)).toBe(text))

const NOW = Date.UTC(2026, 2, 10, 12)
it.each([
  [NOW + 60_000, 'just now'],
  [NOW - 10_000, 'just now'],
  [NOW - 46_000, '1 min ago'],
  [NOW - 50 * 60_000, '1 h ago'],
  [NOW - 26 * 3_600_000, 'yesterday'],
  [NOW - 3 * 86_400_000, '3 days ago'],
])('[AP70] %d is told as %s', (at, text) => expect(agoText(at, NOW)).toBe(text))

it.each([
  [new Date(2026, 2, 10, 9, 5), /^Today, 0?9:05/],
  [new Date(2026, 2, 9, 23, 59), /^Yesterday, \d\d:59/],
  [new Date(2026, 2, 8, 23, 59), /^2026-03-08, \d\d:59/],
  [new Date(2026, 2, 11, 1, 0), /^2026-03-11, 0?1:00/],
])('[AP70] in a list %s is told by day and hour', (at, text) =>
  expect(momentText(at.getTime(), new Date(2026, 2, 10, 12).getTime())).toMatch(text),
)

it('[AP70] long ago is a date', () => expect(agoText(NOW - 30 * 86_400_000, NOW)).toMatch(/^2026-02-0\d$/))

it('[AP70] numbers that change keep their shape', () => {
  expect([memoryText(432 * 1024 ** 2), memoryText(2 * 1024 ** 3)]).toEqual(['432 MiB', '2.0 GiB'])
  expect([roundTripText(0.42), roundTripText(80.4), roundTripText(1_300)]).toEqual(['0.4 ms', '80 ms', '1.3 s'])
  expect([countdownText(61_000, 0), countdownText(0, 5)]).toEqual(['1:01', '0:00'])
  expect(percentText(0.1234)).toBe('12.3 %')
  expect([countText(1, 'file'), countText(20_000, 'file')]).toEqual(['1 file', '20,000 files'])
})
