import { Emitter } from '../base/emitter.ts'
import type { Transport } from './channel.ts'

/** Two joined ends in one process. Delivery is in order, each message in a microtask of its own. */
export function memoryTransportPair(): [MemoryTransport, MemoryTransport] {
  const a = new MemoryTransport()
  const b = new MemoryTransport()
  a.peer = b
  b.peer = a
  return [a, b]
}

export class MemoryTransport implements Transport {
  peer: MemoryTransport | undefined
  readonly bufferedBytes = 0
  readonly sent: (string | Uint8Array)[] = []
  readonly #received = new Emitter<string | Uint8Array>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  closeReason: string | undefined

  readonly onDidReceive = this.#received.event
  readonly onDidClose = this.#closed.event

  send(message: string | Uint8Array): void {
    if (this.closeReason !== undefined) return
    this.sent.push(message)
    const peer = this.peer
    queueMicrotask(() => {
      if (peer && peer.closeReason === undefined) peer.#received.fire(message)
    })
  }

  close(reason: string): void {
    const peer = this.peer
    this.#end(reason)
    queueMicrotask(() => {
      if (peer) peer.#end(reason)
    })
  }

  dispose(): void {
    this.close('rpc/closed')
  }

  #end(reason: string): void {
    if (this.closeReason !== undefined) return
    this.closeReason = reason
    this.#closed.fire({ reason })
  }
}
