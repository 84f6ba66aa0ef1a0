import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import { entryContext, type SqliteStore } from './sqlite-store.ts'

/** KeyValueStore in a SqliteStore: names and values sealed, look-up by HMAC. */
export class SqliteKeyValueStore implements KeyValueStore {
  readonly #store: SqliteStore

  constructor(store: SqliteStore) {
    this.#store = store
  }

  get(space: string, key: string): Uint8Array | undefined {
    return this.#store.run(() => {
      const id = this.#id(space, key)
      const row = this.#store.statement('select value from entry where space = ? and key = ?').get(this.#space(space), id)
      return row && this.#store.sealer.open((row as { value: Uint8Array }).value, entryContext('value', id))
    })
  }

  put(space: string, key: string, value: Uint8Array): void {
    this.putAll(space, [[key, value]])
  }

  /** All of them kept, or none. */
  putAll(space: string, entries: readonly (readonly [key: string, value: Uint8Array])[]): void {
    this.#store.write(() => {
      const { sealer } = this.#store
      const put = this.#store.statement('insert or replace into entry (space, key, name, value) values (?, ?, ?, ?)')
      for (const [key, value] of entries) {
        const id = this.#id(space, key)
        put.run(this.#space(space), id, sealer.seal(utf8(key), entryContext('name', id)), sealer.seal(value, entryContext('value', id)))
      }
    })
  }

  delete(space: string, key: string): void {
    this.#store.write(() => {
      this.#store.statement('delete from entry where space = ? and key = ?').run(this.#space(space), this.#id(space, key))
    })
  }

  entries(space: string): readonly (readonly [key: string, value: Uint8Array])[] {
    return this.#store.run(() => {
      const rows = this.#store.statement('select key, name, value from entry where space = ?').all(this.#space(space))
      const { sealer } = this.#store
      return (rows as { key: Uint8Array; name: Uint8Array; value: Uint8Array }[]).map(
        ({ key, name, value }) =>
          [fromUtf8(sealer.open(name, entryContext('name', key))), sealer.open(value, entryContext('value', key))] as const,
      )
    })
  }

  #space(space: string): Uint8Array {
    return this.#store.sealer.lookupKey(`space\n${space}`)
  }

  #id(space: string, key: string): Uint8Array {
    return this.#store.sealer.lookupKey(`entry\n${space}\n${key}`)
  }
}
