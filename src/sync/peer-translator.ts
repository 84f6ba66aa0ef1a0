import { encoding } from './lib0.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DeviceId, DocId } from '../base/ids.ts'
import { readAwareness, writeAwareness } from './awareness-cut.ts'
import { clientIdOf } from './client-ids.ts'
import { standingOf } from './standing.ts'
import type { EnvelopeRef } from './envelope.ts'
import { Frontier } from './frontier.ts'
import type { FrameTranslator } from './lane-peer.ts'
import type { Appended, Replica } from './replica.ts'
import type { NamedAwareness, SessionMessage } from './session-message.ts'
import { frontierOfSnapshot, isSnapshotGood, maySnapshot } from './snapshot.ts'
import type { SyncContext } from './sync-context.ts'

/** y-webrtc's frame types, and y-protocols' sync types inside the first. */
const FRAME = { sync: 0, awareness: 1 } as const
const SYNC = { step1: 0, step2: 1, update: 2 } as const
/** Envelopes answered in one message: small enough that a key press behind it is not felt. */
export const PAGE_BYTES = 64 << 10
/** A newcomer checks a signature each (130 us); more than this and a fresh snapshot is faster. */
const MAX_ENVELOPES_FOR_NEWCOMER = 500
/** Stop reading the log while this much waits in the lane. */
const HIGH_WATER_BYTES = 256 << 10

/** What a translator asks of the link it is part of. */
export interface TranslatorHost {
  readonly peer: DeviceId
  readonly bufferedBytes: number
  send(message: SessionMessage): void
  /** The peer broke the protocol. */
  fault(code: string, message: string): void
  /** Something was missing or could not be kept: send HAVE again later. */
  askAgainLater(doc: DocId): void
  /** The peer's log was taken in whole. */
  noteComplete(): void
}

/**
 * One document on one link: translates between y-webrtc's frames and envelopes (rules SY1-SY9; ARCHITECTURE.md, section 4).
 *
 * Out: sync step 1 becomes HAVE; step 2 and updates are swallowed (the log sends what they carry); awareness is cut to
 * this device's displays. In: envelopes go through the gate, into the log, then to y-webrtc as update frames; at the far
 * frontier one empty step 2 marks it synced. What the peer asked for is read from the log in order, a page at a time.
 */
export class PeerTranslator implements FrameTranslator {
  readonly #context: SyncContext
  readonly #replica: Replica
  readonly #host: TranslatorHost
  #peer: { deliver(frame: Uint8Array): void; close(): void } | undefined
  /** What the peer holds, as far as we know; undefined until it has asked. */
  #theirs: Frontier | undefined
  /** Log position up to which the peer was served. */
  #served = 0
  #isAtEnd = false
  readonly #spoken = new Set<number>()
  /** Awareness of our displays that waits for the lane. */
  readonly #unspoken = new Map<number, NamedAwareness>()

  constructor(context: SyncContext, replica: Replica, host: TranslatorHost) {
    this.#context = context
    this.#replica = replica
    this.#host = host
  }

  bind(peer: { deliver(frame: Uint8Array): void; close(): void }): void {
    this.#peer = peer
    this.pump() // the peer may have asked before y-webrtc had opened the room
  }

  handleDestroy(): void {
    this.#peer = undefined
  }

  /** Client ids whose awareness this peer brought: they go with the link. */
  get spoken(): readonly number[] {
    return [...this.#spoken]
  }

  handleFrame(frame: Uint8Array): void {
    if (frame[0] === FRAME.sync && frame[1] === SYNC.step1) this.sendHave()
    else if (frame[0] === FRAME.awareness) this.#sendAwareness(frame)
  }

  sendHave(): void {
    this.#host.send({ kind: 'have', doc: this.#replica.docId, epoch: this.#context.seal.epoch, frontier: this.#replica.frontier })
  }

  /** The peer says what it holds: serve it from there. */
  handleHave(frontier: Frontier): void {
    this.#theirs = frontier
    this.#guardStore(() => this.#serveFromStart(frontier))
  }

  /** Sends on until the lane is full or the peer has all we have. */
  pump(): void {
    this.#speak()
    this.#guardStore(() => this.#serve())
  }

  /**
   * Reads from the store. Damage has set it aside, and the replica has written itself again: then the peer is served from
   * what is there now. Any other trouble of the store (full, closing) leaves the peer where it is.
   */
  #guardStore(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!errorCode(error).startsWith('store/')) throw error
      this.#context.logger.error('the log could not be read for a peer', {
        peer: this.#host.peer,
        code: errorCode(error),
        message: errorMessage(error),
      })
      const theirs = this.#theirs
      if (errorCode(error) === 'store/damaged' && theirs) queueMicrotask(() => this.handleHave(theirs))
    }
  }

  #serveFromStart(frontier: Frontier): void {
    this.#isAtEnd = false
    const { docId } = this.#replica
    const missing = frontier.missingFrom(this.#replica.frontier)
    const positions = missing.map((ref) => this.#context.log.positionOf(docId, ref))
    const snapshot = this.#snapshotFor(
      missing.filter((_ref, index) => positions[index] === undefined),
      missing.filter((ref) => standingOf(this.#context.check, docId, ref) === 'none'),
      missing.length > 0 && frontier.size === 0,
    )
    const first = Math.min(this.#replica.position, ...positions.map((position) => (position ?? 1) - 1))
    this.#served = snapshot ? 0 : first
    if (snapshot) {
      this.#host.send({ kind: 'snapshot', doc: docId, snapshot })
      for (const ref of frontierOfSnapshot(snapshot).refs()) this.#theirs?.advance(ref)
    }
    this.#serve()
  }

  /**
   * The snapshot that an asker needs, if it needs one: for what is no longer kept as envelopes (`pruned`), for envelopes of
   * devices that have left the list, which its gate would refuse (`departed`), or because it has nothing yet (`isNew`: spares
   * it the log). One is made when the newest does not cover that, or whoever signed it may not any more: it would be refused
   * (rule SY100). A member makes none, and then there is none until an admin does.
   */
  #snapshotFor(pruned: readonly EnvelopeRef[], departed: readonly EnvelopeRef[], isNew: boolean): Uint8Array | undefined {
    if (pruned.length + departed.length === 0 && !isNew) return undefined
    const { frontier } = this.#replica
    const held = this.#heldSnapshot()
    const covered = held ? frontierOfSnapshot(held) : new Frontier()
    let behind = 0
    for (const ref of frontier.refs()) behind += Math.max(0, ref.seq - covered.seqOf(ref))
    const isEnough = pruned.every((ref) => covered.covers(ref)) && departed.every((ref) => covered.seqOf(ref) >= frontier.seqOf(ref))
    if (isEnough && (!isNew || behind <= MAX_ENVELOPES_FOR_NEWCOMER)) return held
    this.#replica.makeSnapshot()
    return this.#heldSnapshot()
  }

  /** The one in the store, while it would be taken. */
  #heldSnapshot(): Uint8Array | undefined {
    const held = this.#context.log.loadSnapshot(this.#replica.docId)
    return held && isSnapshotGood(this.#context.check, held) ? held : undefined
  }

  #serve(): void {
    const theirs = this.#theirs
    if (!theirs || !this.#peer) return
    while (!this.#isAtEnd && this.#host.bufferedBytes < HIGH_WATER_BYTES) {
      const page = this.#context.log.page(this.#replica.docId, { after: this.#served, have: theirs, maxBytes: PAGE_BYTES })
      this.#served = page.next
      this.#isAtEnd = page.isLast
      this.#host.send({ kind: 'envelopes', doc: this.#replica.docId, isLast: page.isLast, envelopes: page.rows.map((row) => row.bytes) })
    }
  }

  /** A new envelope in the log: sent at once to a peer that has all before it, else it comes with its page. */
  handleAppended({ ref, bytes, position, previousPosition }: Appended): void {
    if (!this.#theirs || !this.#peer) return
    if (!this.#isAtEnd || this.#served < previousPosition || this.#host.bufferedBytes >= HIGH_WATER_BYTES) {
      this.#isAtEnd = false
      this.pump()
      return
    }
    this.#served = position
    if (this.#theirs.covers(ref)) return
    this.#host.send({ kind: 'envelopes', doc: this.#replica.docId, isLast: true, envelopes: [bytes] })
  }

  /** A member makes no snapshot itself: one that was made here lets it give away old log, and help who comes new (rule SY99). */
  handleSnapshotMade(): void {
    if (!this.#peer || !this.#theirs || maySnapshot(this.#context.check, this.#host.peer)) return
    this.#guardStore(() => {
      const snapshot = this.#heldSnapshot()
      if (snapshot) this.#host.send({ kind: 'snapshot', doc: this.#replica.docId, snapshot })
    })
  }

  handleEnvelopes(envelopes: readonly Uint8Array[], isLast: boolean): void {
    for (const bytes of envelopes) {
      if (!this.#peer || !this.#handleEnvelope(bytes)) return
    }
    if (!isLast) return
    this.#deliverSynced()
    if (this.#replica.waiting > 0) this.#host.askAgainLater(this.#replica.docId)
    else this.#host.noteComplete()
  }

  handleSnapshot(snapshot: Uint8Array): void {
    if (!this.#peer) return // y-webrtc, which would apply it, is not there yet or no more: its step 1 asks again
    try {
      this.#replica.receiveSnapshot(snapshot, (update) => this.#deliverUpdate(update))
    } catch (error) {
      this.#context.logger.warn('a snapshot was refused', { peer: this.#host.peer, code: errorCode(error), message: errorMessage(error) })
      this.#host.askAgainLater(this.#replica.docId)
    }
  }

  /** Awareness of the peer's own displays: their ids are recomputed from its device id, so it cannot speak for others. */
  handleAwareness(entries: readonly NamedAwareness[]): void {
    const named = entries.map((entry) => ({ ...entry, clientId: clientIdOf(this.#host.peer, entry) }))
    for (const { clientId, json } of named) {
      if (json === 'null') this.#spoken.delete(clientId)
      else this.#spoken.add(clientId)
    }
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, FRAME.awareness)
    encoding.writeVarUint8Array(encoder, writeAwareness(named))
    this.#peer?.deliver(encoding.toUint8Array(encoder))
  }

  /** False: leave the rest of the page. */
  #handleEnvelope(bytes: Uint8Array): boolean {
    const { peer } = this.#host
    try {
      const verdict = this.#replica.receive(bytes, (update) => this.#deliverUpdate(update))
      if (verdict.kind === 'copied') return true // told by Documents.onDidFindCopy
      if (verdict.kind !== 'refused') {
        this.#theirs?.advance(verdict.envelope)
        return true
      }
      this.#context.logger.warn('an envelope was refused', { peer, code: verdict.code, message: verdict.message })
      // what its author signed and sent itself is its own fault; what it passed on may be news we lack
      const isOwnFault =
        verdict.isForged || (verdict.envelope?.device === peer && verdict.code !== 'sync/no-epoch-key' && verdict.code !== 'sync/paused')
      if (isOwnFault) this.#host.fault(verdict.code, verdict.message)
      else this.#host.askAgainLater(this.#replica.docId)
      return !isOwnFault
    } catch (error) {
      // the store is full or read-only: nothing was taken
      this.#context.logger.error('an envelope could not be kept', { peer, code: errorCode(error), message: errorMessage(error) })
      this.#host.askAgainLater(this.#replica.docId)
      return false
    }
  }

  #deliverUpdate(update: Uint8Array): void {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, FRAME.sync)
    encoding.writeVarUint(encoder, SYNC.update)
    encoding.writeVarUint8Array(encoder, update)
    this.#peer?.deliver(encoding.toUint8Array(encoder))
  }

  #deliverSynced(): void {
    this.#peer?.deliver(Uint8Array.of(FRAME.sync, SYNC.step2, 2, 0, 0))
  }

  #sendAwareness(frame: Uint8Array): void {
    // type byte, then the length of the update, then the update
    const body = frame.subarray(1)
    const lengthBytes = body.findIndex((byte) => byte < 0x80) + 1
    for (const { clientId, clock, json } of readAwareness(body.subarray(lengthBytes))) {
      const name = this.#replica.ownClientName(clientId)
      if (name) this.#unspoken.set(clientId, { start: name.start, n: name.n, clock, json })
    }
    this.#speak()
  }

  /** While the lane is full only the newest of each display is kept: a pointer's way is of no use late. */
  #speak(): void {
    if (this.#unspoken.size === 0 || this.#host.bufferedBytes >= HIGH_WATER_BYTES) return
    const entries = [...this.#unspoken.values()]
    this.#unspoken.clear() // before it is sent: a lane that drains at once asks for more while it is sending
    this.#host.send({ kind: 'awareness', doc: this.#replica.docId, entries })
  }
}
