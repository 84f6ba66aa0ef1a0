import type { LedgerHead, LedgerStore } from '../../identity/ledger/ledger-store.ts'
import { SqliteKeyValueStore } from './sqlite-key-value-store.ts'
import type { SqliteStore } from './sqlite-store.ts'

const SPACE = 'ledger'
const HEAD = 'head'
const COUNT_BYTES = 8

/** LedgerStore in a SqliteStore of its own: records and head as sealed entries, which a damaged file carries over. */
export class SqliteLedgerStore implements LedgerStore {
  readonly #values: SqliteKeyValueStore
  #head: LedgerHead | undefined

  constructor(store: SqliteStore) {
    this.#values = new SqliteKeyValueStore(store)
    this.#head = decodeHead(this.#values.get(SPACE, HEAD))
    store.onDidSetAside(() => (this.#head = decodeHead(this.#values.get(SPACE, HEAD))))
  }

  get head(): LedgerHead | undefined {
    return this.#head
  }

  append(from: number, records: readonly Uint8Array[], head: LedgerHead): void {
    const entries = records.map((record, n) => [String(from + n), record] as const)
    this.#values.putAll(SPACE, [...entries, [HEAD, encodeHead(head)]])
    this.#head = head
  }

  read(position: number): Uint8Array | undefined {
    return this.#values.get(SPACE, String(position))
  }
}

function encodeHead({ count, hash }: LedgerHead): Uint8Array {
  const bytes = new Uint8Array(COUNT_BYTES + hash.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(count))
  bytes.set(hash, COUNT_BYTES)
  return bytes
}

function decodeHead(bytes: Uint8Array | undefined): LedgerHead | undefined {
  if (!bytes) return undefined
  const count = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
  return { count, hash: bytes.slice(COUNT_BYTES) }
}
