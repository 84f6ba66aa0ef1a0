import * as awarenessProtocol from 'y-protocols/awareness'
import { DisposableStore, type Disposable } from '../base/disposable.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DeviceId, DocId } from '../base/ids.ts'
import type { DocRoom } from './doc-room.ts'
import { isDocId, type Documents } from './documents.ts'
import type { Lane, Link } from './lane.ts'
import type { CopyProof } from './paused-devices.ts'
import { PeerTranslator, type TranslatorHost } from './peer-translator.ts'
import type { Appended, Replica } from './replica.ts'
import { decodeMessage, encodeMessage, OLDEST_SESSION_PROTOCOL, SESSION_PROTOCOL, type SessionMessage } from './session-message.ts'
import type { SyncContext } from './sync-context.ts'

/** First and longest wait before HAVE is sent again for what was missing. */
const ASK_AGAIN_MS = 2_000
const ASK_AGAIN_MAX_MS = 60_000

export interface LinkSessionHost {
  roomOf(doc: DocId): DocRoom | undefined
  send(bytes: Uint8Array): void
  handleOtherProtocol(message: string): void
  /** A raw Yjs frame came: it closes the link, and is counted. */
  handleForbidden(): void
}

/**
 * All documents on one link's session lane: reads and writes its messages, and keeps one translator per document.
 *
 * Says hello first and nothing else until the peer has. A message that cannot be read closes this link and names the
 * peer; nothing else is disturbed. Owns its translators and timers, not the link.
 */
export class LinkSession implements TranslatorHost, Disposable {
  readonly #context: SyncContext
  readonly #documents: Documents
  readonly #link: Link
  readonly #lane: Lane
  readonly #host: LinkSessionHost
  readonly #owned = new DisposableStore()
  readonly #translators = new Map<DocId, PeerTranslator>()
  readonly #askAgain = new Map<DocId, Disposable>()
  #askAgainMs = ASK_AGAIN_MS
  #isGreeted = false

  constructor(context: SyncContext, documents: Documents, link: Link, host: LinkSessionHost) {
    this.#context = context
    this.#documents = documents
    this.#link = link
    this.#lane = link.lane('session')
    this.#host = host
    this.#owned.add(this.#lane.onDidReceive((bytes) => this.#handleBytes(bytes)))
    this.#owned.add(this.#lane.onDidDrain(() => this.#pumpAll()))
  }

  get peer(): DeviceId {
    return this.#link.peer
  }

  get bufferedBytes(): number {
    return this.#lane.bufferedBytes
  }

  start(): void {
    this.send({ kind: 'hello', protocol: SESSION_PROTOCOL, oldest: OLDEST_SESSION_PROTOCOL })
  }

  send(message: SessionMessage): void {
    if (this.#owned.isDisposed) return
    // a copy of this device exists: say nothing more until a person has chosen
    const isSilenced = this.#context.paused.has(this.#context.signer.device) && message.kind !== 'hello' && message.kind !== 'copied'
    if (!isSilenced) this.#host.send(encodeMessage(message))
  }

  fault(code: string, message: string): void {
    this.#context.logger.warn('a peer broke the protocol: its link is closed', { peer: this.peer, code })
    this.#link.closeForFault(code, message)
    this.dispose()
  }

  askAgainLater(doc: DocId): void {
    if (this.#askAgain.has(doc) || this.#owned.isDisposed) return
    const timer = this.#context.clock.after(this.#askAgainMs, () => {
      this.#askAgain.delete(doc)
      this.#translators.get(doc)?.sendHave()
    })
    this.#askAgain.set(doc, timer)
    this.#askAgainMs = Math.min(2 * this.#askAgainMs, ASK_AGAIN_MAX_MS)
  }

  /** Nothing is missing any more: the next lack is asked for soon again. */
  noteComplete(): void {
    if (this.#askAgain.size === 0) this.#askAgainMs = ASK_AGAIN_MS
  }

  /** Passes on the proof that a data folder was copied. */
  tellCopy({ doc, first = new Uint8Array(), second }: CopyProof): void {
    if (this.#isGreeted) this.send({ kind: 'copied', doc, first, second })
  }

  /** Sends HAVE for every document now. */
  askAll(): void {
    this.#askAgainMs = ASK_AGAIN_MS
    for (const translator of this.#translators.values()) translator.sendHave()
  }

  addDocument(replica: Replica): void {
    if (!this.#isGreeted || this.#translators.has(replica.docId)) return
    const translator = new PeerTranslator(this.#context, replica, this)
    this.#translators.set(replica.docId, translator)
    // y-webrtc connects and says step 1, which becomes our HAVE
    this.#host.roomOf(replica.docId)?.attach(this.peer, translator)
  }

  handleAppended(doc: DocId, appended: Appended): void {
    this.#translators.get(doc)?.handleAppended(appended)
  }

  handleSnapshotMade(doc: DocId): void {
    this.#translators.get(doc)?.handleSnapshotMade()
  }

  handleDropped(doc: DocId, tombstone: Uint8Array): void {
    this.#translators.delete(doc)
    this.#askAgain.get(doc)?.dispose()
    this.#askAgain.delete(doc)
    if (this.#isGreeted) this.send({ kind: 'dropped', tombstone })
  }

  dispose(): void {
    if (this.#owned.isDisposed) return
    this.#owned.dispose()
    for (const timer of this.#askAgain.values()) timer.dispose()
    for (const [doc, translator] of this.#translators) {
      this.#host.roomOf(doc)?.detach(this.peer)
      const replica = this.#documents.get(doc)
      if (replica) awarenessProtocol.removeAwarenessStates(replica.awareness, [...translator.spoken], 'link')
    }
    this.#translators.clear()
  }

  #handleBytes(bytes: Uint8Array): void {
    if (bytes[0] === 0) {
      this.#host.handleForbidden()
      return this.fault('link/forbidden-frame', `device ${this.peer} sent a raw Yjs frame: its link is closed`)
    }
    try {
      this.#handle(decodeMessage(bytes))
    } catch (error) {
      // our own store is full or closing: no fault of the peer
      if (errorCode(error).startsWith('store/')) {
        this.#context.logger.error('a message of a peer could not be dealt with', { peer: this.peer, code: errorCode(error) })
        return
      }
      this.fault(errorCode(error), `device ${this.peer} sent what cannot be read: ${errorMessage(error)}`)
    }
  }

  #handle(message: SessionMessage): void {
    if (message.kind === 'hello') return this.#handleHello(message)
    if (!this.#isGreeted) return this.fault('sync/malformed', `device ${this.peer} did not say hello first: its link is closed`)
    switch (message.kind) {
      case 'have':
        return this.#translatorFor(message.doc)?.handleHave(message.frontier)
      case 'envelopes':
        return this.#translators.get(message.doc)?.handleEnvelopes(message.envelopes, message.isLast)
      case 'snapshot':
        return this.#translators.get(message.doc)?.handleSnapshot(message.snapshot)
      case 'awareness':
        return this.#translators.get(message.doc)?.handleAwareness(message.entries)
      case 'dropped':
        return this.#handleDrop(message.tombstone)
      case 'copied':
        return this.#documents.get(message.doc)?.receiveCopyProof(message.first, message.second)
    }
  }

  #handleHello({ protocol, oldest }: { readonly protocol: number; readonly oldest: number }): void {
    if (protocol < OLDEST_SESSION_PROTOCOL || oldest > SESSION_PROTOCOL) {
      const which = oldest > SESSION_PROTOCOL ? 'update Elsewhere on this device' : 'update Elsewhere on that device'
      const message = `device ${this.peer} speaks session protocol ${oldest} to ${protocol}, this one ${OLDEST_SESSION_PROTOCOL} to ${SESSION_PROTOCOL}: ${which}`
      this.#host.handleOtherProtocol(message)
      return this.fault('sync/version', message)
    }
    if (this.#isGreeted) return
    this.#isGreeted = true
    for (const replica of this.#documents.all()) this.addDocument(replica)
    for (const proof of this.#context.paused.proofs()) this.tellCopy(proof) // it may be one of the copies, and not know
  }

  /** A document that only the peer has is opened here; one that was dropped here is answered with its tombstone. */
  #translatorFor(doc: DocId): PeerTranslator | undefined {
    const known = this.#translators.get(doc)
    if (known) return known
    if (!isDocId(doc)) {
      this.fault('sync/wrong-doc', `device ${this.peer} asked for a document of an impossible name: its link is closed`)
      return undefined
    }
    const tombstone = this.#context.log.tombstone(doc)
    if (tombstone) {
      this.send({ kind: 'dropped', tombstone })
      return undefined
    }
    try {
      this.addDocument(this.#documents.open(doc))
    } catch (error) {
      this.#context.logger.warn('a document of a peer was not opened', { peer: this.peer, doc, code: errorCode(error) })
    }
    return this.#translators.get(doc)
  }

  #handleDrop(tombstone: Uint8Array): void {
    try {
      this.#documents.receiveDrop(tombstone)
    } catch (error) {
      // a device that we do not know yet is news, not a fault of who passed it on
      if (errorCode(error) !== 'sync/not-a-member') throw error
      this.#context.logger.warn('a tombstone was refused', { peer: this.peer, code: errorCode(error) })
    }
  }

  #pumpAll(): void {
    for (const translator of this.#translators.values()) translator.pump()
  }
}
