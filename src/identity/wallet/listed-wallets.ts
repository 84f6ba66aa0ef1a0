import * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { errorMessage } from '../../base/errors.ts'
import { type Logger, silentLogger } from '../../base/logger.ts'
import type { DeviceKeys } from '../device-keys.ts'
import { IdentityError } from '../identity-error.ts'
import type { VaultStore } from '../vault-store.ts'

/** Nobody has more at hand; each is one more that may open a display. */
export const MAX_LISTED_WALLETS = 8

const listed = z.object({
  /** base58 of the key that signs. */
  address: z.string().min(32).max(44),
  /** What the wallet called itself when it was listed; shown, never trusted. */
  name: z.string().min(1).max(64),
  addedAtMs: z.number().int().nonnegative(),
})
export type ListedWallet = z.infer<typeof listed>

const listFile = z.object({ version: z.literal(1), wallets: z.array(listed).max(MAX_LISTED_WALLETS) })

/**
 * The wallets whose owner may sign in to displays of this device (rule ID140): sealed under the device's storage key and bound to
 * its person, so that nobody lists one by changing a file and none stays when the device joins somebody else. Holds no key and
 * opens none. What cannot be read counts as no wallet: the passphrase is always there.
 */
export class ListedWallets {
  readonly #store: VaultStore
  readonly #keys: DeviceKeys
  #all: readonly ListedWallet[]
  #last: Promise<unknown> = Promise.resolve()

  private constructor(store: VaultStore, keys: DeviceKeys, all: readonly ListedWallet[]) {
    this.#store = store
    this.#keys = keys
    this.#all = all
  }

  /** @throws StoreError */
  static async load(store: VaultStore, keys: DeviceKeys, logger: Logger = silentLogger): Promise<ListedWallets> {
    const sealed = await store.read('wallets')
    try {
      const all = sealed ? listFile.parse(JSON.parse(fromUtf8(keys.sealer.open(sealed, contextOf(keys))))).wallets : []
      return new ListedWallets(store, keys, all)
    } catch (error) {
      logger.warn('the list of wallets that may sign in cannot be read: none may', { error: errorMessage(error) })
      return new ListedWallets(store, keys, [])
    }
  }

  get all(): readonly ListedWallet[] {
    return this.#all
  }

  has(address: string): boolean {
    return this.#all.some((wallet) => wallet.address === address)
  }

  /** Written before it counts. One that is listed already is named anew. @throws IdentityError `wallet/too-many`; StoreError */
  add(wallet: ListedWallet): Promise<void> {
    return this.#change((before) => {
      const all = [...before.filter(({ address }) => address !== wallet.address), wallet]
      if (all.length <= MAX_LISTED_WALLETS) return all
      throw new IdentityError('wallet/too-many', `${MAX_LISTED_WALLETS} wallets may sign in here already; remove one first`)
    })
  }

  /** One that is not listed is fine. @throws StoreError  it is listed still */
  remove(address: string): Promise<void> {
    return this.#change((before) => before.filter((wallet) => wallet.address !== address))
  }

  #change(next: (before: readonly ListedWallet[]) => readonly ListedWallet[]): Promise<void> {
    const run = async () => {
      const wallets = next(this.#all)
      const sealed = this.#keys.sealer.seal(utf8(JSON.stringify({ version: 1, wallets })), contextOf(this.#keys))
      await this.#store.write('wallets', sealed)
      this.#all = wallets
    }
    const done = this.#last.then(run)
    this.#last = done.catch(() => undefined) // the caller hears of it
    return done
  }
}

const contextOf = ({ person }: DeviceKeys): string => `listed-wallets/${person}`
