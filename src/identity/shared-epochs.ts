import { fromBase58, toBase58 } from '../base/base58.ts'
import { concatBytes } from '../base/bytes.ts'
import type { DatasetId } from '../base/ids.ts'
import { KEY_BYTES } from './crypto.ts'
import type { EpochRoot } from './held-epochs.ts'
import { IdentityError } from './identity-error.ts'

const FORMAT = 1
const DATASET_BYTES = 16
const ENTRY_BYTES = DATASET_BYTES + 4 + KEY_BYTES
/** Keys in one answer: 27 kB, what a control lane carries at once. Who lacks more asks again. */
export const MAX_SHARED_EPOCHS = 512

/** Keys in plain, to be sealed at once to whom they are for; the caller wipes them. */
export function encodeEpochRoots(roots: readonly EpochRoot[]): Uint8Array {
  const entries = roots.map(({ dataset, epoch, root }) => {
    const number = new Uint8Array(4)
    new DataView(number.buffer).setUint32(0, epoch)
    return concatBytes(fromBase58(dataset), number, root)
  })
  return concatBytes(Uint8Array.of(FORMAT), ...entries)
}

/** @throws IdentityError `keys/malformed` */
export function decodeEpochRoots(bytes: Uint8Array): EpochRoot[] {
  const count = (bytes.length - 1) / ENTRY_BYTES
  if (bytes[0] !== FORMAT || !Number.isInteger(count) || count < 1 || count > MAX_SHARED_EPOCHS) {
    throw new IdentityError('keys/malformed', 'keys that a linked device shared cannot be read; they are left out')
  }
  return Array.from({ length: count }, (_, i) => {
    const entry = bytes.subarray(1 + i * ENTRY_BYTES, 1 + (i + 1) * ENTRY_BYTES)
    return {
      dataset: toBase58(entry.subarray(0, DATASET_BYTES)) as DatasetId,
      epoch: new DataView(entry.buffer, entry.byteOffset + DATASET_BYTES, 4).getUint32(0),
      root: entry.slice(DATASET_BYTES + 4),
    }
  })
}
