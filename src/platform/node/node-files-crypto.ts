import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hash,
  type KeyObject,
  randomFillSync,
  sign,
  verify,
} from 'node:crypto'
import { toHex } from '../../base/bytes.ts'
import { type FilesCrypto, type FilesSigningKey, GCM_TAG_BYTES, HASH_BYTES } from '../../files/files-crypto.ts'

/** What DER says before the 32 bytes of an Ed25519 seed and of a public key. */
const SEED_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_HEAD = Buffer.from('302a300506032b6570032100', 'hex')
/** HKDF without salt: as many zeros as the hash has. */
const NO_SALT = createSecretKey(new Uint8Array(32))
/** Random bytes drawn at once: a draw for each new file costs more than all else about its id. */
const POOL_BYTES = 4096
/** Public keys kept decoded: the devices of a person and their starts. */
const KEPT_KEYS = 64

/** Of SHA-256. */
const BLOCK_BYTES = 64
/** Longer messages are not copied behind a key. */
const MAX_AT_ONCE_BYTES = 16 * 1024

/** `FilesCrypto` over node:crypto. */
export class NodeFilesCrypto implements FilesCrypto {
  readonly #publicKeys = new Map<string, KeyObject>()
  readonly #secrets = new HeldSecrets((key) => createSecretKey(key))
  /** What HKDF makes of a key before it is told the use: the same for every chunk of an epoch. */
  readonly #extracts = new HeldSecrets((key) => createSecretKey(createHmac('sha256', NO_SALT).update(key).digest()))
  readonly #innerBlock = Buffer.alloc(BLOCK_BYTES + MAX_AT_ONCE_BYTES)
  readonly #outerBlock = Buffer.alloc(BLOCK_BYTES + HASH_BYTES)
  #pool = Buffer.alloc(0)

  sha256(bytes: Uint8Array): Uint8Array {
    return plainBytes(hash('sha256', bytes, 'buffer'))
  }

  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
    return plainBytes(createHmac('sha256', this.#secrets.of(key)).update(message).digest())
  }

  /**
   * The two hashes that HMAC is of: an HMAC object takes 7 us before it has seen a byte, a hash at once less than one, of which
   * most is a buffer for what it says, and none for a string (24.21).
   */
  hmacSha256Hex(key: Uint8Array, message: Uint8Array): string {
    if (key.length > BLOCK_BYTES || message.length > MAX_AT_ONCE_BYTES) return toHex(this.hmacSha256(key, message))
    const inner = this.#innerBlock
    const outer = this.#outerBlock
    inner.fill(0x36, 0, BLOCK_BYTES)
    outer.fill(0x5c, 0, BLOCK_BYTES)
    for (let i = 0; i < key.length; i++) {
      inner[i] = 0x36 ^ (key[i] as number)
      outer[i] = 0x5c ^ (key[i] as number)
    }
    inner.set(message, BLOCK_BYTES)
    outer.write(hash('sha256', inner.subarray(0, BLOCK_BYTES + message.length), 'binary'), BLOCK_BYTES, 'binary')
    const digest = hash('sha256', outer, 'hex')
    inner.fill(0, 0, BLOCK_BYTES + message.length)
    outer.fill(0)
    return digest
  }

  hkdf(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    const extract = this.#extracts.of(key)
    const out = new Uint8Array(length)
    const asked = new Uint8Array(info.length + 1) // one call where the length is a hash's, as of all keys
    asked.set(info)
    for (let at = 0, n = 1; at < length; at += HASH_BYTES, n++) {
      asked[info.length] = n
      const hmac = createHmac('sha256', extract)
      if (at > 0) hmac.update(out.subarray(at - HASH_BYTES, at))
      const block = hmac.update(asked).digest()
      out.set(block.subarray(0, length - at), at)
    }
    return out
  }

  encryptGcm(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, context?: Uint8Array): Uint8Array {
    const cipher = createCipheriv('aes-256-gcm', secretOf(key), nonce)
    if (context) cipher.setAAD(context)
    const sealed = Buffer.allocUnsafe(plain.length + GCM_TAG_BYTES) // all of it is written: no zeros first
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
    if (length > POOL_BYTES / 16) return plainBytes(randomFillSync(Buffer.allocUnsafeSlow(length)))
    if (this.#pool.length < length) this.#pool = randomFillSync(Buffer.allocUnsafeSlow(POOL_BYTES))
    const drawn = new Uint8Array(this.#pool.subarray(0, length))
    this.#pool.fill(0, 0, length)
    this.#pool = this.#pool.subarray(length)
    return drawn
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

/**
 * What is made of keys that are used again and again, for as long as their owner holds the bytes. Bytes that were wiped or are
 * another key now are told by what was noted of them.
 */
class HeldSecrets {
  readonly #made = new WeakMap<Uint8Array, { readonly check: number; readonly secret: KeyObject }>()
  readonly #make: (key: Uint8Array) => KeyObject

  constructor(make: (key: Uint8Array) => KeyObject) {
    this.#make = make
  }

  of(key: Uint8Array): KeyObject {
    const check = checkOf(key)
    const held = this.#made.get(key)
    if (held?.check === check) return held.secret
    const secret = this.#make(key)
    this.#made.set(key, { check, secret })
    return secret
  }
}

/** FNV-1a: tells a key from another one that was written over it, and says nothing to anybody who does not hold it. */
function checkOf(key: Uint8Array): number {
  let check = 0x811c9dc5
  for (let i = 0; i < key.length; i++) check = Math.imul(check ^ (key[i] as number), 0x01000193)
  return check
}

/** A view that is a plain Uint8Array: Buffers compare and print in ways of their own. */
const plainBytes = (buffer: Uint8Array): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
