import * as encoding from 'lib0/encoding'
import { fromBase58 } from '../../base/base58.ts'
import { concatBytes, equalBytes, fromHex, toHex, utf8 } from '../../base/bytes.ts'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto } from '../crypto.ts'
import { malformedOperation, newerOperation } from './authority-error.ts'
import { ByteReader } from './byte-reader.ts'
import { readBody, writeBody } from './body-codec.ts'
import type { Operation, OperationBody, OperationId, OperationSigner, SignerId } from './operation.ts'

export const OPERATION_VERSION = 1
export const HASH_BYTES = 32
/** A rotation for 128 devices is the largest: 18 kB. */
export const MAX_OPERATION_BYTES = 32 * 1024
/** Heads one operation joins; who knows more joins the rest with its next. */
export const MAX_PREVS = 64
/** 2^48 ms is the year 10889, 2^40 operations are never reached honestly. */
const MAX_TIME_MS = 2 ** 48
const MAX_SEQ = 2 ** 40
/** Separates these signatures and hashes from every other kind of this project. */
const PREFIX = utf8('elsewhere/authority-op/1\0')

export type UnsignedOperation = Pick<Operation, 'by' | 'seq' | 'atMs' | 'prevs' | 'body'>

/** The one first line that a log can have: constant for a person, so that nobody can start it twice (rule ID52). */
export const genesisOf = (person: PersonId): UnsignedOperation => ({ by: person, seq: 0, atMs: 0, prevs: [], body: { kind: 'genesis' } })

export function genesisIdOf(hash: Pick<Crypto, 'sha256'>, person: PersonId): OperationId {
  return idOf(hash, encodeUnsigned(genesisOf(person)))
}

/** Canonical: the same operation has one encoding. `prevs` and abilities are sorted here; the caller keeps to the caps. */
export function encodeUnsigned(said: UnsignedOperation): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, OPERATION_VERSION)
  encoding.writeUint8Array(encoder, fromBase58(said.by))
  encoding.writeVarUint(encoder, said.seq)
  encoding.writeVarUint(encoder, Math.max(0, Math.floor(said.atMs)))
  encoding.writeVarUint(encoder, said.prevs.length)
  for (const prev of [...said.prevs].sort()) encoding.writeUint8Array(encoder, fromHex(prev))
  writeBody(encoder, said.body)
  return encoding.toUint8Array(encoder)
}

/** @throws IdentityError `authority/malformed` (beyond the caps), `identity/key-wiped` */
export function signOperation(crypto: Pick<Crypto, 'sha256'>, said: Omit<UnsignedOperation, 'by'>, signer: OperationSigner): Operation {
  const signed = encodeUnsigned({ ...said, by: signer.by })
  return parse(crypto, concatBytes(signed, signer.sign(concatBytes(PREFIX, signed))))
}

/**
 * Reads one operation and checks its form, its canonical encoding and its signature; whether its signer may say so is the
 * fold's matter (rule ID53).
 *
 * @throws IdentityError `authority/malformed`, `authority/version`
 */
export function decodeOperation(crypto: Pick<Crypto, 'sha256' | 'verify'>, bytes: Uint8Array): Operation {
  const operation = parse(crypto, bytes)
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES)
  const signature = bytes.subarray(bytes.length - SIGNATURE_BYTES)
  if (!crypto.verify(fromBase58(operation.by), concatBytes(PREFIX, signed), signature)) {
    throw malformedOperation('its signature does not fit')
  }
  return operation
}

/** As `decodeOperation`, without the signature: for what this device itself sealed on its disk after checking it. */
export function parse(hash: Pick<Crypto, 'sha256'>, bytes: Uint8Array): Operation {
  if (bytes.length > MAX_OPERATION_BYTES || bytes.length <= SIGNATURE_BYTES) throw malformedOperation('wrong size')
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES)
  const reader = new ByteReader(signed)
  const version = reader.u8()
  if (version !== OPERATION_VERSION) throw newerOperation(version)
  const said = {
    by: reader.base58(KEY_BYTES) as SignerId,
    seq: reader.uint(MAX_SEQ),
    atMs: reader.uint(MAX_TIME_MS),
    prevs: reader.list(MAX_PREVS, () => reader.hex(HASH_BYTES) as OperationId),
    body: readBody(reader),
  }
  reader.end()
  if ((said.body.kind === 'genesis') !== (said.prevs.length === 0)) throw malformedOperation('only the first line has nothing before it')
  if (said.body.kind === 'genesis' && (said.seq !== 0 || said.atMs !== 0)) throw malformedOperation('the first line is always the same')
  if (new Set(said.prevs).size !== said.prevs.length || !equalBytes(encodeUnsigned(said), signed)) {
    throw malformedOperation('it is not written the one way it must be')
  }
  return { ...said, id: idOf(hash, signed), bytes: new Uint8Array(bytes) }
}

/** The signer of a device. */
export const deviceOperationSigner = (signer: { readonly device: DeviceId; sign(message: Uint8Array): Uint8Array }): OperationSigner => ({
  by: signer.device,
  sign: (message) => signer.sign(message),
})

const idOf = (hash: Pick<Crypto, 'sha256'>, signed: Uint8Array): OperationId =>
  toHex(hash.sha256(concatBytes(PREFIX, signed))) as OperationId

export type { OperationBody }
