/** What is found by one and taken by another, who is at most `limit` behind. */
export class Lead<T> {
  readonly #limit: number
  readonly #signal: AbortSignal
  readonly #waiting: T[] = []
  #taken = 0
  #isEnded = false
  #wake: (() => void) | undefined

  /** @param signal  ends both: they throw its reason */
  constructor(limit: number, signal: AbortSignal) {
    this.#limit = limit
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake?.(), { once: true })
  }

  async put(one: T): Promise<void> {
    this.#waiting.push(one)
    this.#wake?.()
    while (this.#waiting.length - this.#taken > this.#limit) await this.#change()
  }

  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  /** Undefined: there are no more. */
  async next(): Promise<T | undefined> {
    while (this.#taken === this.#waiting.length && !this.#isEnded) await this.#change()
    if (this.#taken === this.#waiting.length) return undefined
    const one = this.#waiting[this.#taken++]
    // Not at each: what is moved up is the rest.
    if (this.#taken >= 1_000) {
      this.#waiting.splice(0, this.#taken)
      this.#taken = 0
    }
    this.#wake?.()
    return one
  }

  /** One waits for the other, never both. */
  async #change(): Promise<void> {
    this.#signal.throwIfAborted()
    await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#wake = undefined
    this.#signal.throwIfAborted()
  }
}
