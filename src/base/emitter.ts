import { type Disposable, toDisposable } from './disposable.ts'

/** Subscribes to a fact; dispose what it returns to stop. Named `onDidX` or `onWillX` where it is exposed (R11). */
export type Event<T> = (listener: (value: T) => void) => Disposable

/**
 * Fires one event to its listeners, in order of subscription.
 *
 * A listener that throws does not keep the others from hearing: the error goes to `onListenerError`
 * (by default it is thrown from a microtask, where the process's own handler sees it).
 */
export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<{ readonly call: (value: T) => void }>()
  readonly #onListenerError: (error: unknown) => void

  constructor(onListenerError: (error: unknown) => void = rethrowLater) {
    this.#onListenerError = onListenerError
  }

  readonly event: Event<T> = (listener) => {
    const entry = { call: listener }
    this.#listeners.add(entry)
    return toDisposable(() => this.#listeners.delete(entry))
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0
  }

  fire(value: T): void {
    for (const entry of [...this.#listeners]) {
      try {
        entry.call(value)
      } catch (error) {
        this.#onListenerError(error)
      }
    }
  }

  dispose(): void {
    this.#listeners.clear()
  }
}

function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
