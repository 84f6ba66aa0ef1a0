/**
 * The cryptography that content and op logs need. All calls are synchronous and take microseconds for a chunk; implemented
 * in platform/node. `src/identity` has a Crypto of its own: the rooms do not know each other.
 */
export interface FilesCrypto {
  sha256(bytes: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array
  /** In lower-case hex, for what it is a name. */
  hmacSha256Hex(key: Uint8Array, message: Uint8Array): string
  /** HKDF-SHA-256 without salt. `info` names the use. */
  hkdf(key: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /** AES-256-GCM: ciphertext and, behind it, a 16-byte tag. A key and nonce are used once. */
  encryptGcm(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, context?: Uint8Array): Uint8Array
  /** Undefined: another key, another context, or damaged. */
  decryptGcm(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, context?: Uint8Array): Uint8Array | undefined
  randomBytes(length: number): Uint8Array
  /** The Ed25519 key of a 32-byte seed. */
  signingKey(seed: Uint8Array): FilesSigningKey
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

export interface FilesSigningKey {
  readonly publicKey: Uint8Array
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array
}

export const HASH_BYTES = 32
export const GCM_TAG_BYTES = 16
export const GCM_NONCE_BYTES = 12
