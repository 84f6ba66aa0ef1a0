import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'

/** The part of a WebSocket that the rendezvous uses, on either side. Open when handed over; disposing closes it. */
export interface WebSocketLike extends Disposable {
  /** Best effort: nothing happens on a closed one. */
  send(text: string): void
  /** Accepted by `send` and not yet given to the network. */
  readonly bufferedBytes: number
  readonly onDidReceive: Event<string>
  readonly onDidClose: Event<{ readonly reason: string }>
}

/**
 * Opens one. Rejects when the other end cannot be reached or is no WebSocket.
 *
 * @param url  ws:// or wss://
 */
export type OpenWebSocket = (url: string, signal: AbortSignal) => Promise<WebSocketLike>
