/** Something that owns resources. `dispose` releases them at once and is safe to repeat (style guide R18). */
export interface Disposable {
  dispose(): void
}

/** Wraps a release function so that it runs at most once. */
export function toDisposable(release: () => void): Disposable {
  let done = false
  return {
    dispose() {
      if (done) return
      done = true
      release()
    },
  }
}

/**
 * Owns disposables and releases them in reverse order of adding.
 *
 * Adding to a disposed store releases the newcomer at once: work that finishes late cannot leak.
 */
export class DisposableStore implements Disposable {
  readonly #owned = new Set<Disposable>()
  #disposed = false

  get isDisposed(): boolean {
    return this.#disposed
  }

  add<T extends Disposable>(disposable: T): T {
    if (this.#disposed) disposable.dispose()
    else this.#owned.add(disposable)
    return disposable
  }

  /** Shorthand for `add(toDisposable(release))`. */
  defer(release: () => void): Disposable {
    return this.add(toDisposable(release))
  }

  /** Releases one of them early. */
  release(disposable: Disposable): void {
    if (this.#owned.delete(disposable)) disposable.dispose()
  }

  /** Releases all, also when one throws; the first error is rethrown at the end. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    let firstError: unknown
    for (const disposable of [...this.#owned].reverse()) {
      try {
        disposable.dispose()
      } catch (error) {
        firstError ??= error
      }
    }
    this.#owned.clear()
    if (firstError !== undefined) throw firstError
  }
}
