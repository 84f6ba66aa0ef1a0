import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { errorCode } from '../base/errors.ts'
import { BEHAVIOURS_DOC, DATASETS_DOC, WORKSPACE_DOC, type DeviceId, type DocId } from '../base/ids.ts'
import type { StartId } from './client-ids.ts'
import type { EnvelopeRef } from './envelope.ts'
import type { CopyFound } from './copy-found.ts'
import { Replica, type KeepFailure, type ReplicaOptions } from './replica.ts'
import type { SyncContext } from './sync-context.ts'
import { SyncError } from './sync-error.ts'
import { isTextDoc, openTombstone, signTombstone } from './tombstone.ts'

export interface DocumentsOptions {
  /** The constant first update of a document, or undefined for an empty start. Called once per open. */
  readonly firstContentOf?: (doc: DocId) => Uint8Array | undefined
  /** For tests; see ReplicaOptions. */
  readonly replica?: Omit<ReplicaOptions, 'firstContent'>
}

export interface Dropped {
  readonly doc: DocId
  readonly by: DeviceId
  /** Set when something was typed on this device that the dropper had not seen: the whole state, so that it can be kept aside. */
  readonly unseen: Uint8Array | undefined
}

/** Unsaved texts at once: far above what a person opens, and a bound for what a peer can make this device open. */
export const MAX_DOCUMENTS = 2_000
/** Remembered drops: what a device that was away for 90 days still needs. */
const KEEP_TOMBSTONES = 10_000
const KEEP_TOMBSTONES_MS = 90 * 24 * 3_600_000

/** Is this a name that a document may have? Everything else from outside is refused. */
export const isDocId = (doc: string): doc is DocId => doc === WORKSPACE_DOC || isDeviceDoc(doc) || isTextDoc(doc)

/** Written by devices only: displays ask for it in words. */
export const isDeviceDoc = (doc: string): boolean => doc === BEHAVIOURS_DOC || doc === DATASETS_DOC

/**
 * The replicas of this device: opened on demand or because a peer has the document, dropped for good with a tombstone
 * (rules SY44-SY46). Owns the replicas; not the log.
 */
export class Documents implements Disposable {
  readonly #context: SyncContext
  readonly #options: DocumentsOptions
  readonly #replicas = new Map<DocId, Replica>()
  readonly #opened = new Emitter<Replica>()
  readonly #dropped = new Emitter<Dropped & { readonly tombstone: Uint8Array }>()
  readonly #copies = new Emitter<CopyFound>()
  readonly #failures = new Emitter<KeepFailure>()
  readonly #settingAside: Disposable

  constructor(context: SyncContext, options: DocumentsOptions = {}) {
    this.#context = context
    this.#options = options
    this.#settingAside = context.log.onDidSetAside(() => {
      for (const replica of this.#replicas.values()) replica.rewrite()
    })
  }

  readonly onDidOpen: Event<Replica> = this.#opened.event
  /** A text was dropped, here or by a peer. */
  readonly onDidDrop: Event<Dropped & { readonly tombstone: Uint8Array }> = this.#dropped.event
  /** A copied data folder was found in some document. Tell the person; the device is paused. */
  readonly onDidFindCopy: Event<CopyFound> = this.#copies.event
  /** Some change could not be kept (`store/disk-full`, `store/read-only`): it stays in memory and is tried again. */
  readonly onDidFailToKeep: Event<KeepFailure> = this.#failures.event

  /** Opens everything the log knows: at the start of a device. */
  openAll(): void {
    for (const doc of this.#context.log.docs()) if (isDocId(doc)) this.open(doc)
  }

  get(doc: DocId): Replica | undefined {
    return this.#replicas.get(doc)
  }

  all(): readonly Replica[] {
    return [...this.#replicas.values()]
  }

  /**
   * The replica of a document, loaded or made.
   *
   * @throws SyncError `sync/wrong-doc` (not a name of ours), `sync/dropped`, `sync/too-many-documents`
   */
  open(doc: DocId): Replica {
    const known = this.#replicas.get(doc)
    if (known) return known
    if (!isDocId(doc)) throw new SyncError('sync/wrong-doc', `there is no document called ${String(doc).slice(0, 40)}`)
    if (this.#context.log.tombstone(doc)) throw new SyncError('sync/dropped', `document ${doc} was saved or closed: open the file again`)
    if (this.#replicas.size >= MAX_DOCUMENTS) {
      throw new SyncError('sync/too-many-documents', `${MAX_DOCUMENTS} unsaved texts are open: save or close some`)
    }
    const replica = this.#load(doc)
    this.#replicas.set(doc, replica)
    replica.onDidFindCopy((found) => this.#copies.fire(found))
    replica.onDidFailToKeep((failure) => this.#failures.fire(failure))
    this.#opened.fire(replica)
    return replica
  }

  /** The buffer was saved or closed: the text goes, here and on every other device. A repeat is a no-op. */
  drop(doc: DocId): void {
    if (!isTextDoc(doc)) throw new SyncError('sync/wrong-doc', `${doc} cannot be dropped: only texts can`)
    if (this.#context.log.tombstone(doc)) return
    const { signer, clock } = this.#context
    const replica = this.open(doc)
    replica.flush()
    this.#bury(doc, signTombstone(doc, replica.frontier, clock.nowMs(), signer), signer.device, undefined)
  }

  /** A peer says a text was dropped. @throws SyncError  see openTombstone */
  receiveDrop(bytes: Uint8Array): void {
    const tombstone = openTombstone(bytes, this.#context.check)
    if (this.#context.log.tombstone(tombstone.doc)) return
    const replica = this.#replicas.get(tombstone.doc)
    replica?.flush()
    // only the device where it was typed keeps it aside: one copy, not one per device
    const isOurs = (ref: EnvelopeRef): boolean => ref.device === this.#context.signer.device
    const hasMore = replica && (tombstone.frontier.missingFrom(replica.frontier).some(isOurs) || replica.pendingBytes > 0)
    this.#bury(tombstone.doc, bytes, tombstone.device, hasMore ? replica.state() : undefined)
  }

  /**
   * A person has said which copy of a device's data folder goes on (rule SY47). What all starts of it did that this device
   * knows of is settled; `also`: starts that the device itself names.
   */
  resume(device: DeviceId, also: Iterable<StartId> = []): void {
    const known = this.all().flatMap(({ frontier }) => [...frontier.refs()].filter((ref) => ref.device === device))
    this.#context.paused.resume(device, [...also, ...known.map(({ start }) => start)])
  }

  dispose(): void {
    this.#settingAside.dispose()
    for (const replica of this.#replicas.values()) replica.dispose()
    this.#replicas.clear()
    for (const emitter of [this.#opened, this.#dropped, this.#copies, this.#failures]) emitter.dispose()
  }

  /** A damaged store sets itself aside while it is read; the second try starts empty, and peers heal it. */
  #load(doc: DocId): Replica {
    const options = { ...this.#options.replica, firstContent: this.#options.firstContentOf?.(doc) }
    try {
      return new Replica(this.#context, doc, options)
    } catch (error) {
      if (errorCode(error) !== 'store/damaged') throw error
      return new Replica(this.#context, doc, options)
    }
  }

  #bury(doc: DocId, tombstone: Uint8Array, by: DeviceId, unseen: Uint8Array | undefined): void {
    const nowMs = this.#context.clock.nowMs()
    this.#context.log.drop(doc, tombstone, nowMs)
    this.#context.log.pruneTombstones(KEEP_TOMBSTONES, nowMs - KEEP_TOMBSTONES_MS)
    this.#replicas.get(doc)?.discard()
    this.#replicas.delete(doc)
    this.#dropped.fire({ doc, by, unseen, tombstone })
  }
}
