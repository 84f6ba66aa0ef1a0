import * as encoding from 'lib0/encoding'
import { fromBase58 } from '../../base/base58.ts'
import type { PersonId } from '../../base/ids.ts'
import { KEY_BYTES, type Crypto } from '../crypto.ts'
import { IdentityError } from '../identity-error.ts'
import { emptyState, type AuthorityState } from './authority-state.ts'
import { ByteReader } from './byte-reader.ts'
import { foldAuthority } from './fold-authority.ts'
import { decodeOperation, MAX_OPERATION_BYTES } from './operation-codec.ts'

/** First byte; 1 is the device list before it. */
export const OPERATION_LIST_FORMAT = 2
/** What a joining device is given at once: some thousand operations. It fits one pairing message. */
export const MAX_OPERATION_LIST_BYTES = 768 * 1024

/** A whole log of `person` in one piece: for a device that joins, and the copy beside the vault. @throws IdentityError `devices/too-many` */
export function encodeOperationList(person: PersonId, operations: readonly { readonly bytes: Uint8Array }[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, OPERATION_LIST_FORMAT)
  encoding.writeUint8Array(encoder, fromBase58(person))
  encoding.writeVarUint(encoder, operations.length)
  for (const { bytes } of operations) encoding.writeVarUint8Array(encoder, bytes)
  const encoded = encoding.toUint8Array(encoder)
  if (encoded.length <= MAX_OPERATION_LIST_BYTES) return encoded
  throw new IdentityError('devices/too-many', `the authority log has grown to ${encoded.length} bytes, too much to be given in one piece`)
}

/** @throws IdentityError `authority/malformed`, `devices/refused` (another person's) */
export function decodeOperationList(person: PersonId, encoded: Uint8Array): Uint8Array[] {
  const reader = new ByteReader(encoded.subarray(0, MAX_OPERATION_LIST_BYTES))
  reader.u8()
  if (reader.base58(KEY_BYTES) !== String(person)) {
    throw new IdentityError('devices/refused', "this is another person's authority log; it is not taken in")
  }
  const operations = reader.list(MAX_OPERATION_LIST_BYTES, () => reader.bytes(MAX_OPERATION_BYTES))
  reader.end()
  return operations
}

/** What such a list says, every signature checked. @throws IdentityError `authority/malformed`, `authority/version`, `devices/refused` */
export function stateOfList(crypto: Crypto, person: PersonId, encoded: Uint8Array): AuthorityState {
  const operations = decodeOperationList(person, encoded).map((bytes) => decodeOperation(crypto, bytes))
  return operations.length === 0 ? emptyState(person) : foldAuthority(person, operations).state
}
