import { fromBase58 } from '../../base/base58.ts'
import { toHex } from '../../base/bytes.ts'
import type { PersonId, DatasetId } from '../../base/ids.ts'
import { KEY_BYTES } from '../crypto.ts'
import { IdentityError } from '../identity-error.ts'
import { malformedOperation } from './authority-error.ts'

/**
 * What runs, named by what it is: `sha256:` and 64 hex digits of its bytes or tree, `pub:` and the base58 Ed25519 key
 * that signs its releases, or `image:sha256:` and 64 hex digits of a container image, which no grant names. Computed by the device that starts it, never by the program (rule ID51).
 */
export type ProgramId = string & { readonly __brand: 'ProgramId' }

const DATASET_BYTES = 16

/** @throws IdentityError `authority/malformed` */
export function parseProgramId(text: string): ProgramId {
  if (/^(image:)?sha256:[0-9a-f]{64}$/.test(text)) return text as ProgramId
  if (text.startsWith('pub:') && isKey(text.slice(4), KEY_BYTES)) return text as ProgramId
  throw malformedOperation('a program is "sha256:" and 64 hex digits (of an image behind "image:"), or "pub:" and a base58 key')
}

export const isImage = (program: ProgramId): boolean => program.startsWith('image:')

/**
 * A program that a grant can name: containers run outside of the sandbox, so that a grant to an image would never count (rule ID166).
 *
 * @throws IdentityError `grant/image`, `authority/malformed`
 */
export function parseGrantedProgram(text: string): ProgramId {
  const program = parseProgramId(text)
  if (!isImage(program)) return program
  throw new IdentityError(
    'grant/image',
    `${text.slice(0, 25)}… is a container image: containers run outside of the sandbox, so a grant to one would count nowhere and is not written; name a program that runs in the sandbox instead ("elsewhere program id NAME")`,
  )
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
