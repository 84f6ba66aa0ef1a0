import { Emitter } from '../base/emitter.ts'
import type { WebSocketLike } from '../sync/web-socket-like.ts'

/** One end of a WebSocket in memory. Messages arrive in a microtask, in order. */
export class FakeWebSocket implements WebSocketLike {
  readonly #received = new Emitter<string>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  readonly onDidReceive = this.#received.event
  readonly onDidClose = this.#closed.event
  /** What arrived, for tests that only look. */
  readonly log: string[] = []
  other: FakeWebSocket | undefined
  bufferedBytes = 0
  isClosed = false

  send(text: string): void {
    if (this.isClosed) return
    queueMicrotask(() => this.other?.receive(text))
  }

  receive(text: string): void {
    if (this.isClosed) return
    this.log.push(text)
    this.#received.fire(text)
  }

  dispose(): void {
    this.end()
    queueMicrotask(() => this.other?.end()) // after what was sent before
  }

  end(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#closed.fire({ reason: 'closed' })
  }
}

export function createFakeWebSocketPair(): { readonly client: FakeWebSocket; readonly server: FakeWebSocket } {
  const pair = { client: new FakeWebSocket(), server: new FakeWebSocket() }
  pair.client.other = pair.server
  pair.server.other = pair.client
  return pair
}
