import type { Disposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { equalBytes } from '../base/bytes.ts'
import { type DirectFrame, DirectFrameReader } from '../files/direct-frame.ts'
import type { DirectConnection, DirectKey, DirectKind, DirectListening, DirectPlace, DirectSockets } from '../files/direct-sockets.ts'

/** One end: what is sent arrives at the other in a later turn, in order. */
export class MemoryDirectConnection implements DirectConnection {
  readonly #received = new Emitter<Uint8Array>()
  readonly #drained = new Emitter<void>()
  readonly #closed = new Emitter<void>()
  readonly onDidReceive = this.#received.event
  readonly onDidDrain = this.#drained.event
  readonly onDidClose = this.#closed.event
  readonly bufferedBytes = 0
  readonly kind: DirectKind
  mostUnconfirmedBytes?: number
  readonly sent: DirectFrame[] = []
  readonly #reader = new DirectFrameReader()
  other: MemoryDirectConnection | undefined
  /** When what was sent arrives. */
  later: (arrive: () => void) => void = setImmediate
  isClosed = false
  /** What is sent is lost from now on, as when a cable is pulled. */
  isCut = false

  constructor(kind: DirectKind = 'tls') {
    this.kind = kind
  }

  static pair(kind: DirectKind = 'tls'): [MemoryDirectConnection, MemoryDirectConnection] {
    const [a, b] = [new MemoryDirectConnection(kind), new MemoryDirectConnection(kind)]
    a.other = b
    b.other = a
    return [a, b]
  }

  send(bytes: Uint8Array): void {
    if (this.isClosed || this.isCut) return
    this.sent.push(...this.#reader.take(bytes.slice()))
    const copy = bytes.slice()
    this.later(() => this.other?.isClosed || this.other?.hear(copy))
  }

  /** Bytes as a peer that follows no rules would send them. */
  hear(bytes: Uint8Array): void {
    this.#received.fire(bytes)
  }

  dispose(): void {
    if (this.isClosed) return
    this.isClosed = true
    setImmediate(() => this.other?.dispose())
    this.#closed.fire()
  }
}

/** Machines that reach each other by ports of one table. */
export class MemoryDirectSockets implements DirectSockets {
  readonly listeners = new Map<number, { readonly keys: Map<string, Uint8Array>; readonly connected: Emitter<DirectConnection> }>()
  /** The connecting and the listening end of each. */
  readonly made: (readonly [MemoryDirectConnection, MemoryDirectConnection])[] = []
  #port = 1000

  async listen(_address: string, keys: readonly DirectKey[]): Promise<DirectListening> {
    const port = this.#port++
    const connected = new Emitter<DirectConnection>()
    this.listeners.set(port, { keys: new Map(keys.map(({ identity, key }) => [identity, key])), connected })
    const end: Disposable = { dispose: () => void this.listeners.delete(port) }
    return { port, onDidConnect: connected.event, ...end }
  }

  async connect({ port }: DirectPlace, { identity, key }: DirectKey): Promise<DirectConnection> {
    const listener = this.listeners.get(port)
    const known = listener?.keys.get(identity)
    if (!listener || !known || !equalBytes(known, key)) throw new Error('refused')
    listener.keys.delete(identity)
    const pair = MemoryDirectConnection.pair()
    this.made.push(pair)
    listener.connected.fire(pair[1])
    return pair[0]
  }
}
