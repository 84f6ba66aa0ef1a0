import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { fromBase58, toBase58 } from '../base/base58.ts'
import { concatBytes, toHex, utf8 } from '../base/bytes.ts'
import type { DeviceId, PersonId } from '../base/ids.ts'
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto } from './crypto.ts'
import { IdentityError } from './identity-error.ts'

/** Longest name of a device, in characters; the same cap as in the contracts. */
export const MAX_NAME_LENGTH = 80
/** A statement is under 500 bytes; more is not ours. */
export const MAX_STATEMENT_BYTES = 1024
const SIGNED_PREFIX = utf8('elsewhere/device-statement/1\0')

/** What is said of `device`. `round` counts its admissions, so that a removed device can be added again. */
export type DeviceClaim =
  | { readonly kind: 'add'; readonly boxKey: Uint8Array; readonly name: string; readonly platform: string; readonly round: number }
  | { readonly kind: 'rename'; readonly name: string; readonly counter: number }
  | { readonly kind: 'remove'; readonly round: number }

/** One signed line of the device list. `by` is a device, or the person's root key. */
export interface DeviceStatement {
  readonly claim: DeviceClaim
  readonly device: DeviceId
  readonly by: DeviceId | PersonId
  /** Clock of the signer; shown, never used to decide. */
  readonly atMs: number
  /** Hex SHA-256 of the signed bytes: names the statement and breaks ties. */
  readonly id: string
  readonly bytes: Uint8Array
}

const KINDS = ['add', 'rename', 'remove'] as const

/** Signs what `by` says. */
export function signStatement(
  crypto: Crypto,
  said: { claim: DeviceClaim; device: DeviceId; by: DeviceId | PersonId; atMs: number },
  sign: (message: Uint8Array) => Uint8Array,
): DeviceStatement {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, KINDS.indexOf(said.claim.kind))
  encoding.writeUint8Array(encoder, fromBase58(said.device))
  encoding.writeUint8Array(encoder, fromBase58(said.by))
  encoding.writeVarUint(encoder, Math.max(0, Math.floor(said.atMs)))
  const { claim } = said
  if (claim.kind === 'add') {
    encoding.writeUint8Array(encoder, claim.boxKey)
    encoding.writeVarString(encoder, claim.name.slice(0, MAX_NAME_LENGTH))
    encoding.writeVarString(encoder, claim.platform.slice(0, MAX_NAME_LENGTH))
    encoding.writeVarUint(encoder, claim.round)
  } else if (claim.kind === 'rename') {
    encoding.writeVarString(encoder, claim.name.slice(0, MAX_NAME_LENGTH))
    encoding.writeVarUint(encoder, claim.counter)
  } else encoding.writeVarUint(encoder, claim.round)
  const body = encoding.toUint8Array(encoder)
  return decodeStatement(crypto, concatBytes(sign(concatBytes(SIGNED_PREFIX, body)), body))
}

/**
 * Reads one statement and checks its signature; whether its signer may say so is the list's matter.
 * @throws IdentityError `devices/malformed`
 */
export function decodeStatement(crypto: Crypto, bytes: Uint8Array): DeviceStatement {
  if (bytes.length > MAX_STATEMENT_BYTES || bytes.length < SIGNATURE_BYTES + 1) throw malformed('wrong size')
  const body = bytes.subarray(SIGNATURE_BYTES)
  let said: Omit<DeviceStatement, 'id' | 'bytes'>
  let by: Uint8Array
  try {
    const decoder = decoding.createDecoder(body)
    const kind = KINDS[decoding.readUint8(decoder)]
    const device = toBase58(decoding.readUint8Array(decoder, KEY_BYTES)) as DeviceId
    by = decoding.readUint8Array(decoder, KEY_BYTES)
    const atMs = decoding.readVarUint(decoder)
    said = { claim: readClaim(decoder, kind), device, by: toBase58(by) as DeviceId, atMs }
    if (decoding.hasContent(decoder)) throw malformed('bytes left over')
  } catch (cause) {
    throw cause instanceof IdentityError ? cause : malformed('it ends early', cause)
  }
  const signed = concatBytes(SIGNED_PREFIX, body)
  if (!crypto.verify(by, signed, bytes.subarray(0, SIGNATURE_BYTES))) throw malformed('its signature does not fit')
  return { ...said, id: toHex(crypto.sha256(signed)), bytes }
}

function readClaim(decoder: decoding.Decoder, kind: DeviceClaim['kind'] | undefined): DeviceClaim {
  switch (kind) {
    case 'add': {
      const boxKey = decoding.readUint8Array(decoder, KEY_BYTES).slice()
      return { kind, boxKey, name: readName(decoder), platform: readName(decoder), round: readCount(decoder) }
    }
    case 'rename':
      return { kind, name: readName(decoder), counter: readCount(decoder) }
    case 'remove':
      return { kind, round: readCount(decoder) }
    default:
      throw malformed('of a kind this version does not know')
  }
}

function readName(decoder: decoding.Decoder): string {
  const name = decoding.readVarString(decoder)
  if (name.length < 1 || name.length > MAX_NAME_LENGTH || hasControlCharacter(name))
    throw malformed('a name is too long, empty or not text')
  return name
}

/** A count that can still be raised: 2^32 lies far beyond any honest one. */
function readCount(decoder: decoding.Decoder): number {
  const count = decoding.readVarUint(decoder)
  if (count > 0xffff_ffff) throw malformed('a count is out of range')
  return count
}

/** Control and bidirectional override characters can make one name look like another. */
export function hasControlCharacter(name: string): boolean {
  return /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u.test(name)
}

const malformed = (why: string, cause?: unknown) =>
  new IdentityError('devices/malformed', `a line of the device list cannot be used (${why}); it is refused and nothing changes`, { cause })
