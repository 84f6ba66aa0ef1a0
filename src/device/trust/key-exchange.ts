import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from '../../base/bytes.ts'
import type { Disposable } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { DatasetKeyring } from '../../identity/dataset-keyring.ts'
import type { Client } from '../../rpc/client.ts'
import type { peerContract } from '../links/peer-contract.ts'

const SPACE = 'keys-heard'

/** Which key of the workspace each device last said it has: those that have another may still look for us where we were. */
export class KeysHeard implements Disposable {
  readonly #values: KeyValueStore
  readonly #heard = new Emitter<void>()
  /** One more device has the key that counts. */
  readonly onDidHear = this.#heard.event

  constructor(values: KeyValueStore) {
    this.#values = values
  }

  hear(device: DeviceId, names: readonly string[], current: string): void {
    if (!names.includes(current) || this.has(device, current)) return
    this.#values.put(SPACE, device, utf8(current))
    this.#heard.fire()
  }

  dispose(): void {
    this.#heard.dispose()
  }

  /** Nobody has ever said so: this device was linked with none. */
  get isEmpty(): boolean {
    return this.#values.entries(SPACE).length === 0
  }

  has(device: DeviceId, current: string): boolean {
    const kept = this.#values.get(SPACE, device)
    return kept !== undefined && fromUtf8(kept) === current
  }
}

export interface KeyExchangeOptions {
  readonly keyring: DatasetKeyring
  readonly heard: KeysHeard
  readonly peer: DeviceId
  /** The workspace's key that counts here. */
  current(): string
}

/**
 * Keys between this device and one peer (rule ID75): each says the names of what it holds, and asks for what it lacks. The
 * authority log hands out most of them; this is for a device that was added while another one rotated.
 */
export class KeyExchange {
  readonly #options: KeyExchangeOptions

  constructor(options: KeyExchangeOptions) {
    this.#options = options
  }

  get names(): string[] {
    return [...this.#options.keyring.names]
  }

  answer({ have }: { readonly have: readonly string[] }): { have: string[]; sealed?: string } {
    const { keyring, peer } = this.#options
    this.#hear(have)
    const sealed = keyring.share(peer, new Set(have))
    return { have: this.names, ...(sealed ? { sealed: toBase64Url(sealed) } : {}) }
  }

  /** Asks until nothing new comes. @throws IdentityError `keys/malformed`, RpcError */
  async pull(control: Pick<Client<typeof peerContract>, 'pullKeys'>): Promise<void> {
    for (let isNews = true; isNews; ) {
      const { have, sealed } = await control.pullKeys({ have: this.names })
      this.#hear(have)
      isNews = sealed !== undefined && this.#options.keyring.takeShared(fromBase64Url(sealed))
    }
  }

  /** What the peer told. @returns whether it holds something that is lacking here */
  take({ have }: { readonly have: readonly string[] }): boolean {
    this.#hear(have)
    const held = new Set<string>(this.names)
    return have.some((name) => !held.has(name))
  }

  #hear(have: readonly string[]): void {
    this.#options.heard.hear(this.#options.peer, have, this.#options.current())
  }
}
