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
  /** Of the policy it was given under: it says nothing for a later one (rule RP6). */
  readonly generation: number
  /** Devices that had left when it was given: who holds bytes because one that left since let them go does not say so by it. */
  readonly departures: number
  readonly order: ReceiptOrder
}

/** Who of several holders keeps a content: 0, devices that the policy names; 1, always-on ones; 2, all others. */
export type ReceiptOrder = 0 | 1 | 2

/** What a receipt says besides what it is for. */
export interface ReceiptTerms {
  readonly missing?: readonly number[]
  readonly generation?: number
  readonly departures?: number
  readonly order?: ReceiptOrder
}

const HEAD_BYTES = 1 + 32 + 32 + 32 + 64
const TERMS_BYTES = 8 + 2 + 1
const SIGNATURE_BYTES = 64
const statement = (dataset: DatasetId, version: number, segment: Uint8Array, rest: Uint8Array) =>
  concatBytes(utf8(`elsewhere/receipt/${version}/${dataset}/`), segment, rest)

/**
 * Version 1: device, hash of the segment, segment key, the device's certificate for it, signature. Version 2, where something is
 * missing: its numbers, two bytes each, rising, before the signature. Version 3, where a policy was set, a device left or the order is
 * not the last: generation (8 bytes), departures (2) and order (1) before those numbers, of which there may be none.
 */
export function signReceipt(
  dataset: DatasetId,
  segment: string,
  { device, key, certificate }: SegmentSigner,
  { missing = [], generation = 0, departures = 0, order = 2 }: ReceiptTerms = {},
): Uint8Array {
  const hash = fromHex(segment)
  const version = generation > 0 || departures > 0 || order < 2 ? 3 : missing.length === 0 ? 1 : 2
  const at = version === 3 ? TERMS_BYTES : 0
  const rest = new Uint8Array(at + 2 * missing.length)
  const view = new DataView(rest.buffer)
  if (version === 3) {
    view.setBigUint64(0, BigInt(generation))
    view.setUint16(8, departures)
    rest[10] = order
  }
  missing.forEach((number, n) => view.setUint16(at + 2 * n, number))
  const signature = key.sign(statement(dataset, version, hash, rest))
  return concatBytes(Uint8Array.of(version), publicKeyOf(device), hash, key.publicKey, certificate, rest, signature)
}

/** What one says that its device signed. @throws ContentError `segment/malformed`, `segment/refused` */
export function openReceipt(crypto: FilesCrypto, dataset: DatasetId, bytes: Uint8Array): Receipt {
  const receipt = readReceipt(bytes)
  verifyReceipt(crypto, dataset, bytes)
  return receipt
}

/** What it says, whoever wrote it. @throws ContentError `segment/malformed` */
export function readReceipt(bytes: Uint8Array): Receipt {
  const version = bytes[0] as number
  const more = bytes.length - HEAD_BYTES - SIGNATURE_BYTES
  const at = version === 3 ? TERMS_BYTES : 0
  const isOfLength = version === 1 ? more === 0 : version === 2 ? more > 0 : version === 3 && more >= TERMS_BYTES
  if (!isOfLength || (more - at) % 2 !== 0 || bytes.length > MAX_RECEIPT_BYTES) throw malformed()
  const { device, hash, rest } = partsOf(bytes)
  const view = new DataView(rest.buffer)
  const generation = version === 3 ? view.getBigUint64(0) : 0n
  const departures = version === 3 ? view.getUint16(8) : 0
  const order = version === 3 ? (rest[10] as number) : 2
  const missing = Array.from({ length: (more - at) / 2 }, (_, n) => view.getUint16(at + 2 * n))
  if (generation > Number.MAX_SAFE_INTEGER || order > 2) throw malformed()
  if (missing.some((number, n) => n > 0 && number <= (missing[n - 1] as number))) throw malformed()
  const terms = { missing, generation: Number(generation), departures, order: order as ReceiptOrder }
  return { device: deviceIdOf(device), segment: toHex(hash), ...terms }
}

/** Of one that can be read. @throws ContentError `segment/refused`: its device did not sign it */
export function verifyReceipt(crypto: FilesCrypto, dataset: DatasetId, bytes: Uint8Array): void {
  const { device, hash, key, certificate, rest, signature } = partsOf(bytes)
  const isSigned =
    crypto.verify(device, segmentKeyStatement(dataset, key), certificate) &&
    crypto.verify(key, statement(dataset, bytes[0] as number, hash, rest), signature)
  if (!isSigned) throw new ContentError('segment/refused', 'a receipt is not signed by its device; it is left out')
}

function partsOf(bytes: Uint8Array) {
  const part = (from: number, length: number) => bytes.slice(from, from + length)
  const [device, hash, key, certificate] = [part(1, 32), part(33, 32), part(65, 32), part(97, 64)]
  const end = bytes.length - SIGNATURE_BYTES
  return { device, hash, key, certificate, rest: part(HEAD_BYTES, end - HEAD_BYTES), signature: part(end, SIGNATURE_BYTES) }
}

const malformed = () => new ContentError('segment/malformed', 'a receipt cannot be read; it is left out')
