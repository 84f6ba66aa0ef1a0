import * as Y from 'yjs'
import { errorMessage } from '../base/errors.ts'
import type { DocId } from '../base/ids.ts'
import type { CausalState } from './causal-state.ts'
import type { Frontier } from './frontier.ts'
import { Housekeeping, type HousekeepingCounts } from './housekeeping.ts'
import { writeReplicaState } from './replica-state.ts'
import { frontierOfSnapshot, isSnapshotGood, maySnapshot, MAX_SNAPSHOT_UPDATE_BYTES, signSnapshot, type Snapshot } from './snapshot.ts'
import { appliedCuts } from './cuts.ts'
import type { SyncContext } from './sync-context.ts'

const KEEP_LOG_MS = 90 * 24 * 3_600_000

/** What is asked of the replica whose states these are. */
export interface StatesHost {
  readonly docId: DocId
  /** Of the newest log row that `content` holds. */
  position(): number
  /** The whole document as one update. */
  content(): Uint8Array
  /** Brings what was changed here into the log; false when it could not be kept. */
  flush(): boolean
  /** A new snapshot was signed here. */
  tellSnapshot(): void
}

/**
 * What is written of a document beside its envelopes: the cached state a load starts from (SY37) and the snapshot that spares
 * peers the log (SY39). Writes them when they are due; never one that holds more than the log does.
 */
export class ReplicaStates {
  readonly #context: SyncContext
  readonly #causal: CausalState
  readonly #host: StatesHost
  readonly #due: Housekeeping

  constructor(context: SyncContext, causal: CausalState, counts: HousekeepingCounts, host: StatesHost) {
    this.#context = context
    this.#causal = causal
    this.#host = host
    this.#due = new Housekeeping(context.clock, counts, (isSnapshotDue) => this.#keepHouse(isSnapshotDue))
  }

  noteEnvelope(bytes: number): void {
    this.#due.noteEnvelope(bytes)
  }

  /** @throws StoreError */
  saveState(): void {
    if (!this.#host.flush()) return // the state would hold more than the log
    this.#write(this.#causal, this.#host.content())
    this.#due.noteState()
  }

  /** Signed, on an admin; the log that it covers is forgotten once it is older than 90 days. True: there is a new one. @throws StoreError */
  makeSnapshot(): boolean {
    const { log, seal, signer, check } = this.#context
    const { docId } = this.#host
    if (!maySnapshot(check, signer.device)) {
      this.#due.noteSnapshot() // an admin makes one and passes it on
      return false
    }
    if (!this.#host.flush()) return false
    const update = this.#host.content()
    this.#due.noteSnapshot()
    if (update.length > MAX_SNAPSHOT_UPDATE_BYTES) return false
    log.saveSnapshot(docId, signSnapshot(docId, this.#causal, update, seal, signer, appliedCuts(this.#context, docId)))
    this.#prune(this.#causal.frontier)
    this.#host.tellSnapshot()
    return true
  }

  /**
   * Keeps what a peer's snapshot brings before it is applied: one row holds frontier and content, so that a crash finds both
   * or neither. True when it is now the snapshot of this device too; false when there was one before. @throws StoreError
   */
  keepReceived(bytes: Uint8Array, { causal, update }: Snapshot): boolean {
    const { log } = this.#context
    const { docId } = this.#host
    const merged = this.#causal.clone()
    merged.merge(causal)
    this.#write(merged, Y.mergeUpdates([this.#host.content(), update]))
    if (log.loadSnapshot(docId) !== undefined) return this.keepNewer(bytes, causal)
    log.saveSnapshot(docId, bytes)
    return true
  }

  /**
   * On a device that makes none itself: an admin's snapshot takes the place of one that it covers, or that covers the same and
   * nobody takes any more (rule SY100). @throws StoreError
   */
  keepNewer(bytes: Uint8Array, causal: CausalState): boolean {
    const { log, check, signer } = this.#context
    const { docId } = this.#host
    if (maySnapshot(check, signer.device)) return false
    const held = log.loadSnapshot(docId)
    const covered = held ? frontierOfSnapshot(held) : undefined
    if (covered && causal.frontier.missingFrom(covered).length > 0) return false
    if (held && covered?.compare(causal.frontier) === 'same' && isSnapshotGood(check, held)) return false
    log.saveSnapshot(docId, bytes)
    this.#due.noteSnapshot()
    this.#prune(causal.frontier)
    return true
  }

  #prune(covered: Frontier): void {
    const { log, clock } = this.#context
    log.prune(this.#host.docId, covered, clock.nowMs() - KEEP_LOG_MS)
  }

  /** The store lost everything: what is in memory is written again. */
  rewrite(): void {
    try {
      this.saveState()
      this.makeSnapshot()
    } catch (error) {
      this.#context.logger.error('a document could not be written again', { doc: this.#host.docId, error: errorMessage(error) })
    }
  }

  /** What is stored is as good as new: nothing is due. */
  forget(): void {
    this.#due.noteState()
  }

  /** Writes the state a last time if it is stale or `isMore` than the log. */
  close(isMore: boolean): void {
    this.#due.dispose()
    try {
      if (this.#due.isStateStale || isMore) this.saveState()
    } catch (error) {
      this.#context.logger.warn('no cached state was written: the next start replays the log', {
        doc: this.#host.docId,
        error: errorMessage(error),
      })
    }
  }

  #write(causal: CausalState, update: Uint8Array): void {
    const { docId } = this.#host
    const state = { position: this.#host.position(), causal, sinceSnapshot: this.#due.sinceSnapshot, update }
    this.#context.log.saveState(docId, writeReplicaState(state))
  }

  #keepHouse(isSnapshotDue: boolean): void {
    try {
      if (isSnapshotDue) this.makeSnapshot()
      this.saveState()
    } catch (error) {
      this.#context.logger.warn('cached state or snapshot was not written: tried again after the next changes', {
        doc: this.#host.docId,
        error: errorMessage(error),
      })
    }
  }
}
