import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { VaultFile, VaultStore } from '../../identity/vault-store.ts'
import { systemStoreError } from './system-store-error.ts'

const FILE_NAMES: Readonly<Record<VaultFile, string>> = {
  vault: 'vault.json',
  unattended: 'unattended.key',
  opener: 'opener.sealed',
  passkey: 'passkey.json',
  wallets: 'wallets.sealed',
  buckets: 'buckets.sealed',
  datasets: 'datasets.sealed',
  devices: 'devices.sealed',
}

/**
 * The vault as files in the data folder, readable by their owner only (0600). A write goes to a new file, is synced, takes
 * the old one's place by rename, and the folder is synced: after a crash there is the old vault or the new one, never half.
 */
export class FileVaultStore implements VaultStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async read(file: VaultFile): Promise<Uint8Array | undefined> {
    try {
      return new Uint8Array(await readFile(this.#path(file)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw systemStoreError(error, this.#path(file))
    }
  }

  async write(file: VaultFile, bytes: Uint8Array): Promise<void> {
    try {
      await this.#replace(file, bytes)
    } catch (error) {
      throw systemStoreError(error, this.#path(file))
    }
  }

  async #replace(file: VaultFile, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const path = this.#path(file)
    const fresh = `${path}.new`
    await rm(fresh, { force: true })
    const handle = await open(fresh, 'wx', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(fresh, 0o600) // whatever the umask took or left
    await rename(fresh, path)
    await this.#syncFolder()
  }

  async remove(file: VaultFile): Promise<void> {
    try {
      await rm(this.#path(file))
      await this.#syncFolder()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw systemStoreError(error, this.#path(file))
    }
  }

  #path(file: VaultFile): string {
    return join(this.#folder, FILE_NAMES[file])
  }

  /** Makes the rename last through a power cut. Windows cannot sync a folder, and keeps renames in its journal. */
  async #syncFolder(): Promise<void> {
    if (process.platform === 'win32') return
    const folder = await open(this.#folder, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
}
