/**
 * Encrypts document updates for this person's devices, by epoch. Implemented in identity/ over DatasetKeys; joined in device/.
 */
export interface EnvelopeSeal {
  /** The epoch that `seal` uses now. */
  readonly epoch: number
  /** Authenticated encryption under the current epoch; `context` (document, device, start, seq) is bound in. */
  seal(plain: Uint8Array, context: string): Uint8Array
  /** @throws DomainError  this device does not hold the key of `epoch` (yet), or the bytes are not what was sealed */
  open(epoch: number, sealed: Uint8Array, context: string): Uint8Array
}
