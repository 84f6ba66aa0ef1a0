import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'

/**
 * What RPC runs on: an ordered, reliable pipe of whole messages. A WebSocket between display and device, a Unix socket
 * between processes, a lane between devices.
 */
export interface Transport extends Disposable {
  /** Text carries calls, answers and events (JSON); bytes carry channel data. */
  send(message: string | Uint8Array): void
  /** Bytes accepted by `send` and not yet handed to the network. */
  readonly bufferedBytes: number
  readonly onDidReceive: Event<string | Uint8Array>
  readonly onDidClose: Event<{ readonly reason: string }>
}

/**
 * A stream of bytes beside the calls: a document, a terminal. Opened by the callee inside a method, which returns its
 * `id`; the caller takes it with `client.channel(id)`. Messages keep their borders.
 */
export interface ByteChannel extends Disposable {
  readonly id: number
  send(bytes: Uint8Array): void
  /** Sent by us and not yet consumed by the other end's listener; the sender bounds its queue by it. */
  readonly unackedBytes: number
  /** The other end has caught up (unackedBytes fell under half of the high mark). */
  readonly onDidDrain: Event<void>
  readonly onDidReceive: Event<Uint8Array>
  readonly onDidClose: Event<{ readonly reason: string }>
}
