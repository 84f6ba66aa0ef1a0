import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomFillSync } from 'node:crypto'
import type { Disposable } from '../../base/disposable.ts'
import { StoreError } from '../../base/store-error.ts'
import type { Sealer } from '../../base/sealer.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Random bytes drawn at once: a draw for each of a hundred thousand rows would cost more than their sealing. */
const POOL_BYTES = 12 * 1024

/**
 * Seals what the files process keeps, under a key that the device process derives from the device's storage key. AES-256-GCM
 * with random nonces: fit for 2^32 rows written. Owns its keys until disposed; they are key objects, for plain bytes cost Node
 * 30 us a call to tell that they are none (24.21), and OpenSSL wipes them when they are let go.
 */
export class FilesSealer implements Sealer, Disposable {
  #valueKey: KeyObject | undefined
  #lookKey: KeyObject | undefined
  readonly #pool = new Uint8Array(POOL_BYTES)
  #used = POOL_BYTES

  constructor(storageKey: Uint8Array) {
    this.#valueKey = keyOf(storageKey, 'value')
    this.#lookKey = keyOf(storageKey, 'lookup')
  }

  seal(plain: Uint8Array, context: string): Uint8Array {
    if (this.#used + NONCE_BYTES > POOL_BYTES) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    const nonce = this.#pool.subarray(this.#used, (this.#used += NONCE_BYTES))
    const cipher = createCipheriv('aes-256-gcm', held(this.#valueKey), nonce)
    cipher.setAAD(Buffer.from(context))
    const room = Buffer.allocUnsafe(NONCE_BYTES + plain.length + TAG_BYTES) // all of it is written: no zeros first
    const sealed = new Uint8Array(room.buffer, room.byteOffset, room.length)
    sealed.set(nonce)
    sealed.set(cipher.update(plain), NONCE_BYTES)
    cipher.final()
    sealed.set(cipher.getAuthTag(), NONCE_BYTES + plain.length)
    return sealed
  }

  open(sealed: Uint8Array, context: string): Uint8Array {
    const decipher = createDecipheriv('aes-256-gcm', held(this.#valueKey), sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    const plain = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES))
    try {
      decipher.final()
    } catch (error) {
      throw StoreError.damaged('the store of files', `"${context}" cannot be opened`, error)
    }
    return new Uint8Array(plain.buffer, plain.byteOffset, plain.length)
  }

  lookupKey(text: string): Uint8Array {
    const digest = createHmac('sha256', held(this.#lookKey)).update(text).digest()
    return new Uint8Array(digest.buffer, digest.byteOffset, digest.length)
  }

  dispose(): void {
    this.#valueKey = undefined
    this.#lookKey = undefined
  }
}

function keyOf(storageKey: Uint8Array, use: string): KeyObject {
  const bytes = new Uint8Array(hkdfSync('sha256', storageKey, '', `elsewhere/files-store/1/${use}`, 32))
  try {
    return createSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}

function held(key: KeyObject | undefined): KeyObject {
  if (!key) throw StoreError.closed('the store of files')
  return key
}
