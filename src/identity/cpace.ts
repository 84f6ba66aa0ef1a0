import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { IdentityError } from './identity-error.ts'

/*
 * CPACE-RISTR255-SHA512 of draft-irtf-cfrg-cpace, initiator/responder setting: two sides that share a short secret get a
 * long key, and who does not know the secret gets one guess per run and nothing to try at home. Checked against the
 * draft's vectors (golden/cpace-ristr255-sha512.json).
 *
 * Scalars are BigInts: they cannot be wiped and noble is not hardened against someone measuring this process. Each lives for
 * one pairing, and its secret for one try.
 */

const DSI = utf8('CPaceRistretto255')
const DSI_ISK = utf8('CPaceRistretto255_ISK')
/** Input block of SHA-512, which the generator string fills with zeros so that the secret stands alone in it. */
const HASH_BLOCK_BYTES = 128
export const SHARE_BYTES = 32
const SCALAR_BYTES = 32
/** Scalars are 32 random bytes with the bits from 252 on cleared (draft, `sample_scalar` for ristretto255). */
const TOP_BYTE_MASK = 0x0f

/** One side of a run, between its own share and the other's. */
export interface CpaceRun {
  readonly share: Uint8Array
  readonly scalar: bigint
  readonly sessionId: Uint8Array
}

/** `prepend_len` of the draft: length as LEB128, then the bytes. */
export function withLength(bytes: Uint8Array): Uint8Array {
  const length: number[] = []
  let rest = bytes.length
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return concatBytes(Uint8Array.from(length), bytes)
}

/** `lv_cat` of the draft: each part with its length, so that no two lists of parts look alike. */
export const joinWithLengths = (...parts: readonly Uint8Array[]): Uint8Array => concatBytes(...parts.map(withLength))

/** `generator_string` of the draft. */
export function generatorString(secret: Uint8Array, channelId: Uint8Array, sessionId: Uint8Array): Uint8Array {
  const padding = new Uint8Array(Math.max(0, HASH_BLOCK_BYTES - 1 - withLength(secret).length - withLength(DSI).length))
  return joinWithLengths(DSI, secret, padding, channelId, sessionId)
}

/**
 * Starts a run. `channelId` and `sessionId` must be the same on both sides; `randomBytes` are 32 fresh ones.
 * @throws RangeError  not 32 bytes, or all zero (a broken random source)
 */
export function startCpace(secret: Uint8Array, channelId: Uint8Array, sessionId: Uint8Array, randomBytes: Uint8Array): CpaceRun {
  const generator = ristretto255_hasher.deriveToCurve?.(sha512(generatorString(secret, channelId, sessionId)))
  if (!generator) throw new RangeError('this ristretto255 cannot map bytes to a point')
  const scalar = scalarOf(randomBytes)
  return { share: generator.multiply(scalar).toBytes(), scalar, sessionId }
}

/**
 * The shared key, 64 bytes. The initiator is the side that sent its share first; associated data is what both must agree
 * on besides the secret, each side's own.
 *
 * @throws IdentityError `pake/refused-point`  the other share is no point, or the neutral one: stop, and count it as a wrong guess
 */
export function finishCpace(
  run: CpaceRun,
  side: 'initiator' | 'responder',
  theirShare: Uint8Array,
  associated: { initiator: Uint8Array; responder: Uint8Array },
): Uint8Array {
  const product = multiplyVerified(run.scalar, theirShare)
  const [first, second] = side === 'initiator' ? [run.share, theirShare] : [theirShare, run.share]
  const transcript = joinWithLengths(first, associated.initiator, second, associated.responder)
  const keyInput = concatBytes(joinWithLengths(DSI_ISK, run.sessionId, product), transcript)
  const key = sha512(keyInput)
  keyInput.fill(0)
  product.fill(0)
  return key
}

/** `scalar_mult_vfy` of the draft, refusing instead of returning the neutral element. @throws IdentityError `pake/refused-point` */
export function multiplyVerified(scalar: bigint, share: Uint8Array): Uint8Array {
  const refused = (cause?: unknown) =>
    new IdentityError('pake/refused-point', 'the other side sent a share that no honest device sends; pairing stopped', { cause })
  if (share.length !== SHARE_BYTES) throw refused()
  let point: InstanceType<typeof ristretto255.Point>
  try {
    point = ristretto255.Point.fromBytes(share)
  } catch (cause) {
    throw refused(cause)
  }
  if (point.is0()) throw refused()
  const product = point.multiply(scalar)
  if (product.is0()) throw refused()
  return product.toBytes()
}

/** Little-endian, cut to 252 bits. @throws RangeError */
export function scalarOf(randomBytes: Uint8Array): bigint {
  if (randomBytes.length !== SCALAR_BYTES) throw new RangeError(`a scalar is made of ${SCALAR_BYTES} random bytes`)
  let scalar = 0n
  for (let i = SCALAR_BYTES - 1; i >= 0; i--) {
    const byte = (randomBytes[i] as number) & (i === SCALAR_BYTES - 1 ? TOP_BYTE_MASK : 0xff)
    scalar = (scalar << 8n) | BigInt(byte)
  }
  if (scalar === 0n) throw new RangeError('the random source gave only zeros')
  return scalar
}
