import type { DatasetId } from '../base/ids.ts'

/** The key of one era of a dataset. Whoever holds it reads what was written in it. */
export interface EpochSecret {
  readonly epoch: number
  readonly key: Uint8Array
}

/**
 * The keys of one dataset, as the device process hands them over when it opens. Made by identity, behind this so that files
 * do not know how. The bytes are the source's: not to be kept.
 */
export interface DatasetKeySource {
  readonly dataset: DatasetId
  /** Names chunks; not rotated, so that equal content keeps one name. A revoked reader goes on knowing it (threat model). */
  readonly idKey: Uint8Array
  /** What is written now is sealed under. */
  readonly current: EpochSecret
  /** Two that were made at once have one number. */
  keysOf(epoch: number): readonly EpochSecret[]
}

/** Keys in plain memory, wiped when the device locks. */
export class HeldDatasetKeys implements DatasetKeySource {
  readonly dataset: DatasetId
  readonly idKey: Uint8Array
  #epochs: readonly EpochSecret[]

  /** @param epochs  at least one, the one in use last */
  constructor(dataset: DatasetId, idKey: Uint8Array, epochs: readonly EpochSecret[]) {
    if (epochs.length === 0) throw new RangeError('a dataset has at least one epoch')
    this.dataset = dataset
    this.idKey = idKey
    this.#epochs = epochs
  }

  get current(): EpochSecret {
    return this.#epochs.at(-1) as EpochSecret
  }

  keysOf(epoch: number): readonly EpochSecret[] {
    return this.#epochs.filter((held) => held.epoch === epoch)
  }

  /** A rotation came: what is written from now on is sealed under the last one. */
  replace(epochs: readonly EpochSecret[]): void {
    if (epochs.length > 0) this.#epochs = epochs
  }

  dispose(): void {
    this.idKey.fill(0)
    for (const { key } of this.#epochs) key.fill(0)
  }
}
