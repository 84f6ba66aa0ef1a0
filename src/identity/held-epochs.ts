import type { KeyValueStore } from '../base/key-value-store.ts'
import type { DatasetId } from '../base/ids.ts'
import { KEY_BYTES, type Crypto, type Secret } from './crypto.ts'
import { keyNameOf, type KeyName } from './dataset-keys.ts'

const SPACE = 'dataset-epochs'

/** The root key of one epoch of one dataset, as it goes from device to device: sealed. */
export interface EpochRoot {
  readonly dataset: DatasetId
  readonly epoch: number
  readonly root: Uint8Array
}

/**
 * The keys of datasets other than the workspace that this device holds. Most come out of the authority log at each start;
 * those that a linked device shared lie in the store, which seals them. Owns its keys.
 */
export class HeldEpochs {
  readonly #crypto: Crypto
  readonly #store: KeyValueStore
  readonly #held = new Map<DatasetId, Map<KeyName, { readonly epoch: number; readonly root: Secret }>>()

  constructor(crypto: Crypto, store: KeyValueStore) {
    this.#crypto = crypto
    this.#store = store
  }

  /** What was shared for a dataset at an earlier start; once per dataset. */
  load(dataset: DatasetId): void {
    if (this.#held.has(dataset)) return
    this.#held.set(dataset, new Map())
    const kept = this.#store.get(SPACE, dataset)
    if (!kept) return
    for (let offset = 0; offset + 4 + KEY_BYTES <= kept.length; offset += 4 + KEY_BYTES) {
      const epoch = new DataView(kept.buffer, kept.byteOffset + offset, 4).getUint32(0)
      this.take({ dataset, epoch, root: kept.slice(offset + 4, offset + 4 + KEY_BYTES) }, false)
    }
    this.#crypto.wipe(kept)
  }

  has(dataset: DatasetId, name: KeyName): boolean {
    return this.#held.get(dataset)?.has(name) === true
  }

  /** Takes over and wipes `root`. `keep`: no operation of the log would bring it again. @throws StoreError  it is held, but not kept */
  take({ dataset, epoch, root }: EpochRoot, keep: boolean): KeyName {
    this.load(dataset)
    const held = this.#held.get(dataset) as Map<KeyName, { epoch: number; root: Secret }>
    const name = keyNameOf(this.#crypto, root)
    const secret = this.#crypto.secret(root)
    if (held.has(name)) secret.dispose()
    else {
      held.set(name, { epoch, root: secret })
      if (keep) this.#keep(dataset)
    }
    return name
  }

  of(dataset: DatasetId): readonly { readonly name: KeyName; readonly epoch: number; readonly root: Uint8Array }[] {
    this.load(dataset)
    const held = this.#held.get(dataset) as Map<KeyName, { epoch: number; root: Secret }>
    return [...held].map(([name, { epoch, root }]) => ({ name, epoch, root: root.bytes }))
  }

  dispose(): void {
    for (const held of this.#held.values()) for (const { root } of held.values()) root.dispose()
    this.#held.clear()
  }

  #keep(dataset: DatasetId): void {
    const entries = this.of(dataset)
    const bytes = new Uint8Array(entries.length * (4 + KEY_BYTES))
    for (const [i, { epoch, root }] of entries.entries()) {
      new DataView(bytes.buffer).setUint32(i * (4 + KEY_BYTES), epoch)
      bytes.set(root, i * (4 + KEY_BYTES) + 4)
    }
    try {
      this.#store.put(SPACE, dataset, bytes)
    } finally {
      this.#crypto.wipe(bytes)
    }
  }
}
