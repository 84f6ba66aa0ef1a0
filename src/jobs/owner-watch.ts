import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'

/** So long after input at a display or terminal of a machine its owner counts as there. */
export const OWNER_THERE_MS = 60_000
/** How often signs of an owner are looked for, while something runs here for others; never else. */
export const OWNER_LOOK_MS = 2_000
/** Part of the last ten seconds in which something waited for a processor, from which on jobs of others make way. */
export const PRESSURE_LIMIT = 0.1
/** Held still for so long, what is left of the pressure is not the jobs' own. */
const PRESSURE_PAUSE_MS = 10_000
/** Where it was the jobs' own, it is not asked again for so long: they weigh least, and standing still would help nobody. */
const OWN_PRESSURE_MS = 300_000

/** What a machine tells of its owner, read when asked. */
export interface OwnerSigns {
  /** Ms since input at any terminal of the machine but those that these processes have; undefined: not known. */
  lastInputMs(besides?: readonly number[]): number | undefined
  /** How much waits for a processor: part of the last ten seconds, and ms in all; undefined: this system does not tell. */
  pressure(): { readonly lastTenSeconds: number; readonly totalMs: number } | undefined
}

/**
 * The owner of a machine comes first: what runs there for others holds still until nobody has touched a display or terminal of it
 * for a minute, and while others wait for its processors with a display unlocked (rule JB48). Nothing ticks while nothing runs here
 * for others.
 */
export class OwnerWatch implements Disposable {
  readonly #clock: Clock
  readonly #signs: OwnerSigns
  readonly #setPaused: (paused: boolean) => void
  #touched: Disposable | undefined
  /** The end of the minute after the newest sign. */
  #untilMs = Number.NEGATIVE_INFINITY
  #looking: Disposable | undefined
  #isDisplayOpen = false
  /** Held still for pressure, since when; `totalMs` as it was then. */
  #pressed: { readonly atMs: number; readonly totalMs: number } | undefined
  #askAgainMs = Number.NEGATIVE_INFINITY
  #isPaused = false

  constructor(clock: Clock, signs: OwnerSigns, setPaused: (paused: boolean) => void) {
    this.#clock = clock
    this.#signs = signs
    this.#setPaused = setPaused
  }

  /** A display or terminal of this machine had input, so long ago. */
  touch(agoMs = 0): void {
    const untilMs = this.#clock.monotonicMs() + OWNER_THERE_MS - agoMs
    if (this.#touched && untilMs <= this.#untilMs) return // a newer sign was seen before
    this.#untilMs = untilMs
    this.#touched?.dispose()
    this.#touched = this.#clock.after(OWNER_THERE_MS - agoMs, () => {
      this.#touched = undefined
      this.#settle()
    })
    this.#settle()
  }

  /** Whether a display of this device is unlocked. */
  setDisplayOpen(isOpen: boolean): void {
    this.#isDisplayOpen = isOpen
  }

  /** Whether anything runs here for others. */
  setBusy(isBusy: boolean): void {
    if (isBusy === (this.#looking !== undefined)) return
    this.#looking?.dispose()
    this.#looking = isBusy ? this.#clock.every(OWNER_LOOK_MS, () => this.look()) : undefined
    if (isBusy) return this.look()
    this.#pressed = undefined
    this.#settle()
  }

  look(): void {
    const lastInputMs = this.#signs.lastInputMs()
    if (lastInputMs !== undefined && lastInputMs < OWNER_THERE_MS) this.touch(lastInputMs)
    this.#lookAtPressure()
    this.#settle()
  }

  dispose(): void {
    this.#touched?.dispose()
    this.#looking?.dispose()
  }

  #lookAtPressure(): void {
    const pressure = this.#isDisplayOpen ? this.#signs.pressure() : undefined
    const nowMs = this.#clock.monotonicMs()
    if (!pressure) {
      this.#pressed = undefined
      return
    }
    const { totalMs } = pressure
    if (!this.#pressed) {
      if (!this.#touched && nowMs >= this.#askAgainMs && pressure.lastTenSeconds > PRESSURE_LIMIT) this.#pressed = { atMs: nowMs, totalMs }
      return
    }
    const passedMs = nowMs - this.#pressed.atMs
    if (passedMs < PRESSURE_PAUSE_MS) return
    const isOthers = totalMs - this.#pressed.totalMs > PRESSURE_LIMIT * passedMs
    // Others still wait: looked at anew from now on. Else it went away with the jobs, and was theirs.
    this.#pressed = isOthers ? { atMs: nowMs, totalMs } : undefined
    if (!isOthers) this.#askAgainMs = nowMs + OWN_PRESSURE_MS
  }

  #settle(): void {
    const isPaused = this.#touched !== undefined || this.#pressed !== undefined
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    this.#setPaused(isPaused)
  }
}
