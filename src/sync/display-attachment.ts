import * as awarenessProtocol from 'y-protocols/awareness'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { cutAwareness } from './awareness-cut.ts'

/** What an attachment may ask of the replica it belongs to. */
export interface AttachmentHost {
  readonly awareness: awarenessProtocol.Awareness
  state(): Uint8Array
  apply(attachment: DisplayAttachment, update: Uint8Array): void
  detach(attachment: DisplayAttachment): void
}

/**
 * One display at one document: hands it the state, takes its changes, tells it those of others (rules SY40-SY43).
 *
 * Owns the display's client id: changes under any other are refused, unless it is an id this device gave out for the same
 * document before and nobody uses now (a display that reconnects flushes what it changed before). Not the display's link.
 */
export class DisplayAttachment implements Disposable {
  readonly clientId: number
  readonly #host: AttachmentHost
  readonly #updates = new Emitter<Uint8Array>()
  readonly #awareness = new Emitter<Uint8Array>()
  #isDisposed = false

  constructor(clientId: number, host: AttachmentHost) {
    this.clientId = clientId
    this.#host = host
  }

  /** Changes by anybody else, as Yjs updates (v1). */
  readonly onDidUpdate: Event<Uint8Array> = this.#updates.event
  /** Awareness of others, as y-protocols awareness updates. */
  readonly onDidChangeAwareness: Event<Uint8Array> = this.#awareness.event

  /** The whole document as one Yjs update: the first message to a display. */
  state(): Uint8Array {
    return this.#host.state()
  }

  /** Awareness of everybody else now; undefined when there is none. */
  awarenessState(): Uint8Array | undefined {
    const { awareness } = this.#host
    const others = [...awareness.getStates().keys()].filter((client) => client !== this.clientId)
    return others.length > 0 ? awarenessProtocol.encodeAwarenessUpdate(awareness, others) : undefined
  }

  /**
   * Takes a change of this display. Kept (in the log) by the next batch: at once after a quiet moment, else within 16 ms
   * (100 ms when lanes are backed up).
   *
   * @throws SyncError `sync/foreign-client`, `sync/clock-gap`, `sync/malformed`, `sync/too-large`, ... Nothing was applied.
   */
  apply(update: Uint8Array): void {
    if (!this.#isDisposed) this.#host.apply(this, new Uint8Array(update))
  }

  /** Takes this display's awareness, cut to its own client id. @throws SyncError `sync/malformed`, `sync/too-large` */
  applyAwareness(update: Uint8Array): void {
    if (this.#isDisposed) return
    const own = cutAwareness(update, (clientId) => clientId === this.clientId)
    if (own) awarenessProtocol.applyAwarenessUpdate(this.#host.awareness, own, this)
  }

  /** For the replica: something changed that this display did not do. */
  notifyUpdate(update: Uint8Array): void {
    this.#updates.fire(update)
  }

  /** For the replica. */
  notifyAwareness(update: Uint8Array): void {
    this.#awareness.fire(update)
  }

  /** The display is gone: its awareness goes with it. */
  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#host.detach(this)
    awarenessProtocol.removeAwarenessStates(this.#host.awareness, [this.clientId], this)
    this.#updates.dispose()
    this.#awareness.dispose()
  }
}
