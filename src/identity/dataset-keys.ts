import { concatBytes, utf8 } from '../base/bytes.ts'
import { KEY_BYTES, type Crypto, type Secret } from './crypto.ts'
import { IdentityError } from './identity-error.ts'

const FORMAT = 1
const EPOCH_ENTRY_BYTES = 4 + KEY_BYTES
/** Epochs change at revocations and schema breaks only; a thousand is a broken or hostile set of keys. */
export const MAX_EPOCHS = 1024

/**
 * The keys of one dataset, here the workspace: a *secret* that topics are derived from, and one key per epoch that seals
 * its envelopes. Whoever holds an epoch key reads that epoch; revocation adds an epoch (rule ID12).
 *
 * Fits sync's `EnvelopeSeal`. Owns its keys: disposing wipes them. Knows nothing of who may hold them.
 */
export class DatasetKeys {
  readonly #crypto: Crypto
  readonly #secret: Secret
  readonly #epochs: Map<number, Secret>
  #current: number

  private constructor(crypto: Crypto, secret: Secret, epochs: Map<number, Secret>) {
    this.#crypto = crypto
    this.#secret = secret
    this.#epochs = epochs
    this.#current = Math.max(...epochs.keys())
  }

  /** Fresh keys with epoch 0. */
  static create(crypto: Crypto): DatasetKeys {
    return new DatasetKeys(crypto, crypto.randomSecret(KEY_BYTES), new Map([[0, crypto.randomSecret(KEY_BYTES)]]))
  }

  /** Reads what `encode` wrote. @throws IdentityError `keys/malformed` */
  static decode(crypto: Crypto, bytes: Uint8Array): DatasetKeys {
    const entries = (bytes.length - 1 - KEY_BYTES) / EPOCH_ENTRY_BYTES
    if (bytes[0] !== FORMAT || !Number.isInteger(entries) || entries < 1 || entries > MAX_EPOCHS) throw malformed()
    const epochs = new Map<number, Secret>()
    for (let offset = 1 + KEY_BYTES; offset < bytes.length; offset += EPOCH_ENTRY_BYTES) {
      const epoch = new DataView(bytes.buffer, bytes.byteOffset + offset, 4).getUint32(0)
      if (epochs.has(epoch)) throw malformed()
      epochs.set(epoch, crypto.secret(bytes.slice(offset + 4, offset + EPOCH_ENTRY_BYTES)))
    }
    return new DatasetKeys(crypto, crypto.secret(bytes.slice(1, 1 + KEY_BYTES)), epochs)
  }

  /** All keys in plain, to be sealed at once; the caller wipes them. */
  encode(): Uint8Array {
    const parts: Uint8Array[] = [Uint8Array.of(FORMAT), this.#kept(this.#secret)]
    for (const [epoch, key] of this.#epochs) {
      const number = new Uint8Array(4)
      new DataView(number.buffer).setUint32(0, epoch)
      parts.push(number, this.#kept(key))
    }
    return concatBytes(...parts)
  }

  /** The epoch that `seal` uses now. */
  get epoch(): number {
    return this.#current
  }

  /** `context` names what is sealed (document, device, start, seq) and is bound in. */
  seal(plain: Uint8Array, context: string): Uint8Array {
    const key = this.#epochs.get(this.#current) as Secret
    return this.#crypto.encrypt(this.#kept(key), plain, this.#context(this.#current, context))
  }

  /** @throws IdentityError `keys/unknown-epoch` (this device does not hold that key), `vault/unsealable` */
  open(epoch: number, sealed: Uint8Array, context: string): Uint8Array {
    const key = this.#epochs.get(epoch)
    if (!key) {
      throw new IdentityError('keys/unknown-epoch', `this device holds no key of epoch ${epoch}; a linked device that has it must share it`)
    }
    const plain = this.#crypto.decrypt(this.#kept(key), sealed, this.#context(epoch, context))
    if (!plain) throw new IdentityError('vault/unsealable', `"${context}" of epoch ${epoch} is not what was sealed; it is refused`)
    return plain
  }

  /** 32 bytes that only this person's devices know: topics and payload keys of the rendezvous come from it. */
  get rendezvousSecret(): Uint8Array {
    const derived = this.#crypto.hkdf(this.#kept(this.#secret), 'elsewhere/rendezvous/1', KEY_BYTES)
    const copy = derived.bytes.slice()
    derived.dispose()
    return copy
  }

  /** Starts a new epoch under a fresh key; older ones stay readable. Whoever calls it hands the keys to those who remain. */
  rotate(): number {
    if (this.#epochs.size >= MAX_EPOCHS) throw malformed()
    this.#kept(this.#secret)
    this.#epochs.set(++this.#current, this.#crypto.randomSecret(KEY_BYTES))
    return this.#current
  }

  dispose(): void {
    this.#secret.dispose()
    for (const key of this.#epochs.values()) key.dispose()
  }

  #context(epoch: number, context: string): Uint8Array {
    return utf8(`elsewhere/epoch/1/${epoch}/${context}`)
  }

  #kept(secret: Secret): Uint8Array {
    if (secret.bytes.length > 0) return secret.bytes
    throw new IdentityError('identity/key-wiped', "the workspace's keys were wiped when this device locked; unlock it first")
  }
}

const malformed = () => new IdentityError('keys/malformed', 'these workspace keys cannot be read; nothing was taken over')
