import { fromBase58 } from '../../base/base58.ts'
import { toHex } from '../../base/bytes.ts'
import type { PersonId, DatasetId } from '../../base/ids.ts'
import { KEY_BYTES } from '../crypto.ts'
import { malformedOperation } from './authority-error.ts'

/**
 * What runs, named by what it is: `sha256:` and 64 hex digits of its bytes, tree or image, or `pub:` and the base58 Ed25519
 * key that signs its releases. Computed by the device that starts it, never by the program (rule ID51).
 */
export type ProgramId = string & { readonly __brand: 'ProgramId' }

const DATASET_BYTES = 16

/** @throws IdentityError `authority/malformed` */
export function parseProgramId(text: string): ProgramId {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text as ProgramId
  if (text.startsWith('pub:') && isKey(text.slice(4), KEY_BYTES)) return text as ProgramId
  throw malformedOperation('a program is "sha256:" and 64 hex digits, or "pub:" and a base58 key')
}

/** The id of exact bytes, from their SHA-256. */
export const programIdOfHash = (sha256: Uint8Array): ProgramId => `sha256:${toHex(sha256)}` as ProgramId

/** @throws IdentityError `authority/malformed` */
export function parsePersonId(text: string): PersonId {
  if (isKey(text, KEY_BYTES)) return text as PersonId
  throw malformedOperation('a person is base58 of 32 bytes')
}

/** @throws IdentityError `authority/malformed` */
export function parseDatasetId(text: string): DatasetId {
  if (isKey(text, DATASET_BYTES)) return text as DatasetId
  throw malformedOperation('a dataset is base58 of 16 bytes')
}

function isKey(text: string, length: number): boolean {
  try {
    return fromBase58(text).length === length
  } catch {
    return false // not base58
  }
}
