import * as z from 'zod'
import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import { type Crypto, KEY_BYTES, type Secret } from './crypto.ts'
import type { LockName } from './vault-locks.ts'
import type { VaultStore } from './vault-store.ts'

/** What WebAuthn allows a credential's id to be. */
export const MAX_CREDENTIAL_BYTES = 1023
/** Larger is no slot: an id, a salt and two sealed locks. */
const MAX_SLOT_BYTES = 8 * 1024

const bytes = (min: number, max: number) =>
  z
    .string()
    .max(2 * MAX_CREDENTIAL_BYTES)
    .regex(/^[A-Za-z0-9_-]*$/)
    .refine((text) => text.length % 4 !== 1)
    .transform(fromBase64Url)
    .refine(({ length }) => length >= min && length <= max)

const slotFile = z.object({
  format: z.literal('elsewhere-passkey'),
  version: z.literal(1),
  credentialId: bytes(1, MAX_CREDENTIAL_BYTES),
  /** What the authenticator is asked about: its answer opens the locks. Not secret, and of no use without the authenticator. */
  salt: bytes(KEY_BYTES, KEY_BYTES),
  device: bytes(1, 256),
  /** Absent where the person's key did not lie here. */
  person: bytes(1, 256).nullable(),
})
type Slot = z.infer<typeof slotFile>

/** What a display needs to ask its authenticator. */
export type PasskeyQuestion = Pick<Slot, 'credentialId' | 'salt'>

/** What was sealed of each lock. */
export interface OpenLocks {
  readonly device: Secret
  readonly person: Secret | undefined
}

/**
 * One passkey's way to both locks (rule ID29): the answer of an authenticator (WebAuthn PRF) > HKDF per lock > lock key. Lies
 * beside the vault in a file of its own; a damaged one is as none, since the passphrase is always there. Owns no open lock.
 */
export class VaultPasskey {
  readonly #crypto: Crypto
  readonly #store: VaultStore
  #slot: Slot | undefined

  private constructor(crypto: Crypto, store: VaultStore, slot: Slot | undefined) {
    this.#crypto = crypto
    this.#store = store
    this.#slot = slot
  }

  /** @throws StoreError */
  static async load(crypto: Crypto, store: VaultStore, logger: Logger): Promise<VaultPasskey> {
    const file = await store.read('passkey')
    const slot = file && decodeSlot(file)
    if (file && !slot) logger.warn('the passkey of this vault cannot be read; the passphrase opens it, and a passkey can be set up anew')
    return new VaultPasskey(crypto, store, slot)
  }

  /** Undefined: none is set up. */
  get question(): PasskeyQuestion | undefined {
    return this.#slot && { credentialId: this.#slot.credentialId, salt: this.#slot.salt }
  }

  /** The one before opens nothing any more. @throws StoreError */
  async set(device: DeviceId, question: PasskeyQuestion, answer: Secret, locks: OpenLocks): Promise<void> {
    const seal = (lock: LockName, key: Secret) =>
      this.#with(lock, answer, (under) => this.#crypto.encrypt(under, key.bytes, context(device, lock, question)))
    const slot: Slot = {
      format: 'elsewhere-passkey',
      version: 1,
      ...question,
      device: seal('device', locks.device),
      person: locks.person ? seal('person', locks.person) : null,
    }
    await this.#store.write('passkey', encodeSlot(slot))
    this.#slot = slot
  }

  async forget(): Promise<void> {
    this.#slot = undefined
    await this.#store.remove('passkey')
  }

  /** Undefined: another passkey's answer, or none is set up. The caller owns the locks. */
  open(device: DeviceId, answer: Secret): OpenLocks | undefined {
    const slot = this.#slot
    if (!slot) return undefined
    const open = (lock: LockName, sealed: Uint8Array) => {
      const key = this.#with(lock, answer, (under) => this.#crypto.decrypt(under, sealed, context(device, lock, slot)))
      return key?.length === KEY_BYTES ? this.#crypto.secret(key) : undefined
    }
    const deviceLock = open('device', slot.device)
    if (!deviceLock) return undefined
    return { device: deviceLock, person: slot.person ? open('person', slot.person) : undefined }
  }

  #with<T>(lock: LockName, answer: Secret, use: (key: Uint8Array) => T): T {
    const key = this.#crypto.hkdf(answer.bytes, `elsewhere/vault/1/passkey/${lock}`, KEY_BYTES)
    try {
      return use(key.bytes)
    } finally {
      key.dispose()
    }
  }
}

/** Binds a sealed lock to its device, its name, its credential and what that was asked. */
const context = (device: DeviceId, lock: LockName, { credentialId, salt }: PasskeyQuestion): Uint8Array =>
  utf8(`elsewhere/vault/1/passkey/${lock}/${device}/${toBase64Url(credentialId)}/${toBase64Url(salt)}`)

function decodeSlot(file: Uint8Array): Slot | undefined {
  if (file.length > MAX_SLOT_BYTES) return undefined
  try {
    return slotFile.parse(JSON.parse(fromUtf8(file)))
  } catch {
    return undefined
  }
}

function encodeSlot({ credentialId, salt, device, person, ...head }: Slot): Uint8Array {
  const json = {
    ...head,
    credentialId: toBase64Url(credentialId),
    salt: toBase64Url(salt),
    device: toBase64Url(device),
    person: person && toBase64Url(person),
  }
  return utf8(`${JSON.stringify(json, undefined, 2)}\n`)
}
