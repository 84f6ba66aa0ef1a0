import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { type FilesCrypto, type FilesSigningKey, GCM_TAG_BYTES } from '../../files/files-crypto.ts'

/** What DER says before the 32 bytes of an Ed25519 seed and of a public key. */
const SEED_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_HEAD = Buffer.from('302a300506032b6570032100', 'hex')
const NO_SALT = new Uint8Array(0)
/** Public keys kept decoded: the devices of a person and their starts. */
const KEPT_KEYS = 64

/** `FilesCrypto` over node:crypto. */
export class NodeFilesCrypto implements FilesCrypto {
  readonly #publicKeys = new Map<string, KeyObject>()

  sha256(bytes: Uint8Array): Uint8Array {
    return plainBytes(createHash('sha256').update(bytes).digest())
  }

  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
    return plainBytes(createHmac('sha256', secretOf(key)).update(message).digest())
  }

  hkdf(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', secretOf(key), NO_SALT, info, length))
  }

  encryptGcm(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, context?: Uint8Array): Uint8Array {
    const cipher = createCipheriv('aes-256-gcm', secretOf(key), nonce)
    if (context) cipher.setAAD(context)
    const sealed = Buffer.allocUnsafeSlow(plain.length + GCM_TAG_BYTES) // all of it is written: no zeros first
    sealed.set(cipher.update(plain))
    cipher.final()
    sealed.set(cipher.getAuthTag(), plain.length)
    return plainBytes(sealed)
  }

  decryptGcm(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, context?: Uint8Array): Uint8Array | undefined {
    if (sealed.length < GCM_TAG_BYTES) return undefined
    const decipher = createDecipheriv('aes-256-gcm', secretOf(key), nonce, { authTagLength: GCM_TAG_BYTES })
    if (context) decipher.setAAD(context)
    decipher.setAuthTag(sealed.subarray(sealed.length - GCM_TAG_BYTES))
    const plain = decipher.update(sealed.subarray(0, sealed.length - GCM_TAG_BYTES))
    try {
      decipher.final()
    } catch {
      return undefined // the tag says: not these bytes, or not this key
    }
    return plainBytes(plain)
  }

  randomBytes(length: number): Uint8Array {
    return plainBytes(randomBytes(length))
  }

  signingKey(seed: Uint8Array): FilesSigningKey {
    const der = Buffer.concat([SEED_HEAD, seed])
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    der.fill(0)
    const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_HEAD.length)
    return { publicKey: plainBytes(publicKey), sign: (message) => plainBytes(sign(null, message, key)) }
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== 32 || signature.length !== 64) return false
    try {
      return verify(null, message, this.#publicKeyOf(publicKey), signature)
    } catch {
      return false // no point of the curve
    }
  }

  #publicKeyOf(bytes: Uint8Array): KeyObject {
    const name = Buffer.from(bytes).toString('latin1')
    let key = this.#publicKeys.get(name)
    if (!key) {
      key = createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, bytes]), format: 'der', type: 'spki' })
      if (this.#publicKeys.size >= KEPT_KEYS) this.#publicKeys.clear()
      this.#publicKeys.set(name, key)
    }
    return key
  }
}

/** Node tries plain bytes as a key object first, which costs 30 us a call (24.21); a key object made here costs 3. */
const secretOf = (key: Uint8Array): KeyObject => createSecretKey(key)

/** A view that is a plain Uint8Array: Buffers compare and print in ways of their own. */
const plainBytes = (buffer: Uint8Array): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
