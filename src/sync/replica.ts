import * as awarenessProtocol from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DocId } from '../base/ids.ts'
import type { CausalState } from './causal-state.ts'
import type { ClientName } from './client-ids.ts'
import { DisplayAttachment } from './display-attachment.ts'
import type { EnvelopeRef } from './envelope.ts'
import type { Frontier } from './frontier.ts'
import type { CopyFound } from './copy-found.ts'
import { isSameCuts } from './cuts.ts'
import { Gate, type GateRule, type Verdict } from './gate.ts'
import { Outbox } from './outbox.ts'
import { loadReplica } from './replica-state.ts'
import { ReplicaDisplays } from './replica-displays.ts'
import { ReplicaStates } from './replica-states.ts'
import { MAX_SNAPSHOT_JUMP, MAX_SNAPSHOT_UPDATE_BYTES, openSnapshot } from './snapshot.ts'
import type { SyncContext } from './sync-context.ts'
import { SyncError } from './sync-error.ts'
import { findViolation } from './update-check.ts'
import { WaitingRoom } from './waiting-room.ts'

export interface ReplicaOptions {
  /** The constant first update of this kind of document; the same bytes on every device. */
  readonly firstContent?: Uint8Array | undefined
  /** Envelopes between two snapshots. 5,000: a new device then checks at most that many signatures (under a second). */
  readonly snapshotEvery?: number
  /** A gate rule to leave out; tests only. */
  readonly without?: GateRule
  /** A bug to plant, so that the convergence fuzz can show it finds one; tests only. */
  readonly plant?: 'state-before-log'
}

/** An envelope that entered the log. */
export interface Appended {
  readonly ref: EnvelopeRef
  readonly bytes: Uint8Array
  readonly position: number
  /** The replica's position before: who has read up to it has everything up to this one. */
  readonly previousPosition: number
}

export interface KeepFailure {
  readonly code: string
  readonly message: string
}

const SNAPSHOT_EVERY = 5_000

const LOAD = Symbol('load')
const EDIT = Symbol('edit')

/**
 * One device's copy of one document (rules SY34-SY49).
 *
 * Invariants: what is in the log is in `doc` and in `frontier`; what peers are offered is in the log; changes made here and
 * not yet in the log are in the outbox, for at most one batch. Owns the Y.Doc, its awareness, gate, outbox and display
 * attachments. Does not know links: DocumentSync listens to `onDidAppend` and calls `receive`.
 */
export class Replica implements Disposable {
  readonly docId: DocId
  readonly doc = new Y.Doc()
  readonly awareness: awarenessProtocol.Awareness
  /** Set by DocumentSync: are the lanes full? Then batches are longer. */
  isBackedUp: () => boolean = () => false

  readonly #context: SyncContext
  readonly #plant: ReplicaOptions['plant']
  readonly #causal: CausalState
  readonly #gate: Gate
  readonly #outbox: Outbox
  readonly #states: ReplicaStates
  readonly #waiting = new WaitingRoom()
  readonly #displays: ReplicaDisplays
  readonly #appended = new Emitter<Appended>()
  readonly #snapshots = new Emitter<void>()
  readonly #copies = new Emitter<CopyFound>()
  readonly #failures = new Emitter<KeepFailure>()
  #position: number
  #editClientId: number | undefined
  #isDisposed = false

  /** Loads from the log. @throws StoreError `store/damaged`, DomainError `vault/unsealable`  what lies there cannot be read */
  constructor(context: SyncContext, docId: DocId, options: ReplicaOptions = {}) {
    this.docId = docId
    this.#context = context
    this.#plant = options.plant
    if (options.firstContent) Y.applyUpdate(this.doc, options.firstContent, LOAD)
    const loaded = loadReplica(context, docId, this.doc, LOAD)
    this.#causal = loaded.causal
    this.#position = loaded.position
    const counts = {
      snapshotEvery: options.snapshotEvery ?? SNAPSHOT_EVERY,
      replayed: loaded.replayed,
      sinceSnapshot: loaded.sinceSnapshot,
    }
    this.#states = new ReplicaStates(context, this.#causal, counts, {
      docId,
      position: () => this.#position,
      content: () => this.state(),
      flush: () => this.#plant === 'state-before-log' || this.#outbox.flush(),
      tellSnapshot: () => this.#snapshots.fire(),
    })
    this.#gate = new Gate({
      docId,
      doc: this.doc,
      causal: this.#causal,
      log: context.log,
      check: context.check,
      paused: context.paused,
      seal: context.seal,
      own: { device: context.signer.device, start: context.start },
      ...(options.without ? { without: options.without } : {}),
    })
    this.#outbox = new Outbox(context, docId, this.#causal, ({ envelope, bytes, position }) => {
      this.#noteAppended(envelope, bytes, position)
      const copy = this.#gate.note(envelope, bytes)
      if (copy) this.#noteCopy(copy)
    })
    this.#outbox.onDidFailToKeep((failure) => this.#failures.fire(failure))
    this.awareness = new awarenessProtocol.Awareness(this.doc)
    this.awareness.setLocalState(null) // displays have awareness; a device has none
    this.doc.on('update', this.#handleUpdate)
    this.#displays = new ReplicaDisplays(docId, this.doc, this.awareness, context.clientIds, (clientId) => clientId === this.#editClientId)
  }

  /** An envelope entered the log: made here, or let through the gate. */
  readonly onDidAppend: Event<Appended> = this.#appended.event
  /** A snapshot was signed here, and is the newest held. */
  readonly onDidMakeSnapshot: Event<void> = this.#snapshots.event
  /** A copied data folder was found; its device is paused. */
  readonly onDidFindCopy: Event<CopyFound> = this.#copies.event
  /** A change could not be kept (`store/disk-full`, ...): it stays in memory and is tried again. */
  readonly onDidFailToKeep: Event<KeepFailure> = this.#failures.event

  get frontier(): Frontier {
    return this.#causal.frontier
  }

  /** Position of the newest log row of this document that was read or written. */
  get position(): number {
    return this.#position
  }

  /** Envelopes that wait for something they depend on. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Changes made here and not yet in the log. */
  get pendingBytes(): number {
    return this.#outbox.pendingBytes
  }

  get displays(): number {
    return this.#displays.size
  }

  /** Joins a display: it gets a client id of its own. @throws StoreError  the id cannot be kept */
  attachDisplay(): DisplayAttachment {
    if (this.#isDisposed) throw new SyncError('sync/disposed', `document ${this.docId} is closed on this device: attach again`)
    return this.#displays.attach()
  }

  /** A change by the device itself, without a display: one transaction under a client id of its own. */
  edit(change: (doc: Y.Doc) => void): void {
    this.#editClientId ??= this.#context.clientIds.issue(this.docId).clientId
    const own = this.doc.clientID
    this.doc.clientID = this.#editClientId
    try {
      this.doc.transact(() => change(this.doc), EDIT)
    } finally {
      this.doc.clientID = own // y-webrtc and awareness know the document by it
    }
  }

  state(): Uint8Array {
    return Y.encodeStateAsUpdate(this.doc)
  }

  /** The name of a client id this device gave out; undefined for those of peers. */
  ownClientName(clientId: number): ClientName | undefined {
    return this.#context.clientIds.find(clientId)
  }

  /**
   * Takes one envelope from a peer, and those that had waited for it. `apply` hands an update to y-webrtc, which applies it.
   *
   * @throws StoreError  it could not be kept; nothing changed, ask again later
   */
  receive(bytes: Uint8Array, apply: (update: Uint8Array) => void): Verdict {
    const verdict = this.#receiveOne(bytes, apply)
    if (verdict.kind === 'pass') this.#release(this.#waiting.take(verdict.envelope), apply)
    return verdict
  }

  /**
   * Takes a snapshot from a peer if it brings anything new; true if it did.
   *
   * @throws SyncError  see openSnapshot, or its content would break the document
   */
  receiveSnapshot(bytes: Uint8Array, apply: (update: Uint8Array) => void): boolean {
    const { check, seal } = this.#context
    const snapshot = openSnapshot(bytes, this.docId, check, seal)
    const isKnown = this.frontier.missingFrom(snapshot.causal.frontier).length === 0
    const isSame = isSameCuts(snapshot.cuts, check.cuts?.(this.docId))
    if (isKnown) {
      if (isSame) this.#states.keepNewer(bytes, snapshot.causal)
      return false
    }
    if (!isSame) {
      const why = 'it was made under other removals than are known here'
      throw new SyncError('sync/outdated-snapshot', `a snapshot of ${this.docId} by device ${snapshot.device} was left out: ${why}`)
    }
    const bounds = { mayWrite: () => true, maxBytes: MAX_SNAPSHOT_UPDATE_BYTES, maxJump: MAX_SNAPSHOT_JUMP }
    const found = findViolation(this.doc, snapshot.update, bounds)
    if (found) throw new SyncError(found.code, `a snapshot of ${this.docId} by device ${snapshot.device} was refused: ${found.message}`)
    if (!this.#outbox.flush()) return false
    const isOnlyOne = this.#states.keepReceived(bytes, snapshot)
    this.#causal.merge(snapshot.causal)
    apply(snapshot.update)
    // ours may cover what theirs does not, and the log behind it is gone: make one that covers both
    if (!isOnlyOne) this.makeSnapshot()
    this.#release(this.#waiting.takeAll(), apply)
    return true
  }

  /** A peer says that a data folder was copied. Believed only when its proof holds. */
  receiveCopyProof(first: Uint8Array, second: Uint8Array): void {
    const found = this.#gate.examineProof(first, second)
    if (found) this.#noteCopy(found)
  }

  /** Seals and logs what has gathered; true when nothing is left. */
  flush(): boolean {
    return this.#outbox.flush()
  }

  /** Writes the state a load starts from. Called when quiet and on dispose. */
  saveState(): void {
    this.#states.saveState()
  }

  /** Makes a signed snapshot now, on an admin, and forgets log that it covers and that is older than 90 days. */
  makeSnapshot(): void {
    this.#states.makeSnapshot()
  }

  /** The store lost everything: what is in memory is written again, as one state and one snapshot. */
  rewrite(): void {
    this.#states.rewrite()
  }

  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#states.close(this.pendingBytes > 0)
    this.#displays.dispose()
    this.#outbox.dispose()
    this.awareness.destroy()
    this.doc.destroy()
    this.#appended.dispose()
    this.#copies.dispose()
    this.#failures.dispose()
  }

  /** As dispose, and writes nothing more: the document is being dropped. */
  discard(): void {
    this.#outbox.clear()
    this.#states.forget()
    this.dispose()
  }

  readonly #handleUpdate = (update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
    if (origin instanceof DisplayAttachment || origin === EDIT) this.#outbox.push(update, this.isBackedUp())
    else if (transaction.local) throw new Error(`document ${this.docId} was changed outside edit(): nobody would ever hear of it`)
    this.#displays.tellUpdate(update, origin)
  }

  #receiveOne(bytes: Uint8Array, apply: (update: Uint8Array) => void): Verdict {
    const verdict = this.#gate.examine(bytes)
    if (verdict.kind === 'pass') {
      const position = this.#keep(verdict.envelope, bytes)
      this.#causal.advance(verdict.envelope, verdict.hash)
      apply(verdict.update)
      this.#noteAppended(verdict.envelope, bytes, position)
      this.#gate.note(verdict.envelope, bytes)
    } else if (verdict.kind === 'wait' && !this.#waiting.add(verdict.needs, verdict.envelope, bytes)) {
      const message = `too many envelopes of document ${this.docId} wait for others: one was dropped and will be asked for again`
      return { kind: 'refused', code: 'sync/waiting-full', message, isForged: false, envelope: verdict.envelope }
    } else if (verdict.kind === 'copied') {
      this.#noteCopy(verdict.found)
    }
    return verdict
  }

  #keep(ref: EnvelopeRef, bytes: Uint8Array): number {
    try {
      return this.#context.log.append(this.docId, ref, bytes, this.#context.clock.nowMs())
    } catch (error) {
      this.#failures.fire({ code: errorCode(error), message: errorMessage(error) })
      throw error
    }
  }

  #noteCopy(found: CopyFound): void {
    if (this.#context.paused.has(found.device)) return // told before
    this.#context.paused.pause(found)
    this.#copies.fire(found)
  }

  #release(released: Uint8Array[], apply: (update: Uint8Array) => void): void {
    for (let bytes = released.shift(); bytes; bytes = released.shift()) {
      const verdict = this.#receiveOne(bytes, apply)
      if (verdict.kind === 'pass') released.push(...this.#waiting.take(verdict.envelope))
    }
  }

  #noteAppended(ref: EnvelopeRef, bytes: Uint8Array, position: number): void {
    const previousPosition = this.#position
    this.#position = position
    this.#states.noteEnvelope(bytes.length)
    this.#appended.fire({ ref: { device: ref.device, start: ref.start, seq: ref.seq }, bytes, position, previousPosition })
  }
}
