import { expect, it } from 'vitest'
import { cacheLimitText, limitBytesOf, parseCacheLimit } from './cache-limit-contract.ts'

const GIB = 1024 ** 3

it.each([
  ['500G', { kind: 'bytes', bytes: 500 * GIB }],
  [' 1.5 TiB ', { kind: 'bytes', bytes: 1536 * GIB }],
  ['64M', { kind: 'bytes', bytes: GIB / 16 }],
  ['10%', { kind: 'share', percent: 10 }],
  ['ALL', { kind: 'all' }],
  ['default', { kind: 'first' }],
] as const)('[RP8] %s is understood, and said again as it is typed', (text, limit) => {
  const parsed = parseCacheLimit(text)
  expect(parsed).toEqual(limit)
  expect(parseCacheLimit(cacheLimitText(limit))).toEqual(limit)
})

it.each(['', '63M', '0G', '101%', '0%', '5', '-5G', '1e9G', '5K', 'everything', '999999999T'])('[RP8] %j is no limit', (text) => {
  expect(parseCacheLimit(text)).toBeUndefined()
})

it('[RP8] in bytes: a tenth of a small disk and 10 GiB of a large one; all is what is kept and what is free beside a reserve', () => {
  const disk = (gib: number, freeGib: number) => ({ bytes: gib * GIB, freeBytes: freeGib * GIB })
  expect(limitBytesOf({ kind: 'first' }, disk(40, 20), 0)).toBe(4 * GIB)
  expect(limitBytesOf({ kind: 'first' }, disk(4000, 20), 0)).toBe(10 * GIB)
  expect(limitBytesOf({ kind: 'share', percent: 25 }, disk(40, 20), 0)).toBe(10 * GIB)
  expect(limitBytesOf({ kind: 'all' }, disk(40, 20), 5 * GIB)).toBe(21 * GIB)
  expect(limitBytesOf({ kind: 'all' }, disk(4000, 3000), 0)).toBe(2990 * GIB)
  expect(limitBytesOf({ kind: 'all' }, disk(4000, 3), 5 * GIB)).toBe(0)
})

it('[RP8] whatever was asked for, the cache gives way when a hundredth of the disk, or a GiB, is not free any more', () => {
  for (const limit of [{ kind: 'first' }, { kind: 'bytes', bytes: 8 * GIB }, { kind: 'share', percent: 2 }, { kind: 'all' }] as const) {
    expect(limitBytesOf(limit, { bytes: 400 * GIB, freeBytes: 0.25 * GIB }, 6 * GIB)).toBeLessThanOrEqual(5.25 * GIB)
    expect(limitBytesOf(limit, { bytes: 400 * GIB, freeBytes: 0 }, GIB / 2)).toBe(0)
  }
  expect(limitBytesOf({ kind: 'bytes', bytes: 8 * GIB }, { bytes: 400 * GIB, freeBytes: 3 * GIB }, 6 * GIB)).toBe(8 * GIB)
})
