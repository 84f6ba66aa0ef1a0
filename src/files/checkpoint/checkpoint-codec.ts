import { concatBytes, toHex, utf8 } from '../../base/bytes.ts'
import { fromBase58 } from '../../base/base58.ts'
import { type DatasetId, type DeviceId, deviceIdOf, publicKeyOf } from '../../base/ids.ts'
import type { ChunkId } from '../chunk-id.ts'
import { ContentError } from '../content-error.ts'
import type { FilesCrypto } from '../files-crypto.ts'
import { segmentKeyStatement, type SegmentSigner } from '../op-segment.ts'
import { badCheckpoint } from './byte-io.ts'
import type { TreeRoot } from './tree-writer.ts'

/**
 * What an admin device says a dataset was when all segments up to a frontier were taken in. Each root names a tree of pages: *logs*, the
 * frontier (per log its device, start, last number and that segment's hash); *state*, what merging needs of it; *history*, versions that
 * are kept and not shown.
 */
export interface Checkpoint {
  readonly dataset: DatasetId
  readonly device: DeviceId
  /** Era of keys in which it was made. */
  readonly epoch: number
  /** Counts this device's checkpoints: a later one has a higher number. */
  readonly number: number
  /** The maker's clock. */
  readonly atMs: number
  /** Ops in all logs up to the frontier. */
  readonly ops: number
  readonly logs: TreeRoot
  readonly state: TreeRoot
  readonly history: TreeRoot
}

const MAGIC = utf8('ECP1')
const NO_ROOT = '0'.repeat(64)
const KEY_AT = 4 + 32 + 32 + 4 + 4 + 8 + 8 + 3 * 32
const SIGNATURE_BYTES = 64
export const CHECKPOINT_BYTES = KEY_AT + 32 + 64 + SIGNATURE_BYTES

const datasetHash = (crypto: FilesCrypto, dataset: DatasetId) =>
  crypto.sha256(concatBytes(utf8('elsewhere/dataset/1/'), fromBase58(dataset)))
const statement = (dataset: DatasetId, signed: Uint8Array) => concatBytes(utf8(`elsewhere/checkpoint/1/${dataset}/`), signed)

/**
 * Format 1: magic 4, dataset 32 (its hash), device 32, epoch 4, number 4, time 8 (ms), ops 8, roots of logs, state and history 32 each
 * (zeros: nothing is in it), segment key 32, the device's certificate for it 64, signature 64.
 */
export function encodeCheckpoint(crypto: FilesCrypto, of: Omit<Checkpoint, 'device'>, signer: SegmentSigner): Uint8Array {
  const bytes = new Uint8Array(CHECKPOINT_BYTES - SIGNATURE_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC, 0)
  bytes.set(datasetHash(crypto, of.dataset), 4)
  bytes.set(publicKeyOf(signer.device), 36)
  view.setUint32(68, of.epoch)
  view.setUint32(72, of.number)
  view.setBigUint64(76, BigInt(Math.floor(of.atMs)))
  view.setBigUint64(84, BigInt(of.ops))
  ;[of.logs, of.state, of.history].forEach((root, n) => bytes.set(hexBytes(root ?? NO_ROOT), 92 + 32 * n))
  bytes.set(signer.key.publicKey, KEY_AT)
  bytes.set(signer.certificate, KEY_AT + 32)
  return concatBytes(bytes, signer.key.sign(statement(of.dataset, bytes)))
}

/**
 * Reads a checkpoint and checks that the device it names signed it, for this dataset. Whether that device may make any is the caller's
 * to know. @throws ContentError `checkpoint/malformed`, `checkpoint/refused`
 */
export function openCheckpoint(crypto: FilesCrypto, dataset: DatasetId, bytes: Uint8Array): Checkpoint {
  if (bytes.length !== CHECKPOINT_BYTES || MAGIC.some((byte, n) => bytes[n] !== byte))
    throw badCheckpoint('it is none, or of a later version')
  if (datasetHash(crypto, dataset).some((byte, n) => bytes[4 + n] !== byte)) throw refusedCheckpoint('it is of another dataset')
  const part = (from: number, length: number) => bytes.slice(from, from + length)
  const [device, key] = [part(36, 32), part(KEY_AT, 32)]
  const signed = bytes.slice(0, CHECKPOINT_BYTES - SIGNATURE_BYTES)
  const isSigned =
    crypto.verify(device, segmentKeyStatement(dataset, key), part(KEY_AT + 32, 64)) &&
    crypto.verify(key, statement(dataset, signed), part(CHECKPOINT_BYTES - SIGNATURE_BYTES, SIGNATURE_BYTES))
  if (!isSigned) throw refusedCheckpoint('its device did not sign it')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const root = (n: number): TreeRoot => {
    const hex = toHex(part(92 + 32 * n, 32))
    return hex === NO_ROOT ? undefined : (hex as ChunkId)
  }
  const number = (at: number): number => {
    const value = Number(view.getBigUint64(at))
    if (!Number.isSafeInteger(value)) throw badCheckpoint('a number in it is too large')
    return value
  }
  return {
    dataset,
    device: deviceIdOf(device),
    epoch: view.getUint32(68),
    number: view.getUint32(72),
    atMs: number(76),
    ops: number(84),
    logs: root(0),
    state: root(1),
    history: root(2),
  }
}

export const refusedCheckpoint = (why: string) =>
  new ContentError('checkpoint/refused', `a checkpoint of files is refused: ${why}; another device is asked`)

const hexBytes = (hex: string): Uint8Array => Uint8Array.from({ length: 32 }, (_, n) => Number.parseInt(hex.slice(2 * n, 2 * n + 2), 16))
