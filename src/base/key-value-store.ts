/**
 * Small sealed values that belong to this device: settings, seat, device list, last screens, issued client ids.
 *
 * Values are opaque bytes, at most a few MiB each. Synchronous: a value put is kept (survives kill -9) when the call
 * returns. Every implementation runs `describeKeyValueStore` from key-value-store.suite.ts (rules SY90-SY92).
 */
export interface KeyValueStore {
  /** The bytes last put, or undefined. `space` keeps rooms apart (`seat`, `settings`). */
  get(space: string, key: string): Uint8Array | undefined
  /** @throws StoreError `store/disk-full`, `store/read-only` */
  put(space: string, key: string, value: Uint8Array): void
  /** An unknown key is no error. */
  delete(space: string, key: string): void
  /** All entries of a space, in no order that means anything. */
  entries(space: string): readonly (readonly [key: string, value: Uint8Array])[]
}

/** Keeps values in memory; for tests, and for a device whose folder cannot be written. */
export class MemoryKeyValueStore implements KeyValueStore {
  readonly #spaces = new Map<string, Map<string, Uint8Array>>()

  get(space: string, key: string): Uint8Array | undefined {
    return this.#spaces.get(space)?.get(key)?.slice()
  }

  put(space: string, key: string, value: Uint8Array): void {
    let entries = this.#spaces.get(space)
    if (!entries) this.#spaces.set(space, (entries = new Map()))
    entries.set(key, value.slice())
  }

  delete(space: string, key: string): void {
    this.#spaces.get(space)?.delete(key)
  }

  entries(space: string): readonly (readonly [key: string, value: Uint8Array])[] {
    return [...(this.#spaces.get(space) ?? [])].map(([key, value]) => [key, value.slice()] as const)
  }
}
