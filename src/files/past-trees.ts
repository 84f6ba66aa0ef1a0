import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { PastTree } from './past-tree.ts'

/** Trees of the past that are kept, and how long: who looks around in one asks again and again. */
const KEPT = 2
const KEPT_MS = 10 * 60_000

export interface PastTreesParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly clock: Clock
  readonly crypto: FilesCrypto
}

/** A dataset as it was at the moments that somebody looks at (rule FT12). Each is made once and forgotten after a while. */
export class PastTrees implements Disposable {
  readonly #parts: PastTreesParts
  readonly #trees = new Map<number, Promise<PastTree>>()
  readonly #owned = new DisposableStore()

  constructor(parts: PastTreesParts) {
    this.#parts = parts
  }

  /** The tree as it was at `atMs`, by the clocks of those who wrote. @throws StoreError, ContentError */
  at(atMs: number): Promise<PastTree> {
    const known = this.#trees.get(atMs)
    if (known) return known
    const { dataset, store, clock, crypto } = this.#parts
    const pause = () => new Promise<void>((resolve) => clock.after(1, resolve))
    const made = PastTree.of(dataset, store, { atMs, clock, crypto, pause })
    this.#trees.set(atMs, made)
    if (this.#trees.size > KEPT) this.#trees.delete(this.#trees.keys().next().value as number)
    const forget = () => this.#trees.get(atMs) === made && this.#trees.delete(atMs)
    made.catch(forget)
    const timer = this.#owned.add(
      clock.after(KEPT_MS, () => {
        forget()
        this.#owned.release(timer)
      }),
    )
    return made
  }

  /** What another device wrote may be of before, and come late. */
  clear(): void {
    this.#trees.clear()
  }

  dispose(): void {
    this.#owned.dispose()
  }
}
