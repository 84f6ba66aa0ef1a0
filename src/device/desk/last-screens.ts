import { fromUtf8, utf8 } from '../../base/bytes.ts'
import * as z from 'zod'
import type { KeyValueStore } from '../../base/key-value-store.ts'

const SPACE = 'last-screens'
/** Screens of terminals on other devices; 64 KiB each at most, so 16 MiB. The oldest give way. */
const MAX_SCREENS = 256

const record = z.object({ screen: z.string(), atMs: z.number() })

/** What terminals of other devices showed last, sealed in this device's store, for when theirs is away. */
export class LastScreens {
  readonly #values: KeyValueStore

  constructor(values: KeyValueStore) {
    this.#values = values
  }

  read(device: string, terminalId: string): { screen: string; atMs: number } | undefined {
    const bytes = this.#values.get(SPACE, keyOf(device, terminalId))
    return bytes && record.parse(JSON.parse(fromUtf8(bytes)))
  }

  /** @throws StoreError */
  keep(device: string, terminalId: string, screen: string, atMs: number): void {
    const key = keyOf(device, terminalId)
    if (this.#values.get(SPACE, key) === undefined) this.#makeRoom()
    this.#values.put(SPACE, key, utf8(JSON.stringify({ screen, atMs })))
  }

  forget(device: string, terminalId: string): void {
    this.#values.delete(SPACE, keyOf(device, terminalId))
  }

  #makeRoom(): void {
    const entries = this.#values.entries(SPACE)
    if (entries.length < MAX_SCREENS) return
    const oldest = entries
      .map(([key, bytes]) => ({ key, atMs: record.parse(JSON.parse(fromUtf8(bytes))).atMs }))
      .sort((a, b) => a.atMs - b.atMs)
    for (const { key } of oldest.slice(0, entries.length - MAX_SCREENS + 1)) this.#values.delete(SPACE, key)
  }
}

const keyOf = (device: string, terminalId: string) => `${device}/${terminalId}`
