import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { toHex } from '../../base/bytes.ts'
import type { Sealer } from '../../base/sealer.ts'
import { SqliteDatasetStore, TREE_SCHEMA } from './sqlite-dataset-store.ts'

/** What could be read of a damaged tree file, and where that lies now. */
export interface TreeSetAside {
  /** The name of the file, in the same folder. */
  readonly file: string
  readonly segments: number
  /** Rows that were found and could not be read; what is not even found is not among them. */
  readonly lostRows: number
}

type Row = Readonly<Record<string, string | number | null | Uint8Array>>

interface Table {
  readonly name: string
  readonly columns: readonly string[]
  /** In which order it lies. */
  readonly order: readonly string[]
  /** It can be opened; absent: it is checked by whoever takes it in. */
  readonly isSound?: (row: Row, sealer: Sealer) => boolean
}

const opens = (sealer: Sealer, sealed: unknown, context: string): boolean => {
  try {
    sealer.open(sealed as Uint8Array, context)
    return true
  } catch {
    return false // its row is left out, and counted
  }
}
const hex = (value: unknown): string => (value instanceof Uint8Array ? toHex(value) : '')

/** What the tree is made of anew: the logs, what is in none yet, and small values. */
const SHARED: readonly Table[] = [
  { name: 'segment', columns: ['position', 'log', 'seq', 'bytes'], order: ['position'] },
  { name: 'tail', columns: ['position', 'value'], order: ['position'], isSound: (row, sealer) => opens(sealer, row.value, 'tail') },
  {
    name: 'entry',
    columns: ['space', 'key', 'value'],
    order: ['space', 'key'],
    isSound: (row, sealer) => opens(sealer, row.value, `entry ${String(row.space)}`),
  },
]
/** Of folders of this device only there is no log: what can be read of the tree is the tree. */
const LOCAL: readonly Table[] = [
  ...SHARED,
  {
    name: 'node',
    columns: ['id', 'parent', 'listed', 'named', 'looked', 'shown', 'value'],
    order: ['id'],
    isSound: (row, sealer) =>
      opens(sealer, row.value, `node ${hex(row.id)}`) && (row.shown === null || opens(sealer, row.shown, `shown ${hex(row.id)}`)),
  },
  {
    name: 'version',
    columns: ['node', 'stamp', 'op', 'value'],
    order: ['node', 'stamp', 'op'],
    isSound: (row, sealer) => opens(sealer, row.value, `version ${hex(row.node)} ${String(row.op)}`),
  },
  {
    name: 'move',
    columns: ['stamp', 'op', 'value'],
    order: ['stamp', 'op'],
    isSound: (row, sealer) => opens(sealer, row.value, `move ${String(row.op)}`),
  },
]
/** Rows between two that can be read are asked for one by one, if they are no more than that. */
const MAX_PROBED = 100_000
const HEADER = { pageBytesAt: 16, pagesAt: 28, firstFreeAt: 32, freeCountAt: 36 } as const

/**
 * Puts a damaged tree file aside, and in its place one with what could be read of it: for a dataset the logs, from which the tree is made
 * again when it is opened (`rebuildTree`). Killed at any point, the next start (`finishSettingAside`) goes on or begins anew.
 */
export function setTreeAside(file: string, sealer: Sealer, part: 'shared' | 'local'): TreeSetAside {
  const fresh = freshName(file)
  for (const suffix of SUFFIXES) rmSync(fresh + suffix, { force: true })
  const repaired = `${file}.repaired`
  const tables = part === 'shared' ? SHARED : LOCAL
  const rows = new Map(tables.map((table) => [table.name, new Map<string, Row>()]))
  let lostRows = 0
  const read = (from: string): boolean => {
    let isAll = true
    for (const table of tables) {
      const found = rows.get(table.name) as Map<string, Row>
      const { all, isWhole } = readable(from, table)
      isAll &&= isWhole
      for (const row of all) {
        const key = table.order.map((column) => (row[column] instanceof Uint8Array ? hex(row[column]) : String(row[column]))).join()
        if (!found.has(key)) found.set(key, row)
      }
    }
    return isAll
  }
  const isThere = existsSync(file)
  const isWhole = isThere && read(file)
  if (isThere && !isWhole) {
    repairHeader(file, repaired, fresh)
    read(repaired)
    for (const suffix of SUFFIXES) rmSync(repaired + suffix, { force: true })
  }
  const db = new DatabaseSync(fresh)
  try {
    db.exec('pragma journal_mode = delete; pragma synchronous = full')
    db.exec(TREE_SCHEMA)
    db.exec('begin')
    for (const { name, columns, isSound } of tables) {
      const put = db.prepare(`insert or ignore into ${name} (${columns.join()}) values (${columns.map(() => '?').join()})`)
      const sorted = [...(rows.get(name) as Map<string, Row>).values()]
      for (const row of sorted) {
        if (isSound && !isSound(row, sealer)) lostRows++
        else put.run(...columns.map((column) => row[column] ?? null))
      }
    }
    db.exec('commit')
  } finally {
    db.close()
  }
  if (part === 'shared') {
    const store = new SqliteDatasetStore(fresh, sealer)
    store.putValue('rebuild', 'state', new TextEncoder().encode('salvaged'))
    if (!isWhole || lostRows > 0) store.putValue('rebuild', 'lossy', new TextEncoder().encode('yes'))
    store.dispose() // which puts all of it on the disk itself
  }
  syncFile(fresh)
  const aside = moveAside(file)
  moveIn(file)
  return { file: path.basename(aside), segments: rows.get('segment')?.size ?? 0, lostRows }
}

/** Call it before the file is opened. */
export function finishSettingAside(file: string): void {
  if (!existsSync(freshName(file))) return
  if (existsSync(file)) return // it was killed while it read: that is done again
  if (existsSync(`${file}-wal`)) moveAside(file)
  moveIn(file)
}

const SUFFIXES = ['', '-wal', '-shm', '-journal']
const freshName = (file: string): string => `${file}.rebuilt`

/** The file first: while it is there, what was made of it counts for nothing. */
function moveAside(file: string): string {
  const aside = `${file}.damaged-${new Date().toISOString().replaceAll(':', '-')}`
  for (const suffix of SUFFIXES) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix)
  syncFile(path.dirname(file))
  return aside
}

function moveIn(file: string): void {
  renameSync(freshName(file), file)
  syncFile(path.dirname(file))
}

function syncFile(name: string): void {
  const opened = openSync(name, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

/** From both ends up to what cannot be read, and one by one between, where rows have numbers. */
function readable(file: string, { name, columns, order }: Table): { all: Row[]; isWhole: boolean } {
  const all: Row[] = []
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file)
    const select = `select ${columns.join()} from ${name}`
    const walk = (direction: 'asc' | 'desc'): boolean => {
      try {
        const by = order.map((column) => `${column} ${direction}`).join()
        for (const row of (db as DatabaseSync).prepare(`${select} order by ${by}`).iterate()) all.push(row as Row)
        return true
      } catch {
        return false // what follows is asked for from the other end
      }
    }
    if (walk('asc')) return { all, isWhole: true }
    const first = Number(all.at(-1)?.position ?? 0)
    walk('desc')
    const last = Number(all.at(-1)?.position ?? 0)
    if (order[0] !== 'position' || last - first > MAX_PROBED) return { all, isWhole: false }
    const probe = db.prepare(`${select} where position = ?`)
    for (let position = first + 1; position < last; position++) {
      try {
        const row = probe.get(position)
        if (row) all.push(row as Row)
      } catch {
        // that one is lost
      }
    }
    return { all, isWhole: false }
  } catch {
    return { all, isWhole: false } // no table of it can be found
  } finally {
    db?.close()
  }
}

/**
 * A copy whose first page says again where the tables are: it is the same in every such file, but for sizes. Of a file that was cut off,
 * what is left can be read then.
 */
function repairHeader(file: string, repaired: string, fresh: string): void {
  for (const suffix of SUFFIXES) rmSync(repaired + suffix, { force: true })
  for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) copyFileSync(file + suffix, repaired + suffix)
  const db = new DatabaseSync(fresh)
  try {
    db.exec('pragma journal_mode = delete')
    db.exec(TREE_SCHEMA)
  } finally {
    db.close()
  }
  const page = Buffer.alloc(4096)
  const from = openSync(fresh, 'r')
  const pageBytes = readSync(from, page, 0, page.length, 0) && page.readUInt16BE(HEADER.pageBytesAt)
  closeSync(from)
  rmSync(fresh, { force: true })
  if (pageBytes !== page.length) return
  page.writeUInt32BE(Math.ceil(statSync(repaired).size / pageBytes), HEADER.pagesAt)
  page.writeUInt32BE(0, HEADER.firstFreeAt)
  page.writeUInt32BE(0, HEADER.freeCountAt)
  const into = openSync(repaired, 'r+')
  writeSync(into, page, 0, page.length, 0)
  closeSync(into)
}
