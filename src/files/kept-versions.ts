import type { Head, NodeRecord } from './node-record.ts'
import type { OpId } from './op.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** All versions that were shown within this time are kept. */
const ALL_MS = HOUR_MS
/** Of the time before, those shown at each full hour; and before that those shown at each midnight (UTC), for 90 days. */
const HOURLY_MS = DAY_MS
const DAILY_MS = 90 * DAY_MS
/** What was removed can be restored for as long, unless the trash is emptied. */
export const TRASH_MS = 90 * DAY_MS

/**
 * Which versions of a node are kept (rule FT11). A version counts by the time it was shown, from when it was written until the next
 * one came: what stood for a year and is replaced today can be had back tomorrow. Kept are what is shown now; all shown in the last
 * hour; those shown at a full hour of the last day; those shown at a midnight (UTC) of the last 90 days; and, of what was removed,
 * the last content. Thinning what was thinned before gives the same.
 *
 * @param versions of the node, the newest first
 */
export function keptVersions(versions: readonly Head[], record: NodeRecord, nowMs: number): Set<OpId> {
  const heads = new Set(record.heads.map(({ op }) => op))
  const isRemoved = record.heads.every(({ content }) => content.kind === 'removed')
  const last = isRemoved ? versions.find(({ content }) => content.kind !== 'removed')?.op : undefined
  const kept = new Set<OpId>()
  versions.forEach((version, n) => {
    const next = versions[n - 1]
    if (heads.has(version.op) || !next) kept.add(version.op)
    else if (version.stamp <= (record.forgottenAt ?? -1)) return
    else if (isKeptUntil(version.stamp / 1000, next.stamp / 1000, nowMs, version.op === last)) kept.add(version.op)
  })
  return kept
}

function isKeptUntil(fromMs: number, toMs: number, nowMs: number, isLast: boolean): boolean {
  if (toMs > nowMs - ALL_MS) return true
  if (isLast && toMs > nowMs - TRASH_MS) return true
  return wasShownAt(HOUR_MS, fromMs, toMs, nowMs - HOURLY_MS) || wasShownAt(DAY_MS, fromMs, toMs, nowMs - DAILY_MS)
}

/** Does a multiple of `stepMs` lie in [fromMs, toMs) and not before `sinceMs`? */
function wasShownAt(stepMs: number, fromMs: number, toMs: number, sinceMs: number): boolean {
  const lastMark = (Math.ceil(toMs / stepMs) - 1) * stepMs
  return lastMark >= fromMs && lastMark >= sinceMs
}
