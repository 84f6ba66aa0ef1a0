import { fromBase58, toBase58 } from '../../base/base58.ts'
import { concatBytes, toBase64Url, utf8 } from '../../base/bytes.ts'
import type { DatasetId, PersonId } from '../../base/ids.ts'
import type { Crypto } from '../../identity/crypto.ts'
import type { DatasetKeys } from '../../identity/dataset-keys.ts'

/** The dataset every person has: one and the same on all devices, so that two new devices have not two. */
export function homeDatasetOf(crypto: Pick<Crypto, 'sha256'>, person: PersonId): DatasetId {
  const hash = crypto.sha256(concatBytes(utf8('elsewhere/home-dataset/1\0'), fromBase58(person)))
  return toBase58(hash.subarray(0, 16)) as DatasetId
}

/**
 * A dataset's keys, derived from the workspace's: whoever may open the desk may read it, and a removal that gives the desk a new
 * epoch gives it one. In URL-safe base64, the epoch in use last.
 */
export function datasetKeysOf(
  crypto: Pick<Crypto, 'hkdf' | 'wipe'>,
  keys: DatasetKeys,
  dataset: DatasetId,
): { readonly idKey: string; readonly epochs: { epoch: number; key: string }[] } {
  const derive = (root: Uint8Array, use: string) => {
    const secret = crypto.hkdf(root, `elsewhere/${use}/1/${dataset}`, 32)
    const text = toBase64Url(secret.bytes)
    secret.dispose()
    return text
  }
  const epochs: { epoch: number; key: string }[] = []
  let first: { epoch: number; name: string; idKey: string } | undefined
  for (const name of keys.names) {
    const entry = keys.rootOf(name)
    if (!entry) continue
    epochs.push({ epoch: entry.epoch, key: derive(entry.root, 'dataset-epoch') })
    const isFirst = !first || entry.epoch < first.epoch || (entry.epoch === first.epoch && name < first.name)
    if (isFirst) first = { epoch: entry.epoch, name, idKey: derive(entry.root, 'dataset-id') }
    crypto.wipe(entry.root)
  }
  if (!first) throw new RangeError('a workspace has at least one epoch')
  return { idKey: first.idKey, epochs }
}
