/** How far a ledger goes: the number of records, and the SHA-256 of the last. */
export interface LedgerHead {
  readonly count: number
  readonly hash: Uint8Array
}

/**
 * Keeps one device's records, in order, and beside them how far they go. Synchronous: what was appended survives kill -9,
 * all of it with its head or none. Outlives a change of person: the ledger is the device's.
 */
export interface LedgerStore {
  readonly head: LedgerHead | undefined
  /** `from` is the position of the first. @throws StoreError `store/disk-full`, `store/read-only` */
  append(from: number, records: readonly Uint8Array[], head: LedgerHead): void
  /** The record at a position; undefined where there is none (any more). @throws StoreError, `vault/unsealable` */
  read(position: number): Uint8Array | undefined
}

/** In memory, for tests. */
export class MemoryLedgerStore implements LedgerStore {
  readonly records = new Map<number, Uint8Array>()
  head: LedgerHead | undefined

  append(from: number, records: readonly Uint8Array[], head: LedgerHead): void {
    records.forEach((record, n) => this.records.set(from + n, record.slice()))
    this.head = head
  }

  read(position: number): Uint8Array | undefined {
    return this.records.get(position)?.slice()
  }
}
