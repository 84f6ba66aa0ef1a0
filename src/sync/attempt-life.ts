import { type Disposable, DisposableStore } from '../base/disposable.ts'

/**
 * The life of one try to connect: it ends exactly once, in success, failure or disposal, whatever fires afterwards. Owns what
 * only the try needs; `release` lets go of the connections, which a success hands on.
 */
export class AttemptLife implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #release: () => void
  readonly #onDidFail: (error: unknown) => void
  #isOver = false

  constructor(release: () => void, onDidFail: (error: unknown) => void) {
    this.#release = release
    this.#onDidFail = onDidFail
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Let go at the end, however it comes. */
  own<T extends Disposable>(disposable: T): T {
    return this.#owned.add(disposable)
  }

  /** Does a step of the try; an error ends it. */
  async guard(work: () => void | Promise<void>): Promise<void> {
    if (this.#isOver) return
    try {
      await work()
    } catch (error) {
      this.fail(error)
    }
  }

  /** False: it was over before. */
  succeed(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#owned.dispose()
    return true
  }

  fail(error: unknown): void {
    if (this.#isOver) return
    this.dispose()
    this.#onDidFail(error)
  }

  dispose(): void {
    if (!this.succeed()) return
    this.#release()
  }
}
