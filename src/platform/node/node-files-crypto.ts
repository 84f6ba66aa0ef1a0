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
import { type FilesCrypto, type FilesSigningKey, GCM_TAG_BYTES } from '../../files/files-crypto.ts'

/** What DER says before the 32 bytes of an Ed25519 seed and of a public key. */
const SEED_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_HEAD = Buffer.from('302a300506032b6570032100', 'hex')
/** HKDF without salt: as many zeros as the hash has. */
const NO_SALT = createSecretKey(new Uint8Array(32))
/** Random bytes drawn at once: a draw for each new file costs more than all else about its id. */
const POOL_BYTES = 4096
/** Public keys kept decoded: the devices of a person and their starts. */
const KEPT_KEYS = 64

/** `FilesCrypto` over node:crypto. */
export class NodeFilesCrypto implements FilesCrypto {
  readonly #publicKeys = new Map<string, KeyObject>()
  readonly #secrets = new HeldSecrets((key) => createSecretKey(key))
  /** What HKDF makes of a key before it is told the use: the same for every chunk of an epoch. */
  readonly #extracts = new HeldSecrets((key) => createSecretKey(createHmac('sha256', NO_SALT).update(key).digest()))
  #pool = Buffer.alloc(0)

  sha256(bytes: Uint8Array): Uint8Array {
    return plainBytes(hash('sha256', bytes, 'buffer'))
  }

  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
    return plainBytes(createHmac('sha256', this.#secrets.of(key)).update(message).digest())
  }

  hkdf(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    const extract = this.#extracts.of(key)
    const out = new Uint8Array(length)
    let block: Uint8Array = out.subarray(0, 0)
    for (let at = 0, n = 1; at < length; at += block.length, n++) {
      block = createHmac('sha256', extract).update(block).update(info).update(Uint8Array.of(n)).digest()
      out.set(block.subarray(0, length - at), at)
    }
    return out
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
