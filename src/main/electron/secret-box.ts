import type { SafeStorage } from 'electron'
import { NativeError } from './native-error.ts'

/** Back ends of Electron's safeStorage on Linux that keep nothing secret. */
const PLAIN_TEXT_BACKENDS: ReadonlySet<string> = new Set(['basic_text', 'unknown'])

/** Seals secrets with the operating system's keystore; refuses where that is only plain text (facts: Linux without a keyring). */
export class SecretBox {
  readonly #safeStorage: SafeStorage
  readonly #platform: string

  constructor(safeStorage: SafeStorage, platform: string) {
    this.#safeStorage = safeStorage
    this.#platform = platform
  }

  async isAvailable(): Promise<boolean> {
    if (this.#platform === 'linux' && PLAIN_TEXT_BACKENDS.has(this.#safeStorage.getSelectedStorageBackend())) return false
    return this.#safeStorage.isAsyncEncryptionAvailable()
  }

  async seal(base64: string): Promise<string> {
    await this.#mustBeAvailable()
    return (await this.#safeStorage.encryptStringAsync(base64)).toString('base64')
  }

  async open(base64: string): Promise<string> {
    await this.#mustBeAvailable()
    try {
      return (await this.#safeStorage.decryptStringAsync(Buffer.from(base64, 'base64'))).result
    } catch (cause) {
      throw new NativeError('native/other-keystore', 'the key store of this system did not make that; unlock with your passphrase', {
        cause,
      })
    }
  }

  async #mustBeAvailable(): Promise<void> {
    if (await this.isAvailable()) return
    throw new NativeError('native/no-keystore', 'this system has no keystore that keeps secrets; unlock with your passphrase instead')
  }
}
