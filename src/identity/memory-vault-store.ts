import type { VaultFile, VaultStore } from './vault-store.ts'

/** A vault's files in memory. `failWith` makes every write reject, as a full disk does. */
export class MemoryVaultStore implements VaultStore {
  readonly files = new Map<VaultFile, Uint8Array>()
  failWith: Error | undefined

  async read(file: VaultFile): Promise<Uint8Array | undefined> {
    return this.files.get(file)?.slice()
  }

  async write(file: VaultFile, bytes: Uint8Array): Promise<void> {
    if (this.failWith) throw this.failWith
    this.files.set(file, bytes.slice())
  }

  async remove(file: VaultFile): Promise<void> {
    this.files.delete(file)
  }
}
