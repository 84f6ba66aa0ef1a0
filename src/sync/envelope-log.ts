import type { Event } from '../base/emitter.ts'
import type { DeviceId, DocId } from '../base/ids.ts'
import type { EnvelopeRef } from './envelope.ts'
import type { Frontier } from './frontier.ts'

export interface LogRow {
  /** Grows with every append, over all documents; never used twice. */
  readonly position: number
  readonly bytes: Uint8Array
}

export interface LogPage {
  readonly rows: readonly LogRow[]
  /** Read on from here: `after` of the next page. */
  readonly next: number
  /** Nothing is left after this page. */
  readonly isLast: boolean
}

/**
 * The signed envelopes of every document on this device, in the order they were admitted: each after all it depends on.
 *
 * Synchronous on purpose: what `append` returned from survives kill -9, and nothing else happens in between. The log
 * keeps bytes and does not check them; the gate does, once, before. Every implementation runs `describeEnvelopeLog`
 * from envelope-log.suite.ts (rules SY80-SY87).
 */
export interface EnvelopeLog {
  /** Documents that have envelopes, a state or a snapshot, and no tombstone. */
  docs(): readonly DocId[]

  /** Durable when it returns. A repeat is a no-op and answers the first position. @throws StoreError `store/disk-full`, `store/read-only` */
  append(doc: DocId, ref: EnvelopeRef, bytes: Uint8Array, atMs: number): number

  /**
   * The store was damaged and set aside: nothing that was in the log is there any more, and positions go on. Whoever holds
   * a replica in memory writes its state again.
   */
  readonly onDidSetAside: Event<{ readonly path: string; readonly reason: string }>

  /** The bytes of one envelope, or undefined when it is not held (any more). */
  find(doc: DocId, ref: EnvelopeRef): Uint8Array | undefined

  /** Where one envelope stands, or undefined when it is not held. Cheaper than `find`. */
  positionOf(doc: DocId, ref: EnvelopeRef): number | undefined

  /**
   * Envelopes of `doc` behind position `after` that `have` does not cover, oldest first. At least one if there is any,
   * then as many as stay within `maxBytes`.
   */
  page(doc: DocId, request: { readonly after: number; readonly have: Frontier; readonly maxBytes: number }): LogPage

  /** The sealed state a load starts from (written by the replica), so that a start need not replay the log. */
  loadState(doc: DocId): Uint8Array | undefined
  saveState(doc: DocId, state: Uint8Array): void

  /** The newest signed snapshot held. */
  loadSnapshot(doc: DocId): Uint8Array | undefined
  saveSnapshot(doc: DocId, snapshot: Uint8Array): void

  /** Forgets the cached state and the snapshot: the next load replays the whole log. */
  forgetStates(doc: DocId): void

  /** By chain, the first envelope of one device that was appended at `sinceMs` or later (this device's clock). */
  firstSince(doc: DocId, device: DeviceId, sinceMs: number): readonly EnvelopeRef[]

  /** Forgets envelopes appended before `beforeMs` that `covered` (the newest snapshot's frontier) holds. Answers how many. */
  prune(doc: DocId, covered: Frontier, beforeMs: number): number

  /** Forgets all of a document and keeps `tombstone` in its place. */
  drop(doc: DocId, tombstone: Uint8Array, atMs: number): void
  tombstone(doc: DocId): Uint8Array | undefined
  /** Keeps the newest `keep` tombstones, and of those none from before `beforeMs`. */
  pruneTombstones(keep: number, beforeMs: number): void

  /** What the debug page shows. */
  size(doc: DocId): { readonly envelopes: number; readonly bytes: number }
}
