import type { Disposable } from '../base/disposable.ts'
import { SeededRandom } from './seeded-random.ts'

/** What a path does to packets. May be changed at any time; counts for what is sent from then on. */
export interface PathConditions {
  /** One way, ms. */
  delayMs: number
  /** Up to this much more, ms. Order is kept, as on most paths. */
  jitterMs: number
  /** 0 to 1, of packets. Streams are not lost, only delayed. */
  loss: number
  isCut: boolean
  /** What the path carries; 0: without limit. What is too much waits in its one queue, as in a home router. */
  bytesPerMs: number
  readonly seed: number
}

export const goodPath = (seed = 1): PathConditions => ({ delayMs: 0, jitterMs: 0, loss: 0, isCut: false, bytesPerMs: 0, seed })

/** The router's queue: what finds it full is lost (streams excepted). */
const QUEUE_MS = 2_000

/** Lets things out in order, each after its delay. One timer, whatever the number of packets. */
export class DelayLine implements Disposable {
  readonly #conditions: PathConditions
  readonly #random: SeededRandom
  readonly #waiting: { readonly dueMs: number; readonly arrive: () => void }[] = []
  #timer: NodeJS.Timeout | undefined
  #isOver = false
  /** When the path has carried what was given to it so far. */
  #freeMs = 0

  constructor(conditions: PathConditions) {
    this.#conditions = conditions
    this.#random = new SeededRandom(conditions.seed)
  }

  /** @returns false  lost */
  carry(bytes: number, arrive: () => void, mayLose = true): boolean {
    const { delayMs, jitterMs, loss, isCut } = this.#conditions
    if (this.#isOver || (mayLose && (isCut || this.#random.chance(loss)))) return false
    const waitMs = this.#queue(bytes, mayLose)
    if (waitMs === undefined) return false
    const dueMs = Math.max(performance.now() + waitMs + delayMs + this.#random.next() * jitterMs, this.#waiting.at(-1)?.dueMs ?? 0)
    this.#waiting.push({ dueMs, arrive })
    this.#plan()
    return true
  }

  /** @returns how long these bytes take to leave; undefined: no room */
  #queue(bytes: number, mayLose: boolean): number | undefined {
    const { bytesPerMs } = this.#conditions
    if (bytesPerMs <= 0) return 0
    const now = performance.now()
    if (mayLose && this.#freeMs - now > QUEUE_MS) return undefined
    this.#freeMs = Math.max(now, this.#freeMs) + bytes / bytesPerMs
    return this.#freeMs - now
  }

  #plan(): void {
    const next = this.#waiting[0]
    if (this.#timer !== undefined || next === undefined) return
    this.#timer = setTimeout(() => this.#release(), Math.max(0, next.dueMs - performance.now()))
  }

  #release(): void {
    this.#timer = undefined
    const now = performance.now() + 0.5 // timers have a grain of a millisecond
    let count = 0
    while (count < this.#waiting.length && (this.#waiting[count]?.dueMs ?? Number.POSITIVE_INFINITY) <= now) count++
    for (const { arrive } of this.#waiting.splice(0, count)) arrive()
    this.#plan()
  }

  dispose(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }
}
