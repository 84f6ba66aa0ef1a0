import { Emitter } from '../base/emitter.ts'
import type { Transport } from './channel.ts'

/** What we use of a WebSocket; browsers', Node's and `ws`'s all have it. */
export interface WebSocketLike {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void
  addEventListener(type: 'error', listener: () => void): void
}

const OPEN = 1
/** "The application ended it; see the reason": the range for applications is 4000-4999. */
const CLOSE_CODE = 4000

/** RPC over an open WebSocket, on either end: text frames are text, binary frames are bytes. Owns the socket. */
export class WebSocketTransport implements Transport {
  readonly #socket: WebSocketLike
  readonly #received = new Emitter<string | Uint8Array>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  #isClosed = false

  readonly onDidReceive = this.#received.event
  readonly onDidClose = this.#closed.event

  constructor(socket: WebSocketLike) {
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', ({ data }) => {
      if (this.#isClosed) return
      if (typeof data === 'string') this.#received.fire(data)
      else if (data instanceof ArrayBuffer) this.#received.fire(new Uint8Array(data))
    })
    socket.addEventListener('close', ({ reason }) => this.#end(reason || 'rpc/closed'))
    socket.addEventListener('error', () => {}) // a close event follows and says all there is to say
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  send(message: string | Uint8Array): void {
    if (this.#isClosed || this.#socket.readyState !== OPEN) return
    this.#socket.send(message as string | Uint8Array<ArrayBuffer>)
  }

  close(reason: string): void {
    if (this.#isClosed) return
    this.#socket.close(CLOSE_CODE, reason.slice(0, 120))
    this.#end(reason)
  }

  dispose(): void {
    this.close('rpc/closed')
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closed.fire({ reason })
  }
}
