import * as z from 'zod'
import { concatBytes, fromUtf8, toHex, utf8 } from '../base/bytes.ts'
import { fromBase58 } from '../base/base58.ts'
import { type DatasetId, type DeviceId, deviceIdOf, publicKeyOf } from '../base/ids.ts'
import { ContentError } from './content-error.ts'
import type { DatasetKeySource } from './dataset-key-source.ts'
import { MAX_FRONTIER_LOGS } from './file-peer-contract.ts'
import { type FilesCrypto, type FilesSigningKey, GCM_NONCE_BYTES } from './files-crypto.ts'
import { bodyText, type LogId, type Op, type OpId, parseOpBody } from './op.ts'

/** Ops in one segment. */
export const MAX_SEGMENT_OPS = 1000
/** Largest segment: 1,000 ops of 64 pieces each are 6 MB. */
export const MAX_SEGMENT_BYTES = 8 * 1024 * 1024
/** A stamp further ahead than this is a lie, not a wrong clock; taking it in would leave no later one. Microseconds. */
const MAX_AHEAD_US = 10 * 365 * 86_400 * 1e6

const MAGIC = utf8('ESG1')
const HEAD_BYTES = 4 + 32 + 32 + 8 + 4 + 32 + 4 + 32 + 64
const SIGNATURE_BYTES = 64
/** Logs that one segment names as seen. */
export const MAX_DEPS = 8192

/**
 * The key that signs a device's op segments in one start of it, and the device's word for that: the files process never holds
 * the device's own key.
 */
export interface SegmentSigner {
  readonly device: DeviceId
  readonly key: FilesSigningKey
  /** The device's signature over `segmentKeyStatement`. */
  readonly certificate: Uint8Array
}

/** What a device signs to let a key sign its segments. */
export const segmentKeyStatement = (dataset: DatasetId, publicKey: Uint8Array): Uint8Array =>
  concatBytes(utf8(`elsewhere/files-key/1/${dataset}/`), publicKey)

/** A segment before it is sealed. */
export interface SegmentContent {
  readonly start: string
  readonly seq: number
  /** Hash of the segment before it in this log, 64 hex digits; zeros for the first. */
  readonly prev: string
  /**
   * How far other logs were held when it was written: what neither the segment before nor a segment that is named here had seen.
   */
  readonly deps: readonly (readonly [log: LogId, seq: number])[]
  /** Number of the first op in its log. */
  readonly first: number
  readonly deviceName: string
  readonly ops: readonly Op[]
}

export interface Segment extends SegmentContent {
  readonly log: LogId
  readonly device: DeviceId
  readonly hash: string
  readonly epoch: number
}

/** What can be said of a segment without its epoch's key. */
export interface SegmentHead {
  readonly device: DeviceId
  readonly start: string
  readonly log: LogId
  readonly seq: number
  readonly prev: string
  readonly epoch: number
  readonly hash: string
}

const payload = z.object({
  v: z.literal(1),
  deps: z
    .array(
      z.tuple([
        z.string().regex(/^[0-9a-f]{24}$/),
        z
          .number()
          .int()
          .min(1)
          .max(2 ** 32 - 1),
      ]),
    )
    .max(MAX_FRONTIER_LOGS), // of more than MAX_DEPS before 2026-12: devices wrote what others refused
  first: z
    .number()
    .int()
    .min(0)
    .max(2 ** 32),
  name: z.string().max(80),
  ops: z
    .array(z.tuple([z.number().int().min(0).max(Number.MAX_SAFE_INTEGER), z.unknown()]))
    .min(1)
    .max(MAX_SEGMENT_OPS),
})

export const NO_SEGMENT = '0'.repeat(64)

/**
 * Signs, seals, opens and checks segments of op logs (rules OL1-OL4). Format 1: magic 4, dataset 32 (its hash), device 32,
 * start 8, seq 4, prev 32, epoch 4, segment key 32, certificate 64; then nonce and AES-256-GCM of the JSON payload, bound to
 * all before; then an Ed25519 signature over all before it.
 */
export class SegmentCodec {
  readonly #crypto: FilesCrypto
  readonly #keys: DatasetKeySource
  readonly #datasetHash: Uint8Array

  constructor(crypto: FilesCrypto, keys: DatasetKeySource) {
    this.#crypto = crypto
    this.#keys = keys
    this.#datasetHash = crypto.sha256(concatBytes(utf8('elsewhere/dataset/1/'), fromBase58(keys.dataset)))
  }

  /** What is encoded now is sealed under. */
  get epoch(): number {
    return this.#keys.current.epoch
  }

  logOf(device: DeviceId, start: string): LogId {
    return toHex(this.#crypto.sha256(utf8(`elsewhere/files-log/1/${device}/${start}`)).subarray(0, 12)) as LogId
  }

  encode(content: SegmentContent, signer: SegmentSigner): { readonly bytes: Uint8Array; readonly hash: string } {
    const { current } = this.#keys
    if (content.deps.length > MAX_DEPS) throw new RangeError('a segment that names that many logs')
    const head = new Uint8Array(HEAD_BYTES)
    const view = new DataView(head.buffer)
    head.set(MAGIC, 0)
    head.set(this.#datasetHash, 4)
    head.set(publicKeyOf(signer.device), 36)
    head.set(hexBytes(content.start, 8), 68)
    view.setUint32(76, content.seq)
    head.set(hexBytes(content.prev, 32), 80)
    view.setUint32(112, current.epoch)
    head.set(signer.key.publicKey, 116)
    head.set(signer.certificate, 148)
    const { deps, first, deviceName } = content
    const ops = content.ops.map(({ stamp, body }) => `[${stamp},${bodyText(body)}]`).join(',')
    const plain = utf8(`{"v":1,"deps":${JSON.stringify(deps)},"first":${first},"name":${JSON.stringify(deviceName)},"ops":[${ops}]}`)
    const nonce = this.#crypto.randomBytes(GCM_NONCE_BYTES)
    const signed = concatBytes(head, nonce, this.#crypto.encryptGcm(this.#sealKey(current.key), nonce, plain, head))
    const bytes = concatBytes(signed, signer.key.sign(signed))
    if (bytes.length > MAX_SEGMENT_BYTES) throw new RangeError('a segment of that many bytes')
    return { bytes, hash: this.hashOf(bytes) }
  }

  hashOf(bytes: Uint8Array): string {
    return toHex(this.#crypto.sha256(bytes))
  }

  /** Checks who wrote it. @throws ContentError `segment/malformed`, `segment/refused` */
  check(bytes: Uint8Array): SegmentHead {
    const head = this.headOf(bytes)
    const key = bytes.slice(116, 148)
    const statement = segmentKeyStatement(this.#keys.dataset, key)
    const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES)
    if (!this.#crypto.verify(bytes.slice(36, 68), statement, bytes.slice(148, 212)))
      throw refused('is signed by a key its device never named')
    if (!this.#crypto.verify(key, signed, bytes.slice(bytes.length - SIGNATURE_BYTES))) throw refused('is not what its device signed')
    return head
  }

  /** What it says of itself, of one that was checked when it was taken in. @throws ContentError `segment/malformed`, `segment/refused` */
  headOf(bytes: Uint8Array): SegmentHead {
    if (bytes.length < HEAD_BYTES + GCM_NONCE_BYTES + 16 + SIGNATURE_BYTES || bytes.length > MAX_SEGMENT_BYTES) throw malformed()
    if (!isOfThisFormat(bytes)) throw malformed()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    if (this.#datasetHash.some((byte, n) => bytes[4 + n] !== byte)) throw refused('belongs to another dataset')
    const device = deviceIdOf(bytes.slice(36, 68))
    const start = toHex(bytes.subarray(68, 76))
    const seq = view.getUint32(76)
    if (seq < 1) throw malformed()
    const prev = toHex(bytes.subarray(80, 112))
    return { device, start, log: this.logOf(device, start), seq, prev, epoch: view.getUint32(112), hash: this.hashOf(bytes) }
  }

  /** What a checked segment says. @throws ContentError `chunk/no-key`, `segment/malformed` */
  open(head: SegmentHead, bytes: Uint8Array, nowMs: number): Segment {
    const nonce = bytes.subarray(HEAD_BYTES, HEAD_BYTES + GCM_NONCE_BYTES)
    const sealed = bytes.subarray(HEAD_BYTES + GCM_NONCE_BYTES, bytes.length - SIGNATURE_BYTES)
    const keys = this.#keys.keysOf(head.epoch)
    if (keys.length === 0)
      throw new ContentError('chunk/no-key', `this device holds no key of epoch ${head.epoch}; a linked device must share it`)
    for (const { key } of keys) {
      const plain = this.#crypto.decryptGcm(this.#sealKey(key), nonce, sealed, bytes.subarray(0, HEAD_BYTES))
      if (plain) return this.#parse(head, plain, nowMs)
    }
    throw refused('cannot be opened with the key of its epoch')
  }

  #parse(head: SegmentHead, plain: Uint8Array, nowMs: number): Segment {
    try {
      const { deps, first, name, ops } = payload.parse(JSON.parse(fromUtf8(plain)))
      const latest = (nowMs * 1000 + MAX_AHEAD_US) as number
      const parsed = ops.map(([stamp, body], n): Op => {
        if (stamp > latest) throw malformed()
        return { id: `${head.log}.${first + n}` as OpId, stamp, body: parseOpBody(body) }
      })
      if (parsed.some(({ stamp }, n) => n > 0 && stamp <= (parsed[n - 1] as Op).stamp)) throw malformed()
      return { ...head, deps: deps as unknown as Segment['deps'], first, deviceName: name, ops: parsed }
    } catch {
      throw malformed()
    }
  }

  #sealKey(epochKey: Uint8Array): Uint8Array {
    return this.#crypto.hkdf(epochKey, utf8('elsewhere/op-segment/1'), 32)
  }
}

/** What does not say so may be of a later format. */
export const isOfThisFormat = (bytes: Uint8Array): boolean => MAGIC.every((byte, n) => bytes[n] === byte)

function hexBytes(hex: string, length: number): Uint8Array {
  if (hex.length !== 2 * length) throw new RangeError('hex of another length')
  return Uint8Array.from({ length }, (_, n) => Number.parseInt(hex.slice(2 * n, 2 * n + 2), 16))
}

const malformed = () => new ContentError('segment/malformed', 'a segment of a log of files cannot be read; it is left out')
const refused = (why: string) => new ContentError('segment/refused', `a segment of a log of files ${why}; it is left out`)
