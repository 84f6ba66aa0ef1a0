/** Encrypts what lies on disk. Implemented over the vault's storage key; see platform/node. */
export interface Sealer {
  /** Authenticated encryption; `context` (table, key) is bound in, so a sealed value cannot be moved to another row. */
  seal(plain: Uint8Array, context: string): Uint8Array
  /** @throws DomainError `vault/unsealable`  wrong key, wrong context, or damaged bytes */
  open(sealed: Uint8Array, context: string): Uint8Array
  /** A look-up key that says nothing of what it stands for: HMAC of `text` under a key of its own. */
  lookupKey(text: string): Uint8Array
}
