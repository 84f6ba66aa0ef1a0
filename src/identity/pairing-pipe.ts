import type { Clock } from '../base/clock.ts'
import { DisposableStore, type Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'
import type { PairingRole } from './pairing-run.ts'

/** Ordered, reliable, encrypted by DTLS, proved by nobody. Fits sync's `PairingPipe`. */
export interface PairingPipe extends Disposable {
  readonly role: PairingRole
  readonly localFingerprint: Uint8Array
  readonly remoteFingerprint: Uint8Array
  send(message: Uint8Array): void
  readonly onDidReceive: Event<Uint8Array>
  readonly onDidClose: Event<{ readonly reason: string }>
}

/** How long a pipe stays open after the last message, for it to arrive; closing at once could drop it. */
const LINGER_MS = 2_000

/** Pipes that carried their last message: each is closed a little later, by the other side or by time. Owns them. */
export class LingeringPipes implements Disposable {
  readonly #clock: Clock
  readonly #pipes = new DisposableStore()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  take(pipe: PairingPipe): void {
    const lingering = new DisposableStore()
    lingering.add(pipe)
    lingering.add(this.#clock.after(LINGER_MS, () => this.#pipes.release(lingering)))
    lingering.add(pipe.onDidClose(() => this.#pipes.release(lingering)))
    this.#pipes.add(lingering)
  }

  dispose(): void {
    this.#pipes.dispose()
  }
}
