import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'

/**
 * What RPC runs on: an ordered, reliable pipe of whole messages. A WebSocket between display and device, a Unix socket
 * between processes, a lane between devices.
 */
export interface Transport extends Disposable {
  /** Text carries calls, answers and events (JSON); bytes carry channel data. Ignored once closed. */
  send(message: string | Uint8Array): void
  /** As `send` of both as one message of bytes. `bytes` are the transport's from then on: it need not copy them. */
  sendParts?(head: Uint8Array, bytes: Uint8Array): void
  /** Bytes accepted by `send` and not yet handed to the network. */
  readonly bufferedBytes: number
  readonly onDidReceive: Event<string | Uint8Array>
  /** Fires once, whichever side ended it. */
  readonly onDidClose: Event<{ readonly reason: string }>
  /** Ends it and tells the other side why: a stable code, at most 120 ASCII characters. `dispose` = close('rpc/closed'). */
  close(reason: string): void
}

/** Above this many unconsumed bytes a sender should wait for `onDidDrain`. 256 KiB: 10 ms of a fast lane, and a full screen of any terminal. */
export const CHANNEL_HIGH_BYTES = 256 * 1024
/** The same where bulk goes through several processes: each hop then waits for the whole way's acknowledgements, not for its own. */
export const BULK_HIGH_BYTES = 1024 * 1024
/** A sender that goes on regardless loses the channel here: memory stays bounded. */
export const CHANNEL_LIMIT_BYTES = 64 * 1024 * 1024

/**
 * A stream of bytes beside the calls: a document, a terminal. Opened by the callee inside a method, which returns its
 * `id`; the caller takes it with `client.channel(id)`. Messages keep their borders.
 */
export interface ByteChannel extends Disposable {
  readonly id: number
  /** Ignored once closed. */
  send(bytes: Uint8Array): void
  /** As `send` of both as one message. `bytes` are the channel's from then on: of a flood, none is copied on its way out. */
  sendParts(head: Uint8Array, bytes: Uint8Array): void
  /** Sent by us and not yet consumed by the other end's listener; the sender bounds its queue by it. */
  readonly unackedBytes: number
  /** Where a sender should wait for `onDidDrain`: CHANNEL_HIGH_BYTES, unless it was set. */
  highBytes: number
  /** The other end has caught up (unackedBytes fell under half of highBytes). */
  readonly onDidDrain: Event<void>
  /** What comes before the first listener waits for it. */
  readonly onDidReceive: Event<Uint8Array>
  readonly onDidClose: Event<{ readonly reason: string }>
  /** While paused, what arrives waits here unconsumed, so that the sender slows down. */
  setPaused(paused: boolean): void
  /** As dispose, with a stable code for the other side. */
  close(reason: string): void
}
