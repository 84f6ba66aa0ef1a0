import type { RandomSource } from '../base/random.ts'

/** Bytes of every symmetric key, seed and public key here. */
export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64
export const SALT_BYTES = 16
/** What `encrypt` adds to the plain bytes: a 24-byte nonce in front and a 16-byte tag behind. */
export const SEAL_OVERHEAD_BYTES = 40
/** What `sealTo` adds: an ephemeral public key and a tag. */
export const BOX_OVERHEAD_BYTES = 48

/** Argon2id, always with one lane. */
export interface Argon2Params {
  /** Passes over the memory. */
  readonly passes: number
  readonly memoryBytes: number
}

/**
 * Bytes that must not outlive their use. Where the platform can, they lie in memory that is never swapped out and has
 * guard pages around it. Disposing wipes them; `bytes` is then empty.
 */
export interface Secret {
  readonly bytes: Uint8Array
  dispose(): void
}

/** An Ed25519 key that signs and is never handed out. */
export interface SigningKey {
  readonly publicKey: Uint8Array
  /** 64 bytes, deterministic. @throws IdentityError `identity/key-wiped` */
  sign(message: Uint8Array): Uint8Array
  dispose(): void
}

/** An X25519 key that opens what others sealed to it. */
export interface BoxKey {
  readonly publicKey: Uint8Array
  /**
   * The plain bytes, or undefined when they were not sealed to this key or are damaged.
   * @throws IdentityError `identity/key-wiped`
   */
  open(sealed: Uint8Array): Uint8Array | undefined
  dispose(): void
}

/**
 * The cryptography this project uses, and no other. Every implementation runs `describeCrypto` from crypto.suite.ts
 * (rules ID1-ID6). All calls but `argon2id` take microseconds and are synchronous.
 */
export interface Crypto extends RandomSource {
  /** Moves `bytes` into secret memory: the original is wiped. */
  secret(bytes: Uint8Array): Secret
  /** Fresh random secret bytes. */
  randomSecret(length: number): Secret
  wipe(bytes: Uint8Array): void
  /** Constant-time; unequal lengths are unequal. */
  equalSecrets(a: Uint8Array, b: Uint8Array): boolean

  /** The Ed25519 key of a 32-byte seed; the seed is copied, not kept. @throws RangeError  not 32 bytes */
  signingKey(seed: Uint8Array): SigningKey
  /** Strict Ed25519: small-order and non-canonical keys, malleable and wrongly sized signatures are false, never thrown. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** The X25519 key of a 32-byte seed. @throws RangeError  not 32 bytes */
  boxKey(seed: Uint8Array): BoxKey
  /** Anonymous sealed box. @throws RangeError  the key is not 32 bytes or has small order */
  sealTo(publicKey: Uint8Array, plain: Uint8Array): Uint8Array

  /** XChaCha20-Poly1305 under a random nonce; `context` is authenticated and must be given again to open. */
  encrypt(key: Uint8Array, plain: Uint8Array, context: Uint8Array): Uint8Array
  /** The plain bytes, or undefined: wrong key, wrong context, damaged or too short. */
  decrypt(key: Uint8Array, sealed: Uint8Array, context: Uint8Array): Uint8Array | undefined

  /** 32 bytes, off the event loop. `passphrase` is left as it is; the caller wipes it. @throws RangeError  salt is not 16 bytes */
  argon2id(passphrase: Uint8Array, salt: Uint8Array, params: Argon2Params): Promise<Secret>
  sha256(bytes: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array
  /** HKDF-SHA-256 without salt: `info` names the use. At most 255 * 32 bytes. */
  hkdf(key: Uint8Array, info: string, length: number): Secret
}
