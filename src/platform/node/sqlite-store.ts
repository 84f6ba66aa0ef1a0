import { closeSync, existsSync, fdatasync, mkdirSync, openSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import type { Disposable } from '../../base/disposable.ts'
import { Emitter, type Event } from '../../base/emitter.ts'
import { errorMessage } from '../../base/errors.ts'
import { StoreError } from '../../base/store-error.ts'
import type { Sealer } from '../../base/sealer.ts'
import { sqliteStoreError } from './sqlite-store-error.ts'

/** After this a power cut loses nothing; kill -9 never does (the page cache outlives a process). */
const SYNC_DELAY_MS = 250
/** Above this a full check at an unclean start would take seconds; damage is then found where it is read. */
const MAX_CHECKED_PAGES = 16_384
const CANARY = 'elsewhere store'

const SCHEMA = `
  create table if not exists meta (key text primary key, value blob not null) without rowid;
  create table if not exists envelope (
    position integer primary key autoincrement, doc blob not null, chain blob not null, seq integer not null,
    at_ms integer not null, length integer not null, bytes blob not null);
  create unique index if not exists envelope_by_ref on envelope (doc, chain, seq);
  create index if not exists envelope_by_position on envelope (doc, position, chain, seq);
  create table if not exists item (doc blob not null, kind text not null, bytes blob not null, primary key (doc, kind));
  create table if not exists tombstone (doc blob primary key, at_ms integer not null, bytes blob not null) without rowid;
  create table if not exists operation (
    log blob not null, position integer not null, look blob not null, bytes blob not null, primary key (log, position)) without rowid;
  create unique index if not exists operation_by_id on operation (log, look);
  create table if not exists authority_checkpoint (log blob not null, count integer not null, bytes blob not null, primary key (log, count)) without rowid;
  create table if not exists entry (space blob not null, key blob not null, name blob not null, value blob not null, primary key (space, key));
`

export interface SetAside {
  /** Where the damaged file lies now. */
  readonly path: string
  readonly reason: string
}

interface EntryRow {
  readonly space: Uint8Array
  readonly key: Uint8Array
  readonly name: Uint8Array
  readonly value: Uint8Array
}

interface OperationRow {
  readonly log: Uint8Array
  readonly position: number
  readonly look: Uint8Array
  readonly bytes: Uint8Array
}

/** What a small entry is sealed for: its row. */
export const entryContext = (what: 'name' | 'value', id: Uint8Array): string => `entry ${what} ${toHex(id)}`

/** What an operation of the authority log, and a checkpoint of it, are sealed for. */
export const authorityContext = (what: 'operation' | 'checkpoint', log: Uint8Array, at: number): string =>
  `authority ${what} ${toHex(log)} ${at}`

/**
 * One SQLite file that holds what a device keeps: sealed values under look-up keys that are HMACs. WAL; one process at a
 * time. Base of SqliteEnvelopeLog and SqliteKeyValueStore.
 *
 * A damaged file (SQLite says so, or a value cannot be unsealed) is renamed and an empty one takes its place under the
 * same object; small entries and the authority log, as far as they can still be read, are carried over: the device still knows its peers.
 */
export class SqliteStore implements Disposable {
  readonly path: string
  readonly sealer: Sealer
  readonly #setAside = new Emitter<SetAside>()
  readonly #statements = new Map<string, StatementSync>()
  #db: DatabaseSync
  #isClosed = false
  #syncTimer: NodeJS.Timeout | undefined
  #startedWith: SetAside | undefined

  /** @throws StoreError `store/read-only`, `store/disk-full`, `store/failed` (also: another process holds the file) */
  constructor(options: { readonly path: string; readonly sealer: Sealer }) {
    this.path = options.path
    this.sealer = options.sealer
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
      this.#db = this.#open()
    } catch (error) {
      const known = sqliteStoreError(error, this.path)
      if (known.code !== 'store/damaged') {
        this.#closeDatabase() // an open one would keep the file locked, also for the next try
        throw known
      }
      const kept = this.#readableEntries()
      const operations = this.#readableOperations()
      this.#startedWith = this.#rename(errorMessage(known))
      this.#db = this.#open()
      this.#putEntries(kept)
      this.#putOperations(operations)
    }
  }

  /** A damaged file was set aside while the store was in use. */
  readonly onDidSetAside: Event<SetAside> = this.#setAside.event

  /** Set when the file was found damaged at the start. */
  get setAsideAtStart(): SetAside | undefined {
    return this.#startedWith
  }

  /** A prepared statement, kept. @throws StoreError `store/closed` */
  statement(sql: string): StatementSync {
    if (this.#isClosed) throw StoreError.closed(this.path)
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }

  /**
   * Runs reads or writes; damage sets the file aside first.
   *
   * @throws StoreError `store/disk-full`, `store/read-only`, `store/damaged` (already set aside: the store is empty now),
   *   `store/closed`, `store/failed`
   */
  run<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      const known = sqliteStoreError(error, this.path)
      if (known.code === 'store/damaged') this.setAside(known.message)
      throw known
    }
  }

  /** As `run`, in one transaction that is kept when this returns. */
  write<T>(work: () => T): T {
    return this.run(() => {
      this.statement('begin immediate').run()
      try {
        const result = work()
        this.statement('commit').run()
        this.#syncSoon()
        return result
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('rollback')
        throw error
      }
    })
  }

  /** Renames the file and goes on with an empty one that carries over the entries that can be read. */
  setAside(reason: string): SetAside {
    const kept = this.#readableEntries()
    const operations = this.#readableOperations()
    const position = this.#lastPosition()
    this.#closeDatabase()
    const moved = this.#rename(reason)
    this.#db = this.#open()
    this.#putEntries(kept)
    this.#putOperations(operations)
    this.write(() => {
      // positions go on: whoever reads the log holds one
      this.statement("insert into sqlite_sequence (name, seq) values ('envelope', ?)").run(position)
    })
    this.#setAside.fire(moved)
    return moved
  }

  dispose(): void {
    if (this.#isClosed) return
    clearTimeout(this.#syncTimer)
    try {
      this.#putMeta('clean', utf8('1'))
    } catch {
      // full or read-only: the next start checks the file
    }
    this.#closeDatabase()
    this.#isClosed = true
    this.#setAside.dispose()
  }

  #open(): DatabaseSync {
    const isNew = !existsSync(this.path)
    const db = new DatabaseSync(this.path)
    this.#db = db
    this.#statements.clear()
    db.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = normal; pragma temp_store = memory')
    const wasClean = !isNew && this.#readMeta(db, 'clean') !== undefined
    if (!isNew && !wasClean) this.#check(db)
    db.exec(SCHEMA)
    this.#checkCanary(db)
    db.exec("delete from meta where key = 'clean'")
    return db
  }

  #check(db: DatabaseSync): void {
    const pages = db.prepare('pragma page_count').get() as { page_count: number }
    if (pages.page_count > MAX_CHECKED_PAGES) return
    const { quick_check: result } = db.prepare('pragma quick_check(1)').get() as { quick_check: string }
    if (result !== 'ok') throw StoreError.damaged(this.path, result)
  }

  /** A value sealed by the same key: a store of another vault is as unreadable as a damaged one. */
  #checkCanary(db: DatabaseSync): void {
    const canary = this.#readMeta(db, 'canary')
    if (!canary) return this.#putMeta('canary', this.sealer.seal(utf8(CANARY), 'canary'))
    if (fromUtf8(this.sealer.open(canary, 'canary')) !== CANARY) throw StoreError.damaged(this.path, 'its canary is another')
  }

  #readMeta(db: DatabaseSync, key: string): Uint8Array | undefined {
    const hasTable = db.prepare("select 1 from sqlite_master where name = 'meta'").get()
    if (!hasTable) return undefined
    return (db.prepare('select value from meta where key = ?').get(key) as { value: Uint8Array } | undefined)?.value
  }

  #putMeta(key: string, value: Uint8Array): void {
    this.#db.prepare('insert or replace into meta (key, value) values (?, ?)').run(key, value)
  }

  #readableEntries(): EntryRow[] {
    const kept: EntryRow[] = []
    try {
      for (const row of this.#db.prepare('select space, key, name, value from entry').iterate()) {
        if (this.#isReadable(row as unknown as EntryRow)) kept.push(row as unknown as EntryRow)
      }
    } catch {
      // what was read so far is carried over; the file is damaged from here on
    }
    return kept
  }

  #isReadable({ key, name, value }: EntryRow): boolean {
    try {
      this.sealer.open(name, entryContext('name', key))
      this.sealer.open(value, entryContext('value', key))
      return true
    } catch {
      return false // this one is lost; its owner starts without it
    }
  }

  #putEntries(rows: readonly EntryRow[]): void {
    this.write(() => {
      const put = this.statement('insert or replace into entry (space, key, name, value) values (?, ?, ?, ?)')
      for (const row of rows) put.run(row.space, row.key, row.name, row.value)
    })
  }

  /** Rows of the authority log, up to the first that cannot be read: what follows would rest on nothing. They stay sealed. */
  #readableOperations(): OperationRow[] {
    const kept: OperationRow[] = []
    try {
      for (const row of this.#db.prepare('select log, position, look, bytes from operation order by log, position').iterate()) {
        const { log, position, bytes } = row as unknown as OperationRow
        this.sealer.open(bytes, authorityContext('operation', log, position))
        kept.push(row as unknown as OperationRow)
      }
    } catch {
      // what was read so far is carried over; the file is damaged from here on
    }
    return kept
  }

  #putOperations(rows: readonly OperationRow[]): void {
    this.write(() => {
      const put = this.statement('insert or replace into operation (log, position, look, bytes) values (?, ?, ?, ?)')
      for (const row of rows) put.run(row.log, row.position, row.look, row.bytes)
    })
  }

  #lastPosition(): number {
    try {
      const row = this.#db.prepare("select seq from sqlite_sequence where name = 'envelope'").get() as { seq: number } | undefined
      return row?.seq ?? 0
    } catch {
      return 2 ** 40 // beyond any real one
    }
  }

  #rename(reason: string): SetAside {
    this.#closeDatabase()
    const stamp = new Date().toISOString().replaceAll(':', '-')
    const path = `${this.path}.damaged-${stamp}`
    renameSync(this.path, path)
    for (const suffix of ['-wal', '-shm']) {
      if (existsSync(this.path + suffix)) renameSync(this.path + suffix, path + suffix)
    }
    return { path, reason }
  }

  #closeDatabase(): void {
    this.#statements.clear()
    try {
      this.#db?.close()
    } catch {
      // it may never have been opened
    }
  }

  /** The journal reaches the disk itself shortly after, without holding this thread. */
  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined
      try {
        const file = openSync(`${this.path}-wal`, 'r')
        fdatasync(file, () => closeSync(file))
      } catch {
        // no journal any more: it was checkpointed, which syncs
      }
    }, SYNC_DELAY_MS).unref()
  }
}
