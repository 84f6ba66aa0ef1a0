import type { Clock } from '../../base/clock.ts'
import type { LeafEntry } from './page.ts'
import { type LeafRef, ROWS_AT_ONCE, type TreeReader } from './tree-reader.ts'

/** Leaves asked for before they are taken in. */
const AHEAD = 48
const PAUSE_MS = 1

export interface LeafWalk {
  readonly reader: TreeReader
  readonly clock: Clock
  readonly isClosed: () => boolean
}

/**
 * Leaves in their order, some at a time with the last of them, the next ones asked for meanwhile; others have their turn in between.
 * @throws what `take` throws; ContentError; Error: it was closed
 */
export async function eachLeaf(
  { reader, clock, isClosed }: LeafWalk,
  leaves: readonly LeafRef[],
  take: (last: LeafRef, entries: readonly LeafEntry[]) => Promise<void>,
): Promise<void> {
  const coming: Promise<readonly LeafEntry[]>[] = []
  let gathered: LeafEntry[] = []
  for (let n = 0, next = 0; n < leaves.length; n++) {
    for (; next < Math.min(leaves.length, n + AHEAD); next++) {
      const entries = reader.entries(leaves[next] as LeafRef)
      entries.catch(() => {}) // it is heard when it is taken
      coming.push(entries)
    }
    gathered.push(...(await (coming.shift() as Promise<readonly LeafEntry[]>)))
    if (isClosed()) throw new Error('these files were closed')
    if (gathered.length < ROWS_AT_ONCE && n < leaves.length - 1) continue
    await take(leaves[n] as LeafRef, gathered)
    gathered = []
    await pauseOf(clock)
  }
}

/** Others have their turn. */
export const pauseOf = (clock: Clock): Promise<void> => new Promise((resolve) => clock.after(PAUSE_MS, resolve))
