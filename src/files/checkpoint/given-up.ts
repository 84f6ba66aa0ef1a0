import { fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { DatasetStore, StoreValue } from '../dataset-store.ts'
import type { FilesCrypto } from '../files-crypto.ts'

const SPACE = 'checkpoint-given-up'
/** Not begun with again: for an hour when it could not be had (who has its pages may be back), for a month when it says nonsense (a later version of this program may read it). */
const AWAY_MS = 3_600_000
const BAD_MS = 30 * 86_400_000
/** More are not told apart: linked devices have one each. */
const MAX_KEPT = 64

/** Why a checkpoint was given up: nobody brings its pages, or they say what cannot be. */
export type GivenUpWhy = 'away' | 'bad'

/** Checkpoints that were begun with and given up. */
export class GivenUpCheckpoints {
  readonly #store: DatasetStore
  readonly #crypto: FilesCrypto
  readonly #clock: Clock

  constructor({ store, crypto, clock }: { readonly store: DatasetStore; readonly crypto: FilesCrypto; readonly clock: Clock }) {
    this.#store = store
    this.#crypto = crypto
    this.#clock = clock
  }

  /** May it be begun with? */
  allows(checkpoint: Uint8Array): boolean {
    const value = this.#store.value(SPACE, this.#nameOf(checkpoint))
    return !value || untilOf(value) <= this.#clock.nowMs()
  }

  /** What is to be kept of that it was given up. */
  note(checkpoint: Uint8Array, why: GivenUpWhy): readonly StoreValue[] {
    const kept = this.#store.values(SPACE)
    const old = kept.filter(([, value], n) => kept.length - n >= MAX_KEPT || untilOf(value) <= this.#clock.nowMs())
    const untilMs = this.#clock.nowMs() + (why === 'bad' ? BAD_MS : AWAY_MS)
    return [
      ...old.map(([key]) => ({ space: SPACE, key, value: undefined })),
      { space: SPACE, key: this.#nameOf(checkpoint), value: utf8(JSON.stringify({ v: 1, untilMs })) },
    ]
  }

  #nameOf(checkpoint: Uint8Array): string {
    return toHex(this.#crypto.sha256(checkpoint))
  }
}

const untilOf = (value: Uint8Array): number => (JSON.parse(fromUtf8(value)) as { untilMs: number }).untilMs
