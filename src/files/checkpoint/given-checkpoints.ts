import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { Checkpoint } from './checkpoint-codec.ts'
import type { PageKeeper } from './page-keeper.ts'

const GIVEN = 'checkpoint-given'
/** One that was given to a device that starts with it keeps its pages this long: that device may be away in the middle. */
const GIVEN_MS = 30 * 86_400_000
/** More are not kept: each costs the pages that changed since. */
const MAX_GIVEN = 16

/** Which checkpoints other devices may be starting with: their pages stay for a month, whatever is made meanwhile. Owns nothing. */
export class GivenCheckpoints {
  readonly #store: DatasetStore
  readonly #pages: PageKeeper
  readonly #clock: Clock

  constructor({ store, pages, clock }: { readonly store: DatasetStore; readonly pages: PageKeeper; readonly clock: Clock }) {
    this.#store = store
    this.#pages = pages
    this.#clock = clock
  }

  /** This one is given now; `ids`: all its pages. @throws StoreError */
  note({ state, logs }: Checkpoint, bytes: Uint8Array, ids: readonly ChunkId[]): void {
    const name = state ?? logs ?? ''
    this.#store.transaction(() => {
      const given = this.#store.values(GIVEN)
      if (given.length >= MAX_GIVEN && !given.some(([key]) => key === name)) this.#forget(this.#oldest(given))
      const value = { v: 1, atMs: this.#clock.nowMs(), checkpoint: toBase64Url(bytes) }
      this.#store.putValue(GIVEN, name, utf8(JSON.stringify(value)))
    })
    this.#pages.hold(name, ids)
  }

  forgetOld(): void {
    for (const [name, value] of this.#store.values(GIVEN)) if (this.#clock.nowMs() - atMsOf(value) >= GIVEN_MS) this.#forget(name)
  }

  /** After a start: pages of all that count are held again, `idsOf` says which. */
  async holdAll(idsOf: (bytes: Uint8Array) => Promise<readonly ChunkId[]>): Promise<void> {
    this.forgetOld()
    for (const [name, value] of this.#store.values(GIVEN)) {
      const { checkpoint } = JSON.parse(fromUtf8(value)) as { checkpoint: string }
      const ids = await idsOf(fromBase64Url(checkpoint)).catch(() => undefined)
      // Pages of it are gone: nobody can start with it any more, and the others stay.
      if (ids) this.#pages.hold(name, ids)
    }
  }

  #oldest(given: readonly (readonly [name: string, value: Uint8Array])[]): string {
    return given.reduce((oldest, one) => (atMsOf(one[1]) < atMsOf(oldest[1]) ? one : oldest))[0]
  }

  #forget(name: string): void {
    this.#store.putValue(GIVEN, name, undefined)
    this.#pages.hold(name, [])
  }
}

const atMsOf = (value: Uint8Array): number => (JSON.parse(fromUtf8(value)) as { atMs: number }).atMs
