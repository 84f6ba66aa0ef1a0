import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'

export interface BucketPassesParts {
  readonly clock: Clock
  /** @param isFull  with looks through the whole bucket; else only what is new here is sent */
  readonly pass: (isFull: boolean) => Promise<void>
  /** A pass failed: it is made again by itself. Must not reject. */
  readonly failed: (error: unknown) => Promise<void>
}

const [FIRST_RETRY_MS, LAST_RETRY_MS] = [10_000, 10 * 60_000]

/** When passes are made: one at a time, the next after those that wait, and after a failure ever more rarely (rule BK8). */
export class BucketPasses implements Disposable {
  readonly #parts: BucketPassesParts
  #running: Promise<void> | undefined
  #again = false
  #isFull = true
  #timer: Disposable | undefined
  #retryMs = FIRST_RETRY_MS
  #isDisposed = false

  constructor(parts: BucketPassesParts) {
    this.#parts = parts
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** A pass from now on; one that is under way is followed by another. Resolves when it is done; it never rejects. */
  async run(isFull: boolean): Promise<void> {
    this.followBy(isFull)
    this.#running ??= this.#runAll().finally(() => (this.#running = undefined))
    await this.#running
  }

  /** One more after the one that is under way. */
  followBy(isFull: boolean): void {
    this.#isFull ||= isFull
    this.#again = true
  }

  /** Unless one is to come already. */
  runIn(ms: number, isFull = true): void {
    this.#isFull ||= isFull
    if (this.#isDisposed || (this.#timer && ms > 0)) return
    this.#timer?.dispose()
    this.#timer = this.#parts.clock.after(ms, () => {
      this.#timer = undefined
      void this.run(false)
    })
  }

  dispose(): void {
    this.#isDisposed = true
    this.#timer?.dispose()
  }

  async #runAll(): Promise<void> {
    while (this.#again && !this.#isDisposed) {
      const isFull = this.#isFull
      this.#again = this.#isFull = false
      try {
        await this.#parts.pass(isFull)
        this.#retryMs = FIRST_RETRY_MS
      } catch (error) {
        if (this.#isDisposed) return
        await this.#parts.failed(error)
        this.#timer?.dispose() // nothing comes before its time: what is wrong would be sent every few seconds
        this.#timer = undefined
        this.runIn(this.#retryMs)
        this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS)
      }
    }
  }
}
