import { concatBytes, toHex, utf8 } from '../../base/bytes.ts'
import type { DatasetKeySource } from '../dataset-key-source.ts'
import { type FilesCrypto, GCM_NONCE_BYTES, GCM_TAG_BYTES } from '../files-crypto.ts'
import { BucketError } from './bucket-error.ts'

const MAGIC = utf8('EBO1')
const HEAD_BYTES = MAGIC.length + 4 + GCM_NONCE_BYTES
const NAME_LETTERS = 40

/** Of so many plain ones. */
export const sealedBytes = (bytes: number): number => HEAD_BYTES + bytes + GCM_TAG_BYTES

/** `p`: packs of chunks, `i`: what lies in each, `s`: segments of op logs, `d`: packs that are to go. */
export type ObjectKind = 'p' | 'i' | 's' | 'd'

/**
 * Names and seals what lies in a bucket (rules BK1, BK2). Names are HMACs under a key that the bucket does not hold; indexes and
 * segments are sealed under the dataset's epoch and bound to their names. Format 1: magic 4, epoch 4, nonce 12, AES-256-GCM.
 */
export class BucketSeal {
  readonly #crypto: FilesCrypto
  readonly #keys: DatasetKeySource
  readonly #nameKey: Uint8Array

  constructor(crypto: FilesCrypto, keys: DatasetKeySource) {
    this.#crypto = crypto
    this.#keys = keys
    this.#nameKey = crypto.hkdf(keys.idKey, utf8('elsewhere/bucket-name/1'), 32)
  }

  /** What all names of this dataset begin with. */
  get folder(): string {
    return `${this.#name('dataset').slice(0, 32)}/`
  }

  /** A name that nobody used and that says nothing. */
  newName(): string {
    return this.#name(toHex(this.#crypto.randomBytes(16)))
  }

  at(kind: ObjectKind, name: string): string {
    return `${this.folder}${kind}/${name}`
  }

  /** The kind and name of an object's key; undefined: it is none of ours. */
  parse(key: string): { readonly kind: ObjectKind; readonly name: string } | undefined {
    const rest = key.startsWith(this.folder) ? key.slice(this.folder.length) : ''
    const match = /^([pisd])\/([0-9a-f]{40})$/.exec(rest)
    return match ? { kind: match[1] as ObjectKind, name: match[2] as string } : undefined
  }

  /** Any number below `count`. */
  pick(count: number): number {
    const bytes = this.#crypto.randomBytes(4)
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) % Math.max(1, count)
  }

  seal(kind: ObjectKind, name: string, plain: Uint8Array): Uint8Array {
    const { epoch, key } = this.#keys.current
    const head = new Uint8Array(HEAD_BYTES)
    head.set(MAGIC)
    new DataView(head.buffer).setUint32(MAGIC.length, epoch)
    const nonce = this.#crypto.randomBytes(GCM_NONCE_BYTES)
    head.set(nonce, MAGIC.length + 4)
    return concatBytes(head, this.#crypto.encryptGcm(this.#keyOf(key), nonce, plain, utf8(this.at(kind, name))))
  }

  /** @throws BucketError `bucket/wrong-bytes` */
  open(kind: ObjectKind, name: string, bytes: Uint8Array): Uint8Array {
    if (bytes.length > HEAD_BYTES && MAGIC.every((byte, n) => bytes[n] === byte)) {
      const epoch = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length)
      const nonce = bytes.subarray(MAGIC.length + 4, HEAD_BYTES)
      for (const { key } of this.#keys.keysOf(epoch)) {
        const plain = this.#crypto.decryptGcm(this.#keyOf(key), nonce, bytes.subarray(HEAD_BYTES), utf8(this.at(kind, name)))
        if (plain) return plain
      }
    }
    throw new BucketError(
      'bucket/wrong-bytes',
      `the bucket gave other bytes than were put under ${kind}/${name.slice(0, 12)}, or their key is not here`,
    )
  }

  #keyOf(epochKey: Uint8Array): Uint8Array {
    return this.#crypto.hkdf(epochKey, utf8('elsewhere/bucket-object/1'), 32)
  }

  #name(text: string): string {
    return toHex(this.#crypto.hmacSha256(this.#nameKey, utf8(text))).slice(0, NAME_LETTERS)
  }
}
