import { Emitter } from '../base/emitter.ts'
import type { PortSocket } from '../jobs/port-socket.ts'

/** One end of a TCP connection in memory. What is written arrives in a later microtask, in order; nothing is ever full. */
export class MemoryPortSocket implements PortSocket {
  readonly #received = new Emitter<Uint8Array>()
  readonly #ended = new Emitter<void>()
  readonly #closed = new Emitter<void>()
  readonly onDidReceive = this.#received.event
  readonly onDidDrain = new Emitter<void>().event
  readonly onDidEnd = this.#ended.event
  readonly onDidClose = this.#closed.event
  readonly #held: Uint8Array[] = []
  #isPaused = false
  other: MemoryPortSocket | undefined
  isClosed = false
  /** What came, as text. */
  text = ''

  write(bytes: Uint8Array): boolean {
    queueMicrotask(() => this.other?.receive(bytes.slice()))
    return true
  }

  receive(bytes: Uint8Array): void {
    if (this.isClosed) return
    if (this.#isPaused) return void this.#held.push(bytes)
    this.text += new TextDecoder().decode(bytes)
    this.#received.fire(bytes)
  }

  end(): void {
    queueMicrotask(() => this.other?.isClosed === false && this.other.#ended.fire())
  }

  setPaused(paused: boolean): void {
    this.#isPaused = paused
    if (!paused) for (const bytes of this.#held.splice(0)) this.receive(bytes)
  }

  dispose(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#closed.fire()
    queueMicrotask(() => this.other?.dispose())
  }
}

export function memoryPortSockets(): [MemoryPortSocket, MemoryPortSocket] {
  const [a, b] = [new MemoryPortSocket(), new MemoryPortSocket()]
  a.other = b
  b.other = a
  return [a, b]
}
