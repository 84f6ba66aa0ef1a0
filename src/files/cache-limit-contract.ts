import * as z from 'zod'

const GIB = 1024 ** 3
/** Below this a device could not even hold what it is writing. */
export const MIN_CACHE_BYTES = 64 * 1024 ** 2

/**
 * How much of contents a device keeps at most (rule RP8): `first`, 10 GiB or a tenth of its disk; so many bytes; a share of its disk; or
 * `all`: everything, as far as the disk has room beside a reserve.
 */
export const cacheLimit = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('first') }),
  z.object({ kind: z.literal('bytes'), bytes: z.number().int().min(MIN_CACHE_BYTES).max(Number.MAX_SAFE_INTEGER) }),
  z.object({ kind: z.literal('share'), percent: z.number().min(1).max(100) }),
  z.object({ kind: z.literal('all') }),
])
export type CacheLimit = z.infer<typeof cacheLimit>

/** Of a disk; `freeBytes`: what this account may still write. */
export interface DiskRoom {
  readonly bytes: number
  readonly freeBytes: number
}

const FIRST_BYTES = 10 * GIB
const FIRST_SHARE = 0.1
/** Left free on a disk of which everything may be taken: a tenth of it, at most 10 GiB. Other programs need room, too. */
const reserveOf = (diskBytes: number) => Math.min(10 * GIB, Math.floor(diskBytes * 0.1))

/** A cache gives way when less is free: a hundredth of the disk, at most a GiB. What programs write is not refused for what can be fetched again. */
const leastFreeOf = (diskBytes: number) => Math.min(GIB, Math.floor(diskBytes * 0.01))

/** In bytes. `cachedBytes`: what is kept now. */
export function limitBytesOf(limit: CacheLimit, disk: DiskRoom, cachedBytes: number): number {
  const isFree = Math.max(0, cachedBytes + disk.freeBytes - leastFreeOf(disk.bytes))
  return Math.min(askedBytesOf(limit, disk, cachedBytes), isFree)
}

function askedBytesOf(limit: CacheLimit, disk: DiskRoom, cachedBytes: number): number {
  switch (limit.kind) {
    case 'first':
      return Math.min(FIRST_BYTES, Math.floor(disk.bytes * FIRST_SHARE))
    case 'bytes':
      return limit.bytes
    case 'share':
      return Math.floor((disk.bytes * limit.percent) / 100)
    case 'all':
      return Math.max(0, cachedBytes + disk.freeBytes - reserveOf(disk.bytes))
  }
}

const UNITS: Readonly<Record<string, number>> = { M: 1024 ** 2, G: GIB, T: 1024 * GIB }

/** `500G`, `10%`, `all`, `default`, as a person types it; undefined: it is none of these, or too little. */
export function parseCacheLimit(text: string): CacheLimit | undefined {
  const typed = text.trim()
  if (/^all$/i.test(typed)) return { kind: 'all' }
  if (/^default$/i.test(typed)) return { kind: 'first' }
  const [, number, unit = ''] = /^(\d{1,6}(?:\.\d{1,3})?)\s*(%|[MGT](?:i?B)?)$/i.exec(typed) ?? []
  if (number === undefined) return undefined
  const value = Number(number)
  const asked =
    unit === '%'
      ? { kind: 'share', percent: value }
      : { kind: 'bytes', bytes: Math.round(value * (UNITS[unit[0]?.toUpperCase() ?? ''] ?? 0)) }
  const parsed = cacheLimit.safeParse(asked)
  return parsed.success ? parsed.data : undefined
}

/** As a person types it. */
export function cacheLimitText(limit: CacheLimit): string {
  if (limit.kind === 'first') return 'default'
  if (limit.kind === 'all') return 'all'
  if (limit.kind === 'share') return `${limit.percent}%`
  const unit = ['T', 'G', 'M'].find((name) => limit.bytes % (UNITS[name] as number) === 0)
  return unit ? `${limit.bytes / (UNITS[unit] as number)}${unit}` : `${Math.round(limit.bytes / 1024 ** 2)}M`
}
