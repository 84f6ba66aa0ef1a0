import { concatBytes, fromHex, toHex, utf8 } from '../base/bytes.ts'
import { type DatasetId, type DeviceId, deviceIdOf, publicKeyOf } from '../base/ids.ts'
import { ContentError } from './content-error.ts'
import { MAX_RECEIPT_BYTES } from './file-peer-contract.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { segmentKeyStatement, type SegmentSigner } from './op-segment.ts'

/**
 * A device says in writing that it holds, on its disk, the contents that the ops of one segment name, all but those of `missing`:
 * history had dropped them before they were fetched.
 */
export interface Receipt {
  readonly device: DeviceId
  /** Hash of the segment. */
  readonly segment: string
  /** Numbers of ops in the segment. */
  readonly missing: readonly number[]
}

const HEAD_BYTES = 1 + 32 + 32 + 32 + 64
const SIGNATURE_BYTES = 64
const statement = (dataset: DatasetId, segment: Uint8Array, missing: Uint8Array) =>
  missing.length === 0
    ? concatBytes(utf8(`elsewhere/receipt/1/${dataset}/`), segment)
    : concatBytes(utf8(`elsewhere/receipt/2/${dataset}/`), segment, missing)

/**
 * Version 1: device, hash of the segment, segment key, the device's certificate for it, signature. Version 2, where something is
 * missing: its numbers, two bytes each, rising, before the signature.
 */
export function signReceipt(
  dataset: DatasetId,
  segment: string,
  { device, key, certificate }: SegmentSigner,
  missing: readonly number[] = [],
): Uint8Array {
  const hash = fromHex(segment)
  const numbers = new Uint8Array(2 * missing.length)
  const view = new DataView(numbers.buffer)
  missing.forEach((number, n) => view.setUint16(2 * n, number))
  const version = missing.length === 0 ? 1 : 2
  const signature = key.sign(statement(dataset, hash, numbers))
  return concatBytes(Uint8Array.of(version), publicKeyOf(device), hash, key.publicKey, certificate, numbers, signature)
}

/** @throws ContentError `segment/malformed`, `segment/refused` */
export function openReceipt(crypto: FilesCrypto, dataset: DatasetId, bytes: Uint8Array): Receipt {
  const more = bytes.length - HEAD_BYTES - SIGNATURE_BYTES
  const isWellFormed = bytes[0] === 1 ? more === 0 : bytes[0] === 2 && more > 0 && more % 2 === 0 && bytes.length <= MAX_RECEIPT_BYTES
  if (!isWellFormed) throw malformed()
  const part = (from: number, length: number) => bytes.slice(from, from + length)
  const [device, hash, key, certificate] = [part(1, 32), part(33, 32), part(65, 32), part(97, 64)]
  const [numbers, signature] = [part(HEAD_BYTES, more), part(HEAD_BYTES + more, SIGNATURE_BYTES)]
  const isSigned =
    crypto.verify(device, segmentKeyStatement(dataset, key), certificate) &&
    crypto.verify(key, statement(dataset, hash, numbers), signature)
  if (!isSigned) throw new ContentError('segment/refused', 'a receipt is not signed by its device; it is left out')
  const view = new DataView(numbers.buffer)
  const missing = Array.from({ length: more / 2 }, (_, n) => view.getUint16(2 * n))
  if (missing.some((number, n) => n > 0 && number <= (missing[n - 1] as number))) throw malformed()
  return { device: deviceIdOf(device), segment: toHex(hash), missing }
}

const malformed = () => new ContentError('segment/malformed', 'a receipt cannot be read; it is left out')
