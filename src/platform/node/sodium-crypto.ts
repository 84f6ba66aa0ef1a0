import { createHmac, hash, hkdfSync } from 'node:crypto'
import sodium from 'sodium-native'
import {
  BOX_OVERHEAD_BYTES,
  KEY_BYTES,
  SALT_BYTES,
  SEAL_OVERHEAD_BYTES,
  SIGNATURE_BYTES,
  type Argon2Params,
  type BoxKey,
  type Crypto,
  type Secret,
  type SigningKey,
} from '../../identity/crypto.ts'
import { IdentityError } from '../../identity/identity-error.ts'

const NONCE_BYTES = 24
const TAG_BYTES = SEAL_OVERHEAD_BYTES - NONCE_BYTES
const MAX_HKDF_BYTES = 255 * 32
/** Of SHA-256: what it takes in at a time, and gives. */
const BLOCK_BYTES = 64
const HASH_BYTES = 32
/** From here on Node's way to start costs less than its hash is faster. */
const SHORT_BYTES = 8 * 1024
/** From here on Node's plain hash, which uses the processor's own instructions, makes up for its call: 1,500 bytes take it 2 us and sodium 5, 64 KiB 40 and 176. */
const NODE_HASHES_BYTES = 512

/**
 * `Crypto` over libsodium (sodium-native), with HKDF, and HMAC of what is long, from Node. Secret keys lie in sodium's guarded memory:
 * locked against swapping where the system's limit allows it (libsodium goes on without the lock when it does not),
 * wiped and unmapped on dispose.
 */
export class SodiumCrypto implements Crypto {
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    if (length > 0) sodium.randombytes_buf(bytes)
    return bytes
  }

  secret(bytes: Uint8Array): Secret {
    const secret = new GuardedSecret(bytes.length)
    secret.bytes.set(bytes)
    this.wipe(bytes)
    return secret
  }

  randomSecret(length: number): Secret {
    const secret = new GuardedSecret(length)
    if (length > 0) sodium.randombytes_buf(secret.bytes)
    return secret
  }

  wipe(bytes: Uint8Array): void {
    if (bytes.length > 0) sodium.sodium_memzero(bytes)
  }

  equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && (a.length === 0 || sodium.sodium_memcmp(a, b))
  }

  signingKey(seed: Uint8Array): SigningKey {
    requireLength('a signing seed', seed, KEY_BYTES)
    return new SodiumSigningKey(seed)
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
    return sodium.crypto_sign_verify_detached(signature, message, publicKey)
  }

  boxKey(seed: Uint8Array): BoxKey {
    requireLength('a box seed', seed, KEY_BYTES)
    return new SodiumBoxKey(seed)
  }

  sealTo(publicKey: Uint8Array, plain: Uint8Array): Uint8Array {
    requireLength('a box key', publicKey, KEY_BYTES)
    const sealed = new Uint8Array(plain.length + BOX_OVERHEAD_BYTES)
    try {
      sodium.crypto_box_seal(sealed, plain, publicKey)
    } catch (cause) {
      throw new RangeError('nothing can be sealed to this box key: it has small order', { cause })
    }
    return sealed
  }

  encrypt(key: Uint8Array, plain: Uint8Array, context: Uint8Array): Uint8Array {
    requireLength('a key', key, KEY_BYTES)
    const sealed = new Uint8Array(plain.length + SEAL_OVERHEAD_BYTES)
    const nonce = sealed.subarray(0, NONCE_BYTES)
    sodium.randombytes_buf(nonce)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.subarray(NONCE_BYTES), plain, orNull(context), null, nonce, key)
    return sealed
  }

  decrypt(key: Uint8Array, sealed: Uint8Array, context: Uint8Array): Uint8Array | undefined {
    requireLength('a key', key, KEY_BYTES)
    if (sealed.length < SEAL_OVERHEAD_BYTES) return undefined
    const plain = new Uint8Array(sealed.length - NONCE_BYTES - TAG_BYTES)
    try {
      const nonce = sealed.subarray(0, NONCE_BYTES)
      sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plain, null, sealed.subarray(NONCE_BYTES), orNull(context), nonce, key)
    } catch {
      return undefined // sizes were checked above: what is left is a failed authentication
    }
    return plain
  }

  async argon2id(passphrase: Uint8Array, salt: Uint8Array, params: Argon2Params): Promise<Secret> {
    requireLength('a salt', salt, SALT_BYTES)
    const key = new GuardedSecret(KEY_BYTES)
    const { passes, memoryBytes } = params
    await sodium.crypto_pwhash_async(key.bytes, passphrase, salt, passes, memoryBytes, sodium.crypto_pwhash_ALG_ARGON2ID13)
    return key
  }

  sha256(bytes: Uint8Array): Uint8Array {
    if (bytes.length >= NODE_HASHES_BYTES) return new Uint8Array(hash('sha256', bytes, 'buffer'))
    const digest = new Uint8Array(32)
    sodium.crypto_hash_sha256(digest, bytes)
    return digest
  }

  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
    if (message.length > SHORT_BYTES) return new Uint8Array(createHmac('sha256', key).update(message).digest())
    // Node's takes 130 us for a key of plain bytes, to tell that it is none of its own objects; this takes 5.
    const block = new Uint8Array(BLOCK_BYTES)
    block.set(key.length > BLOCK_BYTES ? this.sha256(key) : key)
    const inner = new Uint8Array(BLOCK_BYTES + message.length)
    const outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES)
    for (let at = 0; at < BLOCK_BYTES; at++) {
      inner[at] = (block[at] as number) ^ 0x36
      outer[at] = (block[at] as number) ^ 0x5c
    }
    inner.set(message, BLOCK_BYTES)
    sodium.crypto_hash_sha256(outer.subarray(BLOCK_BYTES), inner)
    const digest = this.sha256(outer)
    for (const held of [block, inner, outer]) sodium.sodium_memzero(held)
    return digest
  }

  hkdf(key: Uint8Array, info: string, length: number): Secret {
    if (length > MAX_HKDF_BYTES) throw new RangeError(`HKDF gives at most ${MAX_HKDF_BYTES} bytes`)
    return this.secret(new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), info, length)))
  }
}

/** Owns one guarded allocation. */
class GuardedSecret implements Secret {
  readonly #buffer: Buffer
  /** Not the Buffer itself: its `slice` would hand out the guarded memory instead of a copy. */
  readonly bytes: Uint8Array

  constructor(length: number) {
    this.#buffer = sodium.sodium_malloc(length)
    this.bytes = new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset, length)
  }

  dispose(): void {
    if (this.#buffer.length > 0) sodium.sodium_free(this.#buffer)
  }
}

class SodiumSigningKey implements SigningKey {
  readonly publicKey = new Uint8Array(KEY_BYTES)
  readonly #secretKey = new GuardedSecret(64)

  constructor(seed: Uint8Array) {
    sodium.crypto_sign_seed_keypair(this.publicKey, this.#secretKey.bytes, seed)
  }

  sign(message: Uint8Array): Uint8Array {
    requireKept(this.#secretKey)
    const signature = new Uint8Array(SIGNATURE_BYTES)
    sodium.crypto_sign_detached(signature, message, this.#secretKey.bytes)
    return signature
  }

  dispose(): void {
    this.#secretKey.dispose()
  }
}

class SodiumBoxKey implements BoxKey {
  readonly publicKey = new Uint8Array(KEY_BYTES)
  readonly #secretKey = new GuardedSecret(KEY_BYTES)

  constructor(seed: Uint8Array) {
    sodium.crypto_box_seed_keypair(this.publicKey, this.#secretKey.bytes, seed)
  }

  open(sealed: Uint8Array): Uint8Array | undefined {
    requireKept(this.#secretKey)
    if (sealed.length < BOX_OVERHEAD_BYTES) return undefined
    const plain = new Uint8Array(sealed.length - BOX_OVERHEAD_BYTES)
    return sodium.crypto_box_seal_open(plain, sealed, this.publicKey, this.#secretKey.bytes) ? plain : undefined
  }

  dispose(): void {
    this.#secretKey.dispose()
  }
}

/** libsodium's binding takes no empty context; an absent one authenticates the same. */
const orNull = (context: Uint8Array): Uint8Array | null => (context.length > 0 ? context : null)

function requireLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${what} is ${length} bytes, not ${bytes.length}`)
}

function requireKept(secret: Secret): void {
  if (secret.bytes.length === 0) throw new IdentityError('identity/key-wiped', 'this key was wiped when the device locked; unlock it first')
}
