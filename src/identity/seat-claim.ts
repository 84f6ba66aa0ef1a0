import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { fromBase58, toBase58 } from '../base/base58.ts'
import { concatBytes, toHex, utf8 } from '../base/bytes.ts'
import type { DeviceId, DisplayId } from '../base/ids.ts'
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto } from './crypto.ts'
import type { DeviceSigner } from './device-keys.ts'
import { hasControlCharacter, MAX_NAME_LENGTH } from './device-statement.ts'
import { IdentityError } from './identity-error.ts'

/** *move*: every other display of this person locks. *beside*: another screen of the same desk; nothing locks. */
export type SeatHow = 'move' | 'beside'

/** "The person is at this display now", signed by the device that the display belongs to. */
export interface SeatClaim {
  readonly display: DisplayId
  readonly displayName: string
  readonly device: DeviceId
  /** Highest seen + 1. */
  readonly counter: number
  readonly how: SeatHow
  /** The claiming device's clock; shown ("at 14:02"), never used to decide. */
  readonly atMs: number
  /** Hex SHA-256 of the signed bytes: names the claim and breaks ties. */
  readonly id: string
  readonly bytes: Uint8Array
}

const HOWS = ['move', 'beside'] as const
const DISPLAY_BYTES = 16
const MAX_CLAIM_BYTES = 1024
/** A person unlocks a few times an hour: 2^40 is never reached honestly and leaves room to count on. */
const MAX_COUNTER = 2 ** 40
const SIGNED_PREFIX = utf8('elsewhere/seat-claim/1\0')

export function signSeatClaim(
  crypto: Crypto,
  said: { display: DisplayId; displayName: string; counter: number; how: SeatHow; atMs: number },
  signer: DeviceSigner,
): SeatClaim {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, HOWS.indexOf(said.how))
  encoding.writeUint8Array(encoder, fromBase58(signer.device))
  encoding.writeVarUint8Array(encoder, fromBase58(said.display))
  encoding.writeVarString(encoder, said.displayName.slice(0, MAX_NAME_LENGTH))
  encoding.writeVarUint(encoder, said.counter)
  encoding.writeVarUint(encoder, Math.max(0, Math.floor(said.atMs)))
  const body = encoding.toUint8Array(encoder)
  return decodeSeatClaim(crypto, concatBytes(signer.sign(concatBytes(SIGNED_PREFIX, body)), body))
}

/** Reads a claim and checks its signature; whether the device is a member is for `SeatClaims`. @throws IdentityError `seat/malformed` */
export function decodeSeatClaim(crypto: Crypto, bytes: Uint8Array): SeatClaim {
  if (bytes.length > MAX_CLAIM_BYTES || bytes.length <= SIGNATURE_BYTES) throw malformedClaim('wrong size')
  const body = bytes.subarray(SIGNATURE_BYTES)
  try {
    const decoder = decoding.createDecoder(body)
    const how = HOWS[decoding.readUint8(decoder)]
    const publicKey = decoding.readUint8Array(decoder, KEY_BYTES)
    const display = decoding.readVarUint8Array(decoder)
    const displayName = decoding.readVarString(decoder)
    const counter = decoding.readVarUint(decoder)
    const atMs = decoding.readVarUint(decoder)
    if (!how || display.length !== DISPLAY_BYTES || counter > MAX_COUNTER || decoding.hasContent(decoder))
      throw malformedClaim('out of range')
    if (displayName.length < 1 || displayName.length > MAX_NAME_LENGTH || hasControlCharacter(displayName)) throw malformedClaim('bad name')
    const signed = concatBytes(SIGNED_PREFIX, body)
    if (!crypto.verify(publicKey, signed, bytes.subarray(0, SIGNATURE_BYTES))) throw malformedClaim('its signature does not fit')
    return {
      display: toBase58(display) as DisplayId,
      displayName,
      device: toBase58(publicKey) as DeviceId,
      counter,
      how,
      atMs,
      id: toHex(crypto.sha256(signed)),
      bytes: bytes.slice(),
    }
  } catch (cause) {
    throw cause instanceof IdentityError ? cause : malformedClaim('it ends early', cause)
  }
}

/** Highest counter, then highest hash: the same answer on every device, whatever it heard first (rule ID35). */
export function isHigherClaim(claim: SeatClaim, other: SeatClaim | undefined): boolean {
  if (!other) return true
  return claim.counter !== other.counter ? claim.counter > other.counter : claim.id > other.id
}

export const malformedClaim = (why: string, cause?: unknown) =>
  new IdentityError('seat/malformed', `a seat claim cannot be used (${why}); the seat stays where it is`, { cause })
