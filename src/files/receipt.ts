import { concatBytes, fromHex, toHex, utf8 } from '../base/bytes.ts'
import { type DatasetId, type DeviceId, deviceIdOf, publicKeyOf } from '../base/ids.ts'
import { ContentError } from './content-error.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { segmentKeyStatement, type SegmentSigner } from './op-segment.ts'

/** A device says in writing that it holds, on its disk, all contents that the ops of one segment name. */
export interface Receipt {
  readonly device: DeviceId
  /** Hash of the segment. */
  readonly segment: string
}

const BYTES = 1 + 32 + 32 + 32 + 64 + 64
const statement = (dataset: DatasetId, segment: Uint8Array) => concatBytes(utf8(`elsewhere/receipt/1/${dataset}/`), segment)

/** Version 1: device, hash of the segment, segment key, the device's certificate for it, signature. */
export function signReceipt(dataset: DatasetId, segment: string, { device, key, certificate }: SegmentSigner): Uint8Array {
  const hash = fromHex(segment)
  return concatBytes(Uint8Array.of(1), publicKeyOf(device), hash, key.publicKey, certificate, key.sign(statement(dataset, hash)))
}

/** @throws ContentError `segment/malformed`, `segment/refused` */
export function openReceipt(crypto: FilesCrypto, dataset: DatasetId, bytes: Uint8Array): Receipt {
  if (bytes.length !== BYTES || bytes[0] !== 1) throw new ContentError('segment/malformed', 'a receipt cannot be read; it is left out')
  const part = (from: number, length: number) => bytes.slice(from, from + length)
  const [device, hash, key, certificate, signature] = [part(1, 32), part(33, 32), part(65, 32), part(97, 64), part(161, 64)]
  const isSigned =
    crypto.verify(device, segmentKeyStatement(dataset, key), certificate) && crypto.verify(key, statement(dataset, hash), signature)
  if (!isSigned) throw new ContentError('segment/refused', 'a receipt is not signed by its device; it is left out')
  return { device: deviceIdOf(device), segment: toHex(hash) }
}
