import { concatBytes, toHex, utf8 } from '../base/bytes.ts'
import { KEY_BYTES, type Crypto, type Secret } from './crypto.ts'
import { IdentityError } from './identity-error.ts'

/** Epoch 0 alone, or raw epochs of the first builds. */
const PLAIN_FORMAT = 1
/** Epochs of the authority log: each entry says how its keys come about, the one in use is the last. */
const FORMAT = 2
const PLAIN_ENTRY_BYTES = 4 + KEY_BYTES
const ENTRY_BYTES = 5 + KEY_BYTES
/** Epochs change at revocations and schema breaks only; a thousand is a broken or hostile set of keys. */
export const MAX_EPOCHS = 1024

/** Names one key without telling it: 16 hex digits of an HMAC under it. Two epochs of one number differ here. */
export type KeyName = string & { readonly __brand: 'KeyName' }

/** The name of the key that `root` is. */
export const keyNameOf = (crypto: Pick<Crypto, 'hmacSha256'>, root: Uint8Array): KeyName =>
  toHex(crypto.hmacSha256(root, utf8('elsewhere/epoch-name/1')).subarray(0, 8)) as KeyName

interface Epoch {
  readonly epoch: number
  readonly name: KeyName
  readonly root: Secret
  /** Epoch 0 was made with a secret for topics beside it; every later one has a single root that both are derived from. */
  readonly isPlain: boolean
  readonly sealing: Secret
}

/**
 * The keys of the workspace: a *secret* that the first topics are derived from, and one key per epoch. An epoch's key seals
 * its envelopes; topics are derived from it apart, so that neither tells the other. Whoever holds an epoch's key reads that
 * epoch; revocation adds an epoch (rule ID12). Two made at once have one number: both open, the one in use seals.
 *
 * Fits sync's `EnvelopeSeal`. Owns its keys: disposing wipes them. Knows nothing of who may hold them.
 */
export class DatasetKeys {
  readonly #crypto: Crypto
  readonly #secret: Secret
  readonly #epochs = new Map<KeyName, Epoch>()
  #current: Epoch

  private constructor(crypto: Crypto, secret: Secret, first: { epoch: number; root: Secret; isPlain: boolean }) {
    this.#crypto = crypto
    this.#secret = secret
    this.#current = this.#put(first.epoch, first.root, first.isPlain)
  }

  /** Fresh keys with epoch 0. */
  static create(crypto: Crypto): DatasetKeys {
    return new DatasetKeys(crypto, crypto.randomSecret(KEY_BYTES), { epoch: 0, root: crypto.randomSecret(KEY_BYTES), isPlain: true })
  }

  /** Reads what `encode` wrote. @throws IdentityError `keys/malformed` */
  static decode(crypto: Crypto, bytes: Uint8Array): DatasetKeys {
    const isPlain = bytes[0] === PLAIN_FORMAT
    const step = isPlain ? PLAIN_ENTRY_BYTES : ENTRY_BYTES
    const count = (bytes.length - 1 - KEY_BYTES) / step
    if (!(isPlain || bytes[0] === FORMAT) || !Number.isInteger(count) || count < 1 || count > MAX_EPOCHS) throw malformed()
    const entries: { epoch: number; isPlain: boolean; from: number }[] = []
    for (let offset = 1 + KEY_BYTES; offset < bytes.length; offset += step) {
      const flag = isPlain ? 1 : bytes[offset + 4]
      if (flag !== 0 && flag !== 1) throw malformed()
      entries.push({
        epoch: new DataView(bytes.buffer, bytes.byteOffset + offset, 4).getUint32(0),
        isPlain: flag === 1,
        from: offset + step,
      })
    }
    if (isPlain && new Set(entries.map(({ epoch }) => epoch)).size < count) throw malformed()
    const names = new Set(entries.map(({ from }) => keyNameOf(crypto, bytes.subarray(from - KEY_BYTES, from))))
    if (names.size < count) throw malformed()
    const root = (from: number) => crypto.secret(bytes.slice(from - KEY_BYTES, from))
    const [first, ...rest] = entries as [(typeof entries)[0], ...typeof entries]
    const keys = new DatasetKeys(crypto, crypto.secret(bytes.slice(1, 1 + KEY_BYTES)), { ...first, root: root(first.from) })
    for (const entry of rest) {
      const epoch = keys.#put(entry.epoch, root(entry.from), entry.isPlain)
      if (!isPlain || epoch.epoch > keys.#current.epoch) keys.#current = epoch
    }
    return keys
  }

  /** All keys in plain, to be sealed at once; the caller wipes them. */
  encode(): Uint8Array {
    const others = [...this.#epochs.values()].filter((epoch) => epoch !== this.#current)
    const epochs = [...others, this.#current]
    const isPlain = epochs.every((epoch, i) => epoch.isPlain && epoch.epoch === i) // as the first builds wrote and read it
    const parts: Uint8Array[] = [Uint8Array.of(isPlain ? PLAIN_FORMAT : FORMAT), this.#kept(this.#secret)]
    for (const entry of epochs) {
      const head = new Uint8Array(isPlain ? 4 : 5)
      new DataView(head.buffer).setUint32(0, entry.epoch)
      if (!isPlain) head[4] = entry.isPlain ? 1 : 0
      parts.push(head, this.#kept(entry.root))
    }
    return concatBytes(...parts)
  }

  /** The epoch that `seal` uses now. */
  get epoch(): number {
    return this.#current.epoch
  }

  /** Its key. */
  get current(): KeyName {
    return this.#current.name
  }

  /** Of every key held, the one in use last. */
  get names(): readonly KeyName[] {
    return [...this.#epochs.keys()].sort((a, b) => Number(a === this.current) - Number(b === this.current))
  }

  /** The newest key that no operation of the authority log made: what was shared when this device joined. */
  get shared(): KeyName | undefined {
    const plain = [...this.#epochs.values()].filter(({ isPlain }) => isPlain).sort((a, b) => b.epoch - a.epoch)
    return plain[0]?.name
  }

  isShared(name: KeyName): boolean {
    return this.#epochs.get(name)?.isPlain === true
  }

  has(name: KeyName): boolean {
    return this.#epochs.has(name)
  }

  /** What a key is made of, to be sealed at once for somebody who may hold it; the caller wipes it. */
  rootOf(name: KeyName): { readonly epoch: number; readonly root: Uint8Array } | undefined {
    const entry = this.#epochs.get(name)
    return entry && { epoch: entry.epoch, root: this.#kept(entry.root).slice() }
  }

  /** Takes in the key of an epoch, and wipes `root`: what was sealed under it opens here from now on. @throws IdentityError `keys/malformed` */
  take(epoch: number, root: Uint8Array): KeyName {
    this.#kept(this.#secret)
    const name = keyNameOf(this.#crypto, root)
    if (!this.#epochs.has(name) && this.#epochs.size >= MAX_EPOCHS) throw malformed()
    const secret = this.#crypto.secret(root)
    if (this.#epochs.has(name)) secret.dispose()
    else this.#put(epoch, secret, false)
    return name
  }

  /** Seals under this key from now on, and meets where it says. False: it is not held. */
  use(name: KeyName): boolean {
    const entry = this.#epochs.get(name)
    if (entry) this.#current = entry
    return entry !== undefined
  }

  /** `context` names what is sealed (document, device, start, seq) and is bound in. */
  seal(plain: Uint8Array, context: string): Uint8Array {
    const { epoch, sealing } = this.#current
    return this.#crypto.encrypt(this.#kept(sealing), plain, contextOf(epoch, context))
  }

  /** @throws IdentityError `keys/unknown-epoch` (this device does not hold that key), `vault/unsealable` */
  open(epoch: number, sealed: Uint8Array, context: string): Uint8Array {
    let isKnown = false
    for (const entry of this.#epochs.values()) {
      if (entry.epoch !== epoch) continue
      isKnown = true
      const plain = this.#crypto.decrypt(this.#kept(entry.sealing), sealed, contextOf(epoch, context))
      if (plain) return plain
    }
    if (isKnown) throw new IdentityError('vault/unsealable', `"${context}" of epoch ${epoch} is not what was sealed; it is refused`)
    throw new IdentityError('keys/unknown-epoch', `this device holds no key of epoch ${epoch}; a linked device that has it must share it`)
  }

  /** 32 bytes that only the devices of the current epoch know: topics and payload keys of the rendezvous come from it. */
  get rendezvousSecret(): Uint8Array {
    return this.#topicsOf(this.#current)
  }

  /** Of the epochs before, the newest first: devices that were away look there. */
  get leftRendezvousSecrets(): readonly Uint8Array[] {
    const left = [...this.#epochs.values()].filter((entry) => entry !== this.#current).sort((a, b) => b.epoch - a.epoch)
    return left.map((entry) => this.#topicsOf(entry))
  }

  dispose(): void {
    this.#secret.dispose()
    for (const { root, sealing } of this.#epochs.values()) for (const secret of [root, sealing]) secret.dispose()
  }

  #put(epoch: number, root: Secret, isPlain: boolean): Epoch {
    const name = keyNameOf(this.#crypto, root.bytes)
    const sealing = isPlain ? root : this.#crypto.hkdf(root.bytes, 'elsewhere/epoch-seal/1', KEY_BYTES)
    const entry = { epoch, name, root, isPlain, sealing }
    this.#epochs.set(name, entry)
    return entry
  }

  #topicsOf({ isPlain, root }: Epoch): Uint8Array {
    const derived = this.#crypto.hkdf(this.#kept(isPlain ? this.#secret : root), 'elsewhere/rendezvous/1', KEY_BYTES)
    const copy = derived.bytes.slice()
    derived.dispose()
    return copy
  }

  #kept(secret: Secret): Uint8Array {
    if (secret.bytes.length > 0) return secret.bytes
    throw new IdentityError('identity/key-wiped', "the workspace's keys were wiped when this device locked; unlock it first")
  }
}

const contextOf = (epoch: number, context: string): Uint8Array => utf8(`elsewhere/epoch/1/${epoch}/${context}`)

const malformed = () => new IdentityError('keys/malformed', 'these workspace keys cannot be read; nothing was taken over')
