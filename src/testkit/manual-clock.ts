import type { Clock } from '../base/clock.ts'
import { type Disposable, toDisposable } from '../base/disposable.ts'

interface Timer {
  dueMs: number
  readonly periodMs: number | undefined
  readonly callback: () => void
}

/** A clock that only moves when told (R23). */
export class ManualClock implements Clock {
  #nowMs: number
  #sleptMs = 0
  readonly #timers = new Set<Timer>()

  constructor(startMs = 1_000_000) {
    this.#nowMs = startMs
  }

  /** Timers that wait: nothing should when all is idle. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  nowMs(): number {
    return this.#nowMs + this.#sleptMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): Disposable {
    return this.#add({ dueMs: this.#nowMs + delayMs, periodMs: undefined, callback })
  }

  every(periodMs: number, callback: () => void): Disposable {
    return this.#add({ dueMs: this.#nowMs + periodMs, periodMs, callback })
  }

  /** The machine sleeps: the wall clock goes on, the monotonic one stands still, no timer is called. Negative: it is set back. */
  sleepThrough(ms: number): void {
    this.#sleptMs += ms
  }

  /** Moves on and calls what falls due, in order. */
  advance(byMs: number): void {
    const end = this.#nowMs + byMs
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      if (next.periodMs === undefined) this.#timers.delete(next)
      else next.dueMs += next.periodMs
      next.callback()
    }
    this.#nowMs = end
  }

  /** The machine sleeps: time passes and nothing is called. What fell due meanwhile is called late, once, by the next advance. */
  sleep(byMs: number): void {
    this.#nowMs += byMs
  }

  #add(timer: Timer): Disposable {
    this.#timers.add(timer)
    return toDisposable(() => this.#timers.delete(timer))
  }

  #next(endMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) if (timer.dueMs <= endMs && (!first || timer.dueMs < first.dueMs)) first = timer
    return first
  }
}
