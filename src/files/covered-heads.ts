import type { DatasetStore, LogHead } from './dataset-store.ts'
import type { Segment, SegmentHead } from './op-segment.ts'

/** A segment that is held names these as seen: whoever names that one need not name them. */
export function coverHeads(store: DatasetStore, deps: Segment['deps'], by: Pick<SegmentHead, 'log' | 'seq'>): void {
  for (const [log, seq] of deps) {
    const head = store.head(log)
    if (head && head.seq === seq && !isCovered(head, store)) store.putHead({ ...head, coveredBy: [by.log, by.seq] })
  }
}

/** What covered it may have gone with a power cut, or wait for what a damaged tree lost. */
export function isCovered({ coveredBy }: LogHead, store: DatasetStore): boolean {
  return coveredBy !== undefined && (store.head(coveredBy[0])?.seq ?? 0) >= coveredBy[1]
}
