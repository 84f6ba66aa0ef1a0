import { fromHex, concatBytes, utf8 } from '../base/bytes.ts'
import { type ChunkId, type SealedChunk } from './chunk-id.ts'
import { ContentError } from './content-error.ts'
import type { DatasetKeySource } from './dataset-key-source.ts'
import { type FilesCrypto, GCM_NONCE_BYTES, GCM_TAG_BYTES } from './files-crypto.ts'

/** Longest plain chunk. */
export const MAX_CHUNK_BYTES = 256 * 1024
export const MAX_SEALED_CHUNK_BYTES = MAX_CHUNK_BYTES + GCM_TAG_BYTES
const NONCE = new Uint8Array(GCM_NONCE_BYTES)
const INFO = utf8('elsewhere/chunk/1')

/**
 * Names, seals and opens chunks (rules FC1, FC2). The key of a chunk is derived from its epoch's key and its id, and seals
 * one message ever: the nonce is constant, and the same content has the same ciphertext on every device.
 */
export class ChunkCipher {
  readonly #crypto: FilesCrypto
  readonly #keys: DatasetKeySource

  constructor(crypto: FilesCrypto, keys: DatasetKeySource) {
    this.#crypto = crypto
    this.#keys = keys
  }

  idOf(plain: Uint8Array): ChunkId {
    return this.#crypto.hmacSha256Hex(this.#keys.idKey, plain) as ChunkId
  }

  /** @throws RangeError  longer than a chunk may be */
  seal(id: ChunkId, plain: Uint8Array): SealedChunk {
    if (plain.length > MAX_CHUNK_BYTES) throw new RangeError(`a chunk has at most ${MAX_CHUNK_BYTES} bytes`)
    const { epoch, key } = this.#keys.current
    return { id, epoch, bytes: this.#crypto.encryptGcm(this.#keyOf(key, id), NONCE, plain) }
  }

  /** @throws ContentError `chunk/no-key`, `chunk/damaged`: these bytes are not that chunk */
  open({ id, epoch, bytes }: SealedChunk): Uint8Array {
    const keys = this.#keys.keysOf(epoch)
    for (const { key } of keys) {
      const plain = this.#crypto.decryptGcm(this.#keyOf(key, id), NONCE, bytes)
      if (plain && this.idOf(plain) === id) return plain
    }
    if (keys.length > 0)
      throw new ContentError('chunk/damaged', `the bytes of chunk ${id.slice(0, 12)} are not that chunk; it is fetched again`)
    throw new ContentError('chunk/no-key', `this device holds no key of epoch ${epoch}; a linked device that has it must share it`)
  }

  /**
   * Opens what was checked against its id before it was kept here. The tag is made with a key of the id: it says whether
   * these are still the bytes that were kept. Undefined: they are not, or there is no key; `open` says which.
   */
  openHeld({ id, epoch, bytes }: SealedChunk): Uint8Array | undefined {
    for (const { key } of this.#keys.keysOf(epoch)) {
      const plain = this.#crypto.decryptGcm(this.#keyOf(key, id), NONCE, bytes)
      if (plain) return plain
    }
    return undefined
  }

  /** What a store without keys checks ciphertext by. */
  digestOf(bytes: Uint8Array): Uint8Array {
    return this.#crypto.sha256(bytes)
  }

  #keyOf(epochKey: Uint8Array, id: ChunkId): Uint8Array {
    return this.#crypto.hkdf(epochKey, concatBytes(INFO, fromHex(id)), 32)
  }
}
