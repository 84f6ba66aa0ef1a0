import { utf8 } from '../base/bytes.ts'
import type { DatasetId } from '../base/ids.ts'
import { KEY_BYTES, type Crypto } from './crypto.ts'

/*
 * A rotation carries the key of the epoch before, sealed under the new one: whoever reads now reads then. It also proves a
 * key: one that opens it is the one the rotation made. The first epoch of a dataset carries zeros for that alone.
 */

/** What a rotation of `dataset` to `epoch` says beside its wraps; `before` is the root of the epoch before, if there is one. */
export function sealPrevious(crypto: Crypto, root: Uint8Array, place: EpochPlace, before: Uint8Array | undefined): Uint8Array {
  const key = crypto.hkdf(root, 'elsewhere/epoch-previous/1', KEY_BYTES)
  try {
    return crypto.encrypt(key.bytes, before ?? new Uint8Array(KEY_BYTES), contextOf(place))
  } finally {
    key.dispose()
  }
}

/** The root of the epoch before, zeros for none; undefined: `root` is not this rotation's key. The caller wipes it. */
export function openPrevious(crypto: Crypto, root: Uint8Array, place: EpochPlace, sealed: Uint8Array): Uint8Array | undefined {
  const key = crypto.hkdf(root, 'elsewhere/epoch-previous/1', KEY_BYTES)
  try {
    return crypto.decrypt(key.bytes, sealed, contextOf(place))
  } finally {
    key.dispose()
  }
}

export interface EpochPlace {
  readonly dataset: DatasetId
  readonly epoch: number
}

const contextOf = ({ dataset, epoch }: EpochPlace): Uint8Array => utf8(`elsewhere/epoch-previous/1/${dataset}/${epoch}`)
