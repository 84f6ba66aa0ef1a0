import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { DeviceSettings } from '../../device/desk/desk-contract.ts'
import type { SettingsStore } from '../../device/settings-service.ts'
import { systemStoreError } from '../../platform/node/system-store-error.ts'

/** `settings.json` in the data folder (0600). What else is in the file (the port) is kept as it is. */
export class FileSettingsStore implements SettingsStore {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  read(): Record<string, unknown> {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#file, 'utf8'))
      return value !== null && typeof value === 'object' ? { ...value } : {}
    } catch {
      return {} // missing or damaged: defaults, field by field
    }
  }

  write(settings: DeviceSettings): void {
    this.put(settings)
  }

  /** Changes some values of the file, whoever they belong to. @throws StoreError */
  put(values: Readonly<Record<string, unknown>>): void {
    const fresh = `${this.#file}.new`
    try {
      writeFileSync(fresh, `${JSON.stringify({ ...this.read(), ...values }, undefined, 2)}\n`, { mode: 0o600 })
      renameSync(fresh, this.#file)
    } catch (error) {
      throw systemStoreError(error, this.#file)
    }
  }
}
