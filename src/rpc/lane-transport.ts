import type { Disposable } from '../base/disposable.ts'
import { concatBytes, fromUtf8, utf8 } from '../base/bytes.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { Transport } from './channel.ts'

/** What RPC needs of a lane between two devices (sync/lane.ts). */
export interface MessageLane extends Disposable {
  send(message: Uint8Array): void
  /** As `send` of both as one message. `bytes` are the lane's from then on. */
  sendParts?(head: Uint8Array, bytes: Uint8Array): void
  readonly bufferedBytes: number
  readonly onDidReceive: Event<Uint8Array>
  readonly onDidClose: Event<{ readonly reason: string }>
}

const TEXT = 0
const BYTES = 1

/**
 * RPC over a lane: one kind byte (0 text, 1 bytes), then the message. A lane has no way to say why it ends, so closing only
 * stops this end and tells `onFault`, which closes the link when the reason is the peer's fault. Does not own the lane.
 */
export class LaneTransport implements Transport {
  readonly #lane: MessageLane
  readonly #onFault: (reason: string) => void
  readonly #received = new Emitter<string | Uint8Array>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  readonly #subscriptions: Disposable[]
  #isClosed = false

  readonly onDidReceive = this.#received.event
  readonly onDidClose = this.#closed.event

  constructor(lane: MessageLane, onFault: (reason: string) => void) {
    this.#lane = lane
    this.#onFault = onFault
    this.#subscriptions = [lane.onDidReceive((message) => this.#receive(message)), lane.onDidClose(({ reason }) => this.#end(reason))]
  }

  get bufferedBytes(): number {
    return this.#lane.bufferedBytes
  }

  send(message: string | Uint8Array): void {
    if (this.#isClosed) return
    const bytes = typeof message === 'string' ? utf8(message) : message
    const framed = new Uint8Array(bytes.length + 1)
    framed[0] = typeof message === 'string' ? TEXT : BYTES
    framed.set(bytes, 1)
    this.#lane.send(framed)
  }

  sendParts(head: Uint8Array, bytes: Uint8Array): void {
    if (this.#isClosed) return
    const framed = concatBytes(Uint8Array.of(BYTES), head)
    if (this.#lane.sendParts) this.#lane.sendParts(framed, bytes)
    else this.#lane.send(concatBytes(framed, bytes))
  }

  close(reason: string): void {
    if (this.#isClosed) return
    this.#end(reason)
    if (reason !== 'rpc/closed') this.#onFault(reason)
  }

  dispose(): void {
    this.close('rpc/closed')
  }

  #receive(message: Uint8Array): void {
    if (message[0] === BYTES) return this.#received.fire(message.subarray(1))
    if (message[0] !== TEXT) return this.close('rpc/malformed')
    let text: string
    try {
      text = fromUtf8(message.subarray(1))
    } catch {
      return this.close('rpc/malformed') // not UTF-8
    }
    this.#received.fire(text)
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const subscription of this.#subscriptions) subscription.dispose()
    this.#closed.fire({ reason })
  }
}
