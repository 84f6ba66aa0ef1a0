import { closeSync, existsSync, fdatasync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { fromHex, fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import type { Disposable } from '../../base/disposable.ts'
import { DomainError, errorCode } from '../../base/errors.ts'
import { StoreError } from '../../base/store-error.ts'
import type { Sealer } from '../../base/sealer.ts'
import type {
  FolderMove,
  LoadedNodes,
  LogHead,
  NodePlace,
  PlacedSegment,
  SegmentRange,
  StoredSegment,
  StoreValue,
} from '../../files/dataset-store.ts'
import type { Head, NodeRecord } from '../../files/node-record.ts'
import { decodeHead, decodeOp, encodeHead, encodeOp } from '../../files/node-record-codec.ts'
import type { LogId, Mark, NodeId, Op, OpId } from '../../files/op.ts'
import { decodeRecord, encodeRecord } from '../../files/packed-record.ts'
import type { StoreBehind } from '../../files/store-behind.ts'
import { sqliteStoreError } from './sqlite-store-error.ts'

/** Above this a full check at an unclean start would take seconds; damage is then found where it is read. */
const MAX_CHECKED_PAGES = 16_384
/** `user_version`: the file was closed by who opened it; else it is checked. Files of before say 0. */
const CLEAN = 1
const IN_USE = 2

/** Nodes kept as they were read: a program that works in a folder asks for the same few again and again. */
const KEPT_NODES = 20_000

const datasync = promisify(fdatasync)

/** Tables are made in this order, so that each begins at the same page in every such file (`set-tree-aside.ts`). */
export const TREE_SCHEMA = `
  create table if not exists node (
    id blob primary key, parent blob not null, listed integer not null, named blob not null, looked blob, shown blob, value blob not null) without rowid;
  create index if not exists node_by_parent on node (parent, listed);
  create index if not exists node_by_name on node (named);
  create index if not exists node_by_look on node (looked);
  create index if not exists node_removed on node (listed) where listed = 0;
  create table if not exists move (stamp integer not null, op text not null, value blob not null, primary key (stamp, op)) without rowid;
  create unique index if not exists move_by_op on move (op);
  create table if not exists version (node blob not null, stamp integer not null, op text not null, value blob not null, primary key (node, stamp, op)) without rowid;
  create table if not exists tail (position integer primary key autoincrement, value blob not null);
  create table if not exists segment (position integer primary key autoincrement, log blob not null, seq integer not null, bytes blob not null);
  create unique index if not exists segment_by_seq on segment (log, seq);
  create table if not exists log (log blob primary key, value blob not null) without rowid;
  create table if not exists entry (space text not null, key blob not null, value blob not null, primary key (space, key)) without rowid;
`

const INTO_NODE = 'into node (id, parent, listed, named, looked, shown, value) values (?, ?, ?, ?, ?, ?, ?)'
const PUT = `insert or replace ${INTO_NODE}`
const PUT_NEW = `insert or ignore ${INTO_NODE}`

/**
 * A dataset in one SQLite file. Node ids are random and lie open, as do stamps and which node is in which; names, contents,
 * devices and values are sealed, and found by HMACs. WAL without a sync for each write: kill -9 loses nothing that returned;
 * `sync` is for power cuts.
 */
export class SqliteDatasetStore implements StoreBehind, Disposable {
  readonly #path: string
  readonly #db: DatabaseSync
  readonly #sealer: Sealer
  readonly #statements = new Map<string, StatementSync>()
  readonly #kept = new Map<NodeId, { record: NodeRecord; shown: string | undefined }>()
  #depth = 0
  #isInBatch = false
  #undoneBatches = 0
  #isSyncLost = false
  #isDamaged = false
  #isMarked = false

  /** Something in the file cannot be read: it is to be set aside. Told once, when whoever asked has its error. */
  onDamage: (() => void) | undefined

  /** @throws StoreError */
  constructor(file: string, sealer: Sealer) {
    this.#path = file
    this.#sealer = sealer
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    let db: DatabaseSync | undefined
    try {
      const isNew = !existsSync(file)
      this.#db = db = new DatabaseSync(file)
      this.#db.exec(
        'pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = normal; pragma temp_store = memory; pragma cache_size = -32000',
      )
      if (!isNew && this.#version !== CLEAN) this.#check()
      this.#db.exec(TREE_SCHEMA)
      this.#mark()
    } catch (error) {
      db?.close()
      throw sqliteStoreError(error, file)
    }
  }

  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.endBatch()
    this.#depth++
    try {
      this.#run('begin immediate')
      if (!this.#isMarked) this.#mark()
      const result = work()
      this.#run('commit')
      return result
    } catch (error) {
      this.#kept.clear()
      if (this.#db.isTransaction) this.#rollBack()
      throw this.#noted(error instanceof DomainError ? error : sqliteStoreError(error, this.#path))
    } finally {
      this.#depth--
    }
  }

  beginBatch(): void {
    if (this.#isInBatch || this.#depth > 0) return
    this.#run('begin immediate')
    this.#isInBatch = true
    if (this.#isMarked) return
    // It was opened while the disk was full.
    try {
      this.#checked(() => this.#mark())
    } catch (error) {
      this.undoBatch()
      throw error
    }
  }

  endBatch(): void {
    if (!this.#isInBatch) return
    try {
      this.#run('commit')
      this.#isInBatch = false
    } catch (error) {
      this.undoBatch()
      throw error
    }
  }

  undoBatch(): void {
    if (!this.#isInBatch) return
    this.#isInBatch = false
    this.#undoneBatches++
    this.#kept.clear()
    if (this.#db.isTransaction) this.#rollBack()
  }

  get undoneBatches(): number {
    return this.#undoneBatches
  }

  node(id: NodeId): NodeRecord | undefined {
    return this.#row(id)?.record
  }

  shownName(id: NodeId): string | undefined {
    return this.#row(id)?.shown
  }

  putNode(record: NodeRecord, shown: string | undefined): void {
    this.#keep(record.id, { record, shown })
    this.#run(PUT, ...this.#columns(record, shown))
  }

  #columns(record: NodeRecord, shown: string | undefined): (number | null | Uint8Array)[] {
    const { id, parent, name } = record
    return [
      fromHex(id),
      fromHex(parent),
      shown === undefined ? 0 : 1,
      this.#look('name', parent, name),
      shown === undefined ? null : this.#look('shown', parent, shown),
      shown === undefined ? null : this.#sealer.seal(utf8(shown), `shown ${id}`),
      this.#sealer.seal(encodeRecord(record), `node ${id}`),
    ]
  }

  deleteNode(id: NodeId): void {
    this.#kept.delete(id)
    this.#run('delete from node where id = ?', fromHex(id))
  }

  shownNode(parent: NodeId, shown: string): NodeId | undefined {
    return this.shownNodes(parent, shown)[0]
  }

  shownNodes(parent: NodeId, shown: string): NodeId[] {
    const rows = this.#all('select id from node where looked = ? order by id', this.#look('shown', parent, shown)) as { id: Uint8Array }[]
    return rows.map(({ id }) => toHex(id) as NodeId)
  }

  namesakes(parent: NodeId, name: string): NodeId[] {
    const rows = this.#all('select id from node where named = ? and listed = 1', this.#look('name', parent, name)) as { id: Uint8Array }[]
    return rows.map(({ id }) => toHex(id) as NodeId)
  }

  children(parent: NodeId): { record: NodeRecord; shown: string }[] {
    const rows = this.#all('select id, shown, value from node where parent = ? and listed = 1', fromHex(parent)) as unknown as NodeRow[]
    return rows.map((row) => this.#opened(row) as { record: NodeRecord; shown: string })
  }

  hasChildren(parent: NodeId): boolean {
    return this.#get('select 1 from node where parent = ? and listed = 1 limit 1', fromHex(parent)) !== undefined
  }

  removedNodes(): NodeRecord[] {
    const rows = this.#all('select id, shown, value from node where listed = 0') as unknown as NodeRow[]
    return rows.map((row) => this.#opened(row).record)
  }

  nodesFrom(after: NodePlace | undefined, limit: number): { record: NodeRecord; shown: string | undefined }[] {
    const { parent, isShown, id } = after ?? { parent: '', isShown: false, id: '' }
    const rows = this.#all(
      'select id, shown, value from node where (parent, listed, id) > (?, ?, ?) order by parent, listed, id limit ?',
      fromHex(parent),
      isShown ? 1 : 0,
      fromHex(id),
      limit,
    ) as unknown as NodeRow[]
    return rows.map((row) => this.#opened(row))
  }

  nodeCount(): number {
    return (this.#get('select count(*) as n from node') as { n: number }).n
  }

  loadNodes({ nodes, versions, mark }: LoadedNodes): number {
    return this.transaction(() => {
      this.putValue(mark.space, mark.key, mark.value)
      for (const { node, version } of versions) this.#putVersion('insert or ignore', node, version)
      return nodes.reduce((count, { record, shown }) => count + this.#run(PUT_NEW, ...this.#columns(record, shown)), 0)
    })
  }

  putMove(move: FolderMove): void {
    const value = this.#sealer.seal(utf8(JSON.stringify(move)), `move ${move.op}`)
    this.#run('insert or replace into move (stamp, op, value) values (?, ?, ?)', move.stamp, move.op, value)
  }

  deleteMove(op: OpId): void {
    this.#run('delete from move where op = ?', op)
  }

  movesAfter({ stamp, op }: Mark): FolderMove[] {
    const rows = this.#all('select op, value from move where stamp > ? or (stamp = ? and op > ?) order by stamp, op', stamp, stamp, op)
    return (rows as { op: string; value: Uint8Array }[]).map(
      (row) => JSON.parse(fromUtf8(this.#unseal(row.value, `move ${row.op}`))) as FolderMove,
    )
  }

  putVersion(node: NodeId, version: Head): void {
    this.#putVersion('insert or replace', node, version)
  }

  #putVersion(how: 'insert or replace' | 'insert or ignore', node: NodeId, version: Head): void {
    const value = this.#sealer.seal(encodeHead(version), `version ${node} ${version.op}`)
    this.#run(`${how} into version (node, stamp, op, value) values (?, ?, ?, ?)`, fromHex(node), version.stamp, version.op, value)
  }

  versions(node: NodeId): Head[] {
    const rows = this.#all('select op, value from version where node = ? order by stamp desc, op desc', fromHex(node))
    return (rows as { op: string; value: Uint8Array }[]).map(({ op, value }) => decodeHead(this.#unseal(value, `version ${node} ${op}`)))
  }

  deleteVersion(node: NodeId, op: OpId): void {
    this.#run('delete from version where node = ? and op = ?', fromHex(node), op)
  }

  versionedNodes(after: NodeId | undefined, limit: number, atLeast: 1 | 2): NodeId[] {
    const from = fromHex(after ?? '')
    const rows =
      atLeast === 1
        ? this.#all('select distinct node from version where node > ? order by node limit ?', from, limit)
        : this.#all('select node from version where node > ? group by node having count(*) > 1 order by node limit ?', from, limit)
    return (rows as { node: Uint8Array }[]).map(({ node }) => toHex(node) as NodeId)
  }

  putTail(op: Op): void {
    this.#run('insert into tail (value) values (?)', this.#sealer.seal(encodeOp(op), 'tail'))
  }

  tail(): Op[] {
    const rows = this.#all('select value from tail order by position') as { value: Uint8Array }[]
    return rows.map(({ value }) => decodeOp(this.#unseal(value, 'tail')))
  }

  cutTail(count: number): void {
    this.#run('delete from tail where position in (select position from tail order by position limit ?)', count)
  }

  putSegment({ log, seq, bytes }: StoredSegment, head: LogHead): void {
    this.#run('insert or replace into segment (log, seq, bytes) values (?, ?, ?)', fromHex(log), seq, bytes)
    this.putHead(head)
  }

  putHead(head: LogHead): void {
    const value = this.#sealer.seal(utf8(JSON.stringify(head)), `log ${head.log}`)
    this.#run('insert or replace into log (log, value) values (?, ?)', fromHex(head.log), value)
  }

  putSegmentBefore({ log, seq, bytes }: StoredSegment): void {
    this.endBatch()
    this.#run(
      'insert or ignore into segment (position, log, seq, bytes) values ((select coalesce(min(position), 1) - 1 from segment), ?, ?, ?)',
      fromHex(log),
      seq,
      bytes,
    )
  }

  segment(log: LogId, seq: number): Uint8Array | undefined {
    const row = this.#get('select bytes from segment where log = ? and seq = ?', fromHex(log), seq) as { bytes: Uint8Array } | undefined
    return row?.bytes
  }

  segmentOrder(): (readonly [LogId, number])[] {
    const rows = this.#all('select log, seq from segment order by position') as { log: Uint8Array; seq: number }[]
    return rows.map(({ log, seq }) => [toHex(log) as LogId, seq] as const)
  }

  segmentsOf(log: LogId, { above, upTo, limit, isLastFirst = false }: SegmentRange): PlacedSegment[] {
    const order = isLastFirst ? 'desc' : 'asc'
    const sql = `select seq, position as place from segment where log = ? and seq > ? and seq <= ? order by seq ${order} limit ?`
    return this.#all(sql, fromHex(log), above, upTo, limit) as PlacedSegment[]
  }

  heads(): readonly LogHead[] {
    const rows = this.#all('select log, value from log') as { log: Uint8Array; value: Uint8Array }[]
    return rows.map(({ log, value }) => JSON.parse(fromUtf8(this.#unseal(value, `log ${toHex(log)}`))) as LogHead)
  }

  head(log: LogId): LogHead | undefined {
    const row = this.#get('select value from log where log = ?', fromHex(log)) as { value: Uint8Array } | undefined
    return row && (JSON.parse(fromUtf8(this.#unseal(row.value, `log ${log}`))) as LogHead)
  }

  value(space: string, key: string): Uint8Array | undefined {
    const row = this.#get('select value from entry where space = ? and key = ?', space, this.#look('entry', space, key)) as
      | { value: Uint8Array }
      | undefined
    return row && this.#openEntry(space, row.value)[1]
  }

  putValue(space: string, key: string, value: Uint8Array | undefined): void {
    const look = this.#look('entry', space, key)
    if (!value) return void this.#run('delete from entry where space = ? and key = ?', space, look)
    const name = utf8(key)
    const plain = new Uint8Array(2 + name.length + value.length)
    new DataView(plain.buffer).setUint16(0, name.length)
    plain.set(name, 2)
    plain.set(value, 2 + name.length)
    this.#run('insert or replace into entry (space, key, value) values (?, ?, ?)', space, look, this.#sealer.seal(plain, `entry ${space}`))
  }

  values(space: string): (readonly [string, Uint8Array])[] {
    const rows = this.#all('select value from entry where space = ?', space) as { value: Uint8Array }[]
    return rows.map(({ value }) => this.#openEntry(space, value))
  }

  async sync(): Promise<void> {
    this.endBatch()
    const journal = `${this.#path}-wal`
    if (!existsSync(journal)) return // checkpointed, which syncs
    const file = openSync(journal, 'r+')
    try {
      await datasync(file)
    } catch (error) {
      this.#isSyncLost = true
      throw error
    } finally {
      closeSync(file)
    }
    if (this.#isSyncLost) this.#checkpoint()
  }

  /**
   * A sync has said that what was written is not on the disk: the system may have forgotten it, and say of the next one that all is well
   * (rule DS14). So all of it is written once more, into the tree itself. @throws StoreError: then the next sync tries again
   */
  #checkpoint(): void {
    const [done] = this.#all('pragma wal_checkpoint(truncate)') as { busy: number }[]
    if (done?.busy !== 0) throw StoreError.failed(this.#path, 'what a failed sync had lost could not be written anew')
    this.#isSyncLost = false
  }

  async settle(): Promise<void> {}

  startOver(values: readonly StoreValue[]): boolean {
    if (this.tail().length > 0) return false
    this.transaction(() => {
      for (const table of ['node', 'move', 'version', 'segment', 'log']) this.#run(`delete from ${table}`)
      for (const { space, key, value } of values) this.putValue(space, key, value)
    })
    this.#kept.clear()
    return true
  }

  dispose(): void {
    this.undoBatch()
    this.#statements.clear()
    this.#kept.clear()
    try {
      if (!this.#isDamaged) this.#db.exec(`pragma user_version = ${CLEAN}`)
    } catch {
      // full or read-only: the next start checks the file
    }
    this.#db.close()
  }

  get #version(): number {
    return (this.#db.prepare('pragma user_version').get() as { user_version: number }).user_version
  }

  /** Says that the file is in use. On a full disk it is said before the first thing is written there: who only reads needs no room. */
  #mark(): void {
    try {
      if (this.#version !== IN_USE) this.#db.exec(`pragma user_version = ${IN_USE}`)
      this.#isMarked = true
    } catch (error) {
      if (sqliteStoreError(error, this.#path).code !== 'store/disk-full' || this.#db.isTransaction) throw error
    }
  }

  /** After a kill or a power cut. @throws StoreError `store/damaged` */
  #check(): void {
    const { page_count: pages } = this.#db.prepare('pragma page_count').get() as { page_count: number }
    if (pages > MAX_CHECKED_PAGES) return
    const { quick_check: result } = this.#db.prepare('pragma quick_check(1)').get() as { quick_check: string }
    if (result !== 'ok') throw StoreError.damaged(this.#path, result)
  }

  #openEntry(space: string, sealed: Uint8Array): readonly [string, Uint8Array] {
    const plain = this.#unseal(sealed, `entry ${space}`)
    const end = 2 + new DataView(plain.buffer, plain.byteOffset).getUint16(0)
    return [fromUtf8(plain.subarray(2, end)), plain.slice(end)]
  }

  #row(id: NodeId): { record: NodeRecord; shown: string | undefined } | undefined {
    const kept = this.#kept.get(id)
    if (kept) return kept
    const row = this.#get('select id, shown, value from node where id = ?', fromHex(id)) as unknown as NodeRow | undefined
    return row && this.#opened(row)
  }

  #opened({ id: idBytes, shown, value }: NodeRow): { record: NodeRecord; shown: string | undefined } {
    const id = toHex(idBytes) as NodeId
    const kept = this.#kept.get(id)
    if (kept) return kept
    return this.#keep(id, {
      record: decodeRecord(this.#unseal(value, `node ${id}`)),
      shown: shown === null ? undefined : fromUtf8(this.#unseal(shown, `shown ${id}`)),
    })
  }

  #keep<T extends { record: NodeRecord; shown: string | undefined }>(id: NodeId, row: T): T {
    this.#kept.set(id, row)
    if (this.#kept.size > KEPT_NODES) this.#kept.delete(this.#kept.keys().next().value as NodeId)
    return row
  }

  #look(what: string, parent: string, name: string): Uint8Array {
    return this.#sealer.lookupKey(`${what}\n${parent}\n${name}`).subarray(0, 20)
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }

  /** @returns rows that are others now */
  #run(sql: string, ...values: (string | number | null | Uint8Array)[]): number {
    return this.#checked(() => Number(this.#statement(sql).run(...values).changes))
  }

  #get(sql: string, ...values: (string | number | Uint8Array)[]): unknown {
    return this.#checked(() => this.#statement(sql).get(...values))
  }

  #all(sql: string, ...values: (string | number | Uint8Array)[]): unknown[] {
    return this.#checked(() => this.#statement(sql).all(...values))
  }

  #checked<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw this.#noted(sqliteStoreError(error, this.#path))
    }
  }

  #unseal(sealed: Uint8Array, context: string): Uint8Array {
    try {
      return this.#sealer.open(sealed, context)
    } catch (error) {
      throw this.#noted(sqliteStoreError(error, this.#path))
    }
  }

  #rollBack(): void {
    try {
      this.#db.exec('rollback')
      if (this.#isMarked) this.#isMarked = this.#version === IN_USE // the mark may have gone, too
    } catch {
      // what it was rolled back for is told
    }
  }

  #noted<E extends Error>(error: E): E {
    if (this.#isDamaged || errorCode(error) !== 'store/damaged') return error
    this.#isDamaged = true
    queueMicrotask(() => this.onDamage?.())
    return error
  }
}

interface NodeRow {
  readonly id: Uint8Array
  readonly shown: Uint8Array | null
  readonly value: Uint8Array
}
