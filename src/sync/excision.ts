import * as Y from 'yjs'
import type { DocId } from '../base/ids.ts'
import { standingOf } from './standing.ts'
import { appliedCuts, CUTS_SPACE, isSameCuts } from './cuts.ts'
import type { Documents } from './documents.ts'
import { Frontier } from './frontier.ts'
import type { Replica } from './replica.ts'
import { writeReplicaState } from './replica-state.ts'
import { frontierOfSnapshot, openSnapshot } from './snapshot.ts'
import type { SyncContext } from './sync-context.ts'

const READ_BYTES = 1 << 20

/** What became of documents that hold more of a removed device than counts. */
export interface Excised {
  /** What is stored is without it: the documents are to be opened anew. */
  readonly rebuilt: readonly DocId[]
  /** The log does not reach back far enough: it stays in. */
  readonly left: readonly DocId[]
}

/**
 * Takes out of the stored documents what a removal (rule ID63) says does not count, and this device had taken in (rule SY48): the content is
 * made again from the log, in which such envelopes leave their places and nothing in them. Whoever has the same log and knows
 * the same removals makes the same, whatever came first.
 */
export function exciseDocuments(context: SyncContext, documents: Documents): Excised {
  const rebuilt: DocId[] = []
  const left: DocId[] = []
  for (const replica of documents.all()) {
    const { docId } = replica
    const cuts = context.check.cuts?.(docId)
    if (isSameCuts(cuts, appliedCuts(context, docId))) continue
    if (holdsMore(context, replica) || wasCut(context, docId)) {
      if (!replica.flush()) continue // the disk is full: tried again with the next change
      const isComplete = prepareReload(context, replica)
      if (isComplete) rebuilt.push(docId)
      else if (holdsMore(context, replica)) left.push(docId)
      if (isComplete) replica.discard()
    }
    if (cuts) context.store.put(CUTS_SPACE, docId, cuts)
    else context.store.delete(CUTS_SPACE, docId)
  }
  return { rebuilt, left }
}

/** Does it hold envelopes that do not count? */
function holdsMore({ check }: SyncContext, { docId, frontier }: Replica): boolean {
  return [...frontier.refs()].some((ref) => standingOf(check, docId, ref) === 'void')
}

/** Was something left out before that may count now (a device that was added anew)? */
const wasCut = (context: SyncContext, doc: DocId): boolean => appliedCuts(context, doc) !== undefined

/** Leaves in the store what the next load makes the right content of. False: that cannot be done. */
function prepareReload(context: SyncContext, replica: Replica): boolean {
  const { log } = context
  const { docId, frontier } = replica
  let sum = 0
  for (const { seq } of frontier.refs()) sum += seq
  if (log.size(docId).envelopes === sum) {
    log.forgetStates(docId)
    return true
  }
  const snapshot = log.loadSnapshot(docId)
  if (!snapshot || !isGoodBase(context, replica, snapshot)) return false
  const anybody = { isMember: () => true, verify: () => true } // our own store holds it: it was checked when it came
  const { causal, update } = openSnapshot(snapshot, docId, anybody, context.seal)
  log.saveState(docId, writeReplicaState({ position: 0, causal, sinceSnapshot: 0, update: Y.mergeUpdates([update]) }))
  return true
}

/** Holds the snapshot nothing that does not count, and the log everything after it? */
function isGoodBase(context: SyncContext, { docId, frontier }: Replica, snapshot: Uint8Array): boolean {
  const base = frontierOfSnapshot(snapshot)
  if ([...base.refs()].some((ref) => standingOf(context.check, docId, ref) === 'void')) return false
  let missing = 0
  for (const ref of frontier.refs()) missing += ref.seq - base.seqOf(ref)
  let held = 0
  const have = new Frontier(base.refs())
  for (let after = 0, isLast = false; !isLast; ) {
    const page = context.log.page(docId, { after, have, maxBytes: READ_BYTES })
    held += page.rows.length
    after = page.next
    isLast = page.isLast
  }
  return held === missing
}
