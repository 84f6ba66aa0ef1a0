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
  /** Another list after each change: who is told goes on with the one it began. */
  #listeners: readonly { readonly call: (value: T) => void }[] = []
  readonly #onListenerError: (error: unknown) => void

  constructor(onListenerError: (error: unknown) => void = rethrowLater) {
    this.#onListenerError = onListenerError
  }

  readonly event: Event<T> = (listener) => {
    const entry = { call: listener }
    this.#listeners = [...this.#listeners, entry]
    return toDisposable(() => void (this.#listeners = this.#listeners.filter((other) => other !== entry)))
  }

  get hasListeners(): boolean {
    return this.#listeners.length > 0
  }

  fire(value: T): void {
    for (const entry of this.#listeners) {
      try {
        entry.call(value)
      } catch (error) {
        this.#onListenerError(error)
      }
    }
  }

  dispose(): void {
    this.#listeners = []
  }
}

function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
