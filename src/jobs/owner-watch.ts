import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'

/** So long after input at a display of a machine its owner counts as there. */
export const OWNER_THERE_MS = 60_000

/** The owner of a machine comes first: what runs there for others holds still until nobody has touched a display for a minute (rule JB48). */
export class OwnerWatch implements Disposable {
  readonly #clock: Clock
  readonly #setPaused: (paused: boolean) => void
  #timer: Disposable | undefined

  constructor(clock: Clock, setPaused: (paused: boolean) => void) {
    this.#clock = clock
    this.#setPaused = setPaused
  }

  /** A display of this machine had input just now. */
  touch(): void {
    if (!this.#timer) this.#setPaused(true)
    this.#timer?.dispose()
    this.#timer = this.#clock.after(OWNER_THERE_MS, () => {
      this.#timer = undefined
      this.#setPaused(false)
    })
  }

  dispose(): void {
    this.#timer?.dispose()
  }
}
