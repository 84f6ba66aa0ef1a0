import { concatBytes } from '../base/bytes.ts'
import { deviceIdOf, type DeviceId, type PersonId } from '../base/ids.ts'
import { fromBase58, toBase58 } from '../base/base58.ts'
import { KEY_BYTES, type BoxKey, type Crypto, type Secret, type SigningKey } from './crypto.ts'
import { DatasetKeys } from './dataset-keys.ts'
import { IdentityError } from './identity-error.ts'
import { StorageSealer } from './storage-sealer.ts'
import { WalletKey } from './wallet/wallet-key.ts'

/** 2: with the seed of a wallet before the workspace's keys. A device that has no wallet writes 1. */
const FORMAT = 1
const FORMAT_WITH_WALLET = 2
const HEAD_BYTES = 1 + 4 * KEY_BYTES

/** Signs as this device. Fits sync's `DeviceSigner`. */
export interface DeviceSigner {
  readonly device: DeviceId
  /** @throws IdentityError `identity/key-wiped`  the device was locked */
  sign(message: Uint8Array): Uint8Array
}

/**
 * What an open vault holds for the *device*: signing key, separate X25519 key, storage key, the workspace's keys, and
 * once it is wanted a wallet with a key of its own. Person keys are never in here (rule ID13). Disposing wipes all of it;
 * whoever kept the object gets `identity/key-wiped`.
 */
export class DeviceKeys {
  readonly device: DeviceId
  /** Whose device this is: the base58 root key that the device list hangs from. */
  readonly person: PersonId
  readonly signer: DeviceSigner
  readonly box: BoxKey
  readonly sealer: StorageSealer
  readonly datasetKeys: DatasetKeys
  readonly #crypto: Crypto
  readonly #seeds: Secret
  readonly #dispose: () => void
  #wallet: { readonly seed: Secret; readonly signing: SigningKey; readonly key: WalletKey } | undefined

  private constructor(crypto: Crypto, seeds: Secret, person: PersonId, datasetKeys: DatasetKeys) {
    const signing = crypto.signingKey(seeds.bytes.subarray(0, KEY_BYTES))
    this.#crypto = crypto
    this.#seeds = seeds
    this.person = person
    this.datasetKeys = datasetKeys
    this.device = deviceIdOf(signing.publicKey)
    this.signer = { device: this.device, sign: (message) => signing.sign(message) }
    this.box = crypto.boxKey(seeds.bytes.subarray(KEY_BYTES, 2 * KEY_BYTES))
    this.sealer = new StorageSealer(crypto, seeds.bytes.subarray(2 * KEY_BYTES, 3 * KEY_BYTES))
    this.#dispose = () => signing.dispose()
  }

  /** A new device of `person`, with a workspace of its own unless it is given the keys of one. */
  static create(crypto: Crypto, person: PersonId, datasetKeys = DatasetKeys.create(crypto)): DeviceKeys {
    return new DeviceKeys(crypto, crypto.randomSecret(3 * KEY_BYTES), person, datasetKeys)
  }

  /** Reads what `encode` wrote. @throws IdentityError `keys/malformed` */
  static decode(crypto: Crypto, bytes: Uint8Array): DeviceKeys {
    const hasWallet = bytes[0] === FORMAT_WITH_WALLET
    const headBytes = hasWallet ? HEAD_BYTES + KEY_BYTES : HEAD_BYTES
    if (bytes.length <= headBytes || (bytes[0] !== FORMAT && !hasWallet)) {
      throw new IdentityError('keys/malformed', 'the device keys in the vault cannot be read; restore vault.json from a backup')
    }
    const person = toBase58(bytes.subarray(HEAD_BYTES - KEY_BYTES, HEAD_BYTES)) as PersonId
    const datasetKeys = DatasetKeys.decode(crypto, bytes.subarray(headBytes))
    const keys = new DeviceKeys(crypto, crypto.secret(bytes.slice(1, HEAD_BYTES - KEY_BYTES)), person, datasetKeys)
    if (hasWallet) keys.#takeWallet(crypto.secret(bytes.slice(HEAD_BYTES, headBytes)))
    return keys
  }

  /** This device's Solana key, made apart from all others; undefined until `makeWallet`. */
  get wallet(): WalletKey | undefined {
    return this.#wallet?.key
  }

  /** To be kept (`Vault.openWallet`) before anybody hears of it: what is paid to a key that is lost is lost. */
  makeWallet(): void {
    this.#keptSeeds() // not after it was wiped
    if (!this.#wallet) this.#takeWallet(this.#crypto.randomSecret(KEY_BYTES))
  }

  /** Takes back one that could not be kept. */
  dropWallet(): void {
    this.#wallet?.signing.dispose()
    this.#wallet?.seed.dispose()
    this.#wallet = undefined
  }

  /** The same machine as a device of another person: same device, storage, box and wallet keys, that person's workspace keys. */
  adopt(person: PersonId, datasetKeys: DatasetKeys): DeviceKeys {
    const keys = new DeviceKeys(this.#crypto, this.#crypto.secret(this.#keptSeeds().slice()), person, datasetKeys)
    if (this.#wallet) keys.#takeWallet(this.#crypto.secret(this.#wallet.seed.bytes.slice()))
    return keys
  }

  /** All keys in plain, to be sealed at once; the caller wipes them. */
  encode(): Uint8Array {
    const datasetKeys = this.datasetKeys.encode()
    const wallet = this.#wallet?.seed.bytes ?? new Uint8Array()
    const format = Uint8Array.of(this.#wallet ? FORMAT_WITH_WALLET : FORMAT)
    const bytes = concatBytes(format, this.#keptSeeds(), fromBase58(this.person), wallet, datasetKeys)
    this.#crypto.wipe(datasetKeys)
    return bytes
  }

  dispose(): void {
    this.#dispose()
    this.dropWallet()
    this.#seeds.dispose()
    this.box.dispose()
    this.sealer.dispose()
    this.datasetKeys.dispose()
  }

  #takeWallet(seed: Secret): void {
    const signing = this.#crypto.signingKey(seed.bytes)
    this.#wallet = { seed, signing, key: new WalletKey(signing) }
  }

  #keptSeeds(): Uint8Array {
    if (this.#seeds.bytes.length > 0) return this.#seeds.bytes
    throw new IdentityError('identity/key-wiped', 'the device keys were wiped when this device locked; unlock it first')
  }
}
