import { fromBase58, toBase58 } from '../base/base58.ts'
import { concatBytes, utf8 } from '../base/bytes.ts'
import type { DatasetId, PersonId } from '../base/ids.ts'
import type { Crypto } from './crypto.ts'

const DATASET_BYTES = 16

/** The dataset that a person's workspace is: one and the same on every device, so that its epochs stand in the authority log. */
export function workspaceDatasetOf(crypto: Pick<Crypto, 'sha256'>, person: PersonId): DatasetId {
  const hash = crypto.sha256(concatBytes(utf8('elsewhere/workspace-dataset/1\0'), fromBase58(person)))
  return toBase58(hash.subarray(0, DATASET_BYTES)) as DatasetId
}
