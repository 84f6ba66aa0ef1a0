import { type Disposable, toDisposable } from '../base/disposable.ts'
import type { Manifest } from './manifest.ts'

/** Contents that are in use and that no version may name: what is being written, what is open though it was replaced. */
export class ContentHolds {
  readonly #holds = new Set<() => Iterable<Manifest>>()

  /** `contents` is asked whenever it matters; until disposed. */
  hold(contents: () => Iterable<Manifest>): Disposable {
    this.#holds.add(contents)
    return toDisposable(() => this.#holds.delete(contents))
  }

  *all(): Iterable<Manifest> {
    for (const contents of this.#holds) yield* contents()
  }
}
