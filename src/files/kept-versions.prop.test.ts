import { expect, it } from 'vitest'
import type { DeviceId } from '../base/ids.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { keptVersions } from './kept-versions.ts'
import { EMPTY_MANIFEST } from './manifest.ts'
import type { Content, NodeId, OpId } from './op.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { ROOT_NODE } from './op.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = Date.UTC(2026, 10, 29, 12, 34)

const version = (atMs: number, kind: 'file' | 'removed' = 'file'): Head => {
  const content: Content = kind === 'file' ? { kind, manifest: EMPTY_MANIFEST } : { kind }
  return {
    stamp: Math.floor(atMs * 1000),
    op: `${'a'.repeat(24)}.${atMs}` as OpId,
    device: 'd' as DeviceId,
    deviceName: 'Lamp',
    content,
    mtimeNs: 0n,
  }
}
const recordOf = (head: Head, more: Partial<NodeRecord> = {}): NodeRecord => {
  const at = { created: head, parentAt: head, nameAt: head, modeAt: head, mtimeAt: head }
  const record = {
    id: '1'.repeat(32) as NodeId,
    kind: 'file' as const,
    parent: ROOT_NODE,
    name: 'a',
    mode: 0,
    mtimeNs: 0n,
    xattrs: {},
    copies: [],
  }
  return { ...record, ...at, heads: [head], ...more }
}
const times = (versions: readonly Head[], kept: Set<OpId>) => versions.filter(({ op }) => kept.has(op)).map(({ stamp }) => stamp / 1000)

it('[FT11] a version counts by the time it was shown: what stood for long and was replaced lately is kept', () => {
  const versions = [version(NOW - 2 * HOUR), version(NOW - 200 * DAY)]
  expect(keptVersions(versions, recordOf(versions[0] as Head), NOW).size).toBe(2)
  expect(times(versions, keptVersions(versions, recordOf(versions[0] as Head), NOW + 100 * DAY))).toEqual([NOW - 2 * HOUR])
})

it('[FT11] of what was removed the last content is kept for 90 days, unless it was taken out of the trash for good', () => {
  const versions = [version(NOW - 50 * DAY, 'removed'), version(NOW - 50 * DAY - 60_000), version(NOW - 50 * DAY - 90_000)]
  const head = versions[0] as Head
  expect(times(versions, keptVersions(versions, recordOf(head), NOW))).toEqual([NOW - 50 * DAY, NOW - 50 * DAY - 60_000])
  expect(times(versions, keptVersions(versions, recordOf(head, { forgottenAt: head.stamp + 1 }), NOW))).toEqual([NOW - 50 * DAY])
  expect(times(versions, keptVersions(versions, recordOf(head), NOW + 41 * DAY))).toEqual([NOW - 50 * DAY])
})

it('[FT11] what was shown at an hour of the last day and a midnight of the last 90 is kept; thinning what was thinned gives the same', () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  let dropped = 0
  for (let round = 0; round < roundsOfRun(200, 5000); round++) {
    const spanMs = random.pick([HOUR, 3 * DAY, 200 * DAY])
    const stamps = new Set(Array.from({ length: 1 + random.below(60) }, () => NOW - random.below(spanMs)))
    const versions = [...stamps].sort((a, b) => b - a).map((at) => version(at, random.chance(0.1) ? 'removed' : 'file'))
    const record = recordOf(versions[0] as Head)
    const kept = keptVersions(versions, record, NOW)
    dropped += versions.length - kept.size
    const shownAt = (list: readonly Head[], atMs: number) => list.find(({ stamp }) => stamp / 1000 <= atMs)?.op
    const thinned = versions.filter(({ op }) => kept.has(op))
    const marks = [
      ...Array.from({ length: 24 }, (_, n) => Math.floor(NOW / HOUR) * HOUR - n * HOUR),
      ...Array.from({ length: 90 }, (_, n) => Math.floor(NOW / DAY) * DAY - n * DAY),
      ...Array.from({ length: 60 }, (_, n) => NOW - n * 59_000),
    ]
    const wrong = marks.filter((mark) => shownAt(thinned, mark) !== shownAt(versions, mark))
    expect({ seed, round, wrong }).toEqual({ seed, round, wrong: [] })
    expect(kept.size).toBeLessThanOrEqual(1 + 24 + 90 + 1 + versions.filter(({ stamp }) => stamp / 1000 > NOW - 2 * HOUR).length)
    const laterMs = NOW + random.below(100 * DAY)
    expect({ seed, round, kept: times(thinned, keptVersions(thinned, record, laterMs)) }).toEqual({
      seed,
      round,
      kept: times(versions, keptVersions(versions, record, laterMs)),
    })
  }
  expect(dropped).toBeGreaterThan(100)
})
