import { Emitter } from '../base/emitter.ts'
import type { PairingPipe } from '../sync/pairing-pipe.ts'

/** What somebody in the middle does with one message: what goes on in its place, in order. */
export type Meddle = (message: Uint8Array, from: 'offer' | 'join', index: number) => readonly Uint8Array[]

export interface MemoryPipes {
  readonly offer: MemoryPairingPipe
  readonly join: MemoryPairingPipe
}

/** One end of a pipe in memory. Messages arrive in a later microtask, as over a network; closing lets queued ones arrive first. */
export class MemoryPairingPipe implements PairingPipe {
  readonly role: 'offer' | 'join'
  readonly localFingerprint: Uint8Array
  readonly remoteFingerprint: Uint8Array
  readonly sent: Uint8Array[] = []
  readonly #received = new Emitter<Uint8Array>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  readonly #meddle: Meddle
  other: MemoryPairingPipe | undefined
  isClosed = false
  readonly onDidReceive = this.#received.event
  readonly onDidClose = this.#closed.event

  constructor(role: 'offer' | 'join', fingerprints: { local: Uint8Array; remote: Uint8Array }, meddle: Meddle) {
    this.role = role
    this.localFingerprint = fingerprints.local
    this.remoteFingerprint = fingerprints.remote
    this.#meddle = meddle
  }

  send(message: Uint8Array): void {
    if (this.isClosed) throw new Error('this pipe is closed')
    this.sent.push(message)
    const { other } = this
    for (const forwarded of this.#meddle(message, this.role, this.sent.length - 1)) queueMicrotask(() => other?.receive(forwarded))
  }

  receive(message: Uint8Array): void {
    if (!this.isClosed) this.#received.fire(message)
  }

  /** As when the network goes: both ends hear of it, nothing more arrives. */
  cut(reason = 'network gone'): void {
    for (const end of [this, this.other]) end?.close(reason)
  }

  close(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#closed.fire({ reason })
  }

  dispose(): void {
    if (this.isClosed) return
    this.isClosed = true
    const { other } = this
    queueMicrotask(() => other?.close('the other end closed'))
  }
}

/** Both ends. `mitm` puts two DTLS connections with another certificate in between: each end sees that one. */
export function createPipes(options: { meddle?: Meddle; mitm?: boolean } = {}): MemoryPipes {
  const [offerPrint, joinPrint, evilPrint] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array, Uint8Array]
  const meddle: Meddle = options.meddle ?? ((message) => [message])
  const offer = new MemoryPairingPipe('offer', { local: offerPrint, remote: options.mitm ? evilPrint : joinPrint }, meddle)
  const join = new MemoryPairingPipe('join', { local: joinPrint, remote: options.mitm ? evilPrint : offerPrint }, meddle)
  offer.other = join
  join.other = offer
  return { offer, join }
}
