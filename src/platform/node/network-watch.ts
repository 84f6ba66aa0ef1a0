import { networkInterfaces } from 'node:os'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { type Clock, systemClock } from '../../base/clock.ts'

/** Interfaces are looked at this often: Node has no event for them. Reading them takes 0.1 ms. */
const LOOK_EVERY_MS = 3_000
/** A look that comes this much late means that the machine slept. */
const SLEPT_MS = 15_000

/** Tells when addresses of this machine changed or when it woke up. */
export class NetworkWatch implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<void>())
  readonly #woke = this.#owned.add(new Emitter<void>())
  readonly onDidChange = this.#changed.event
  /** The machine slept, or this process could not run, for longer than SLEPT_MS. */
  readonly onDidWake = this.#woke.event

  constructor(clock: Clock = systemClock, read: () => string = readAddresses) {
    let addresses = read()
    let lookedAtMs = clock.nowMs()
    this.#owned.add(
      clock.every(LOOK_EVERY_MS, () => {
        const now = read()
        const hasSlept = clock.nowMs() - lookedAtMs > SLEPT_MS
        lookedAtMs = clock.nowMs()
        if (hasSlept) this.#woke.fire() // first: whoever locks after a sleep does so before anything is dialled anew
        if (now === addresses && !hasSlept) return
        addresses = now
        this.#changed.fire()
      }),
    )
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

const readAddresses = (): string =>
  Object.entries(networkInterfaces())
    .flatMap(([name, list]) => (list ?? []).filter(({ internal }) => !internal).map(({ address }) => `${name} ${address}`))
    .toSorted()
    .join('\n')
