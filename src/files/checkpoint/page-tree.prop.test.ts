import { expect, it } from 'vitest'
import { concatBytes, toHex } from '../../base/bytes.ts'
import { NodeFilesCrypto } from '../../platform/node/node-files-crypto.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import type { ChunkId } from '../chunk-id.ts'
import { ContentError } from '../content-error.ts'
import { ByteSink } from './byte-io.ts'
import { decodePage, encodePage, type LeafEntry, type Row } from './page.ts'
import { TreeReader } from './tree-reader.ts'
import { editTree, MissingLeaf, type MadeTree, type TreeEdit, TreeWriter } from './tree-writer.ts'

const crypto = new NodeFilesCrypto()
const idOf = (plain: Uint8Array) => toHex(crypto.sha256(plain)) as ChunkId

/** Pages by their ids, as stores have them. */
class Pages {
  readonly pages = new Map<ChunkId, Uint8Array>()
  loads = 0
  readonly reader = new TreeReader(async (id) => {
    this.loads++
    const page = this.pages.get(id)
    if (!page) throw ContentError.unavailable(id)
    return page
  })

  make(rows: readonly Row[]): MadeTree {
    const writer = new TreeWriter(idOf)
    for (const row of rows) writer.add(row)
    return this.#done(writer, writer.finish())
  }

  /** @returns the tree, and how many leaves were read for it */
  edit(tree: MadeTree, edits: readonly TreeEdit[]): { tree: MadeTree; read: number } {
    const read = new Set<ChunkId>()
    const writer = new TreeWriter(idOf)
    const edited = editTree(
      tree.leaves,
      edits,
      ({ id }) => {
        read.add(id)
        return (decodePage(this.pages.get(id) as Uint8Array) as { readonly level: 0; readonly entries: readonly LeafEntry[] }).entries
      },
      writer,
    )
    if (edited instanceof MissingLeaf) throw new Error('a leaf was missing')
    return { tree: this.#done(writer, edited), read: read.size }
  }

  async rows(tree: MadeTree): Promise<string[]> {
    const rows: string[] = []
    for await (const { key, value } of this.reader.rowsIn(tree.root)) rows.push(`${key} ${toHex(value)}`)
    return rows
  }

  #done(writer: TreeWriter, tree: MadeTree): MadeTree {
    for (const [id, plain] of writer.takePages()) this.pages.set(id, plain)
    return tree
  }
}

const sorted = (rows: ReadonlyMap<string, Uint8Array>): Row[] =>
  [...rows].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1))

it('[CP3] a tree that was changed is the one made of its rows anew, and costs the pages that changed', async () => {
  const seed = seedOfRun()
  const rounds = roundsOfRun(12, 150)
  for (let round = 0; round < rounds; round++) {
    const random = new SeededRandom(seed + round)
    const pages = new Pages()
    const rows = new Map<string, Uint8Array>()
    const put = () => rows.set(toHex(random.bytes(random.chance(0.3) ? 17 : 33)), random.bytes(20 + random.below(200)))
    for (let n = random.pick([0, 1, 300, 4_000]); n > 0; n--) put()
    let tree = pages.make(sorted(rows))
    for (let step = 0; step < 8; step++) {
      const keys = new Set<string>()
      const all = [...rows.keys()]
      for (let n = random.pick([1, 3, 40]); n > 0; n--) {
        const key = all.length > 0 && random.chance(0.6) ? random.pick(all) : toHex(random.bytes(33))
        keys.add(key)
        if (random.chance(0.4)) rows.delete(key)
        else rows.set(key, random.bytes(20 + random.below(200)))
      }
      const edits = [...keys].sort().map((key): TreeEdit => {
        const value = rows.get(key)
        return { from: key, to: `${key}00`, entries: value ? [{ key, value }] : [] }
      })
      const edited = pages.edit(tree, edits)
      tree = edited.tree
      expect({ seed: seed + round, root: tree.root }).toEqual({ seed: seed + round, root: pages.make(sorted(rows)).root })
      // A change is felt to the next end of a page that stays: nearly always its own, and one more.
      expect(edited.read).toBeLessThanOrEqual(4 * keys.size + 4)
    }
    expect(await pages.rows(tree)).toEqual(sorted(rows).map(({ key, value }) => `${key} ${toHex(value)}`))
  }
  console.info(`trees of pages: seed ${seed}, ${rounds} rounds`)
})

it('[CP3] rows of a range are found by the pages on their way', async () => {
  const random = new SeededRandom(5)
  const pages = new Pages()
  const rows = new Map(Array.from({ length: 60_000 }, () => [toHex(random.bytes(33)), random.bytes(100)] as const))
  const tree = pages.make(sorted(rows))
  pages.loads = 0
  const wanted = sorted(rows).filter(({ key }) => key >= 'a0' && key < 'a010')
  const found: string[] = []
  for await (const { key } of pages.reader.rowsIn(tree.root, { from: 'a0', to: 'a010' })) found.push(key)
  expect(found).toEqual(wanted.map(({ key }) => key))
  expect(pages.loads).toBeLessThan(8)
})

const row = (n: number): Row => ({ key: n.toString(16).padStart(8, '0'), value: Uint8Array.of(n) })
const leafOf = (...rows: Row[]) => encodePage({ level: 0, entries: rows })

it('[CP4] a page that is cut off, of another kind, out of order, too deep or says it holds a million entries is refused', () => {
  const good = leafOf(row(1), row(2), row(300))
  for (let length = 0; length < good.length; length++) expect(() => decodePage(good.slice(0, length))).toThrow(malformed)
  expect(() => decodePage(concatBytes(good, Uint8Array.of(0)))).toThrow(malformed)
  expect(() => decodePage(leafOf(row(2), row(1)))).toThrow(malformed)
  expect(() => decodePage(leafOf(row(1), row(1)))).toThrow(malformed)
  expect(() => decodePage(encodePage({ level: 17, children: [{ first: '00', id: idOf(good), rows: 1 }] }))).toThrow(malformed)
  const million = new ByteSink()
  million.byte(1)
  million.byte(0)
  million.uint(1_000_000)
  expect(() => decodePage(million.take())).toThrow(malformed)
  const random = new SeededRandom(seedOfRun())
  for (let n = roundsOfRun(2_000, 100_000); n > 0; n--) {
    const bytes = random.chance(0.5) ? random.bytes(random.below(200)) : good.map((byte) => (random.chance(0.1) ? random.below(256) : byte))
    try {
      decodePage(bytes)
    } catch (error) {
      expect(error).toEqual(malformed)
    }
  }
})

it('[CP4] a page that lies where it may not is refused: another level, other rows, another number of them, round in a circle', async () => {
  const pages = new Pages()
  const put = (plain: Uint8Array) => {
    const id = idOf(plain)
    pages.pages.set(id, plain)
    return id
  }
  const [a, b] = [put(leafOf(row(1), row(2))), put(leafOf(row(5), row(6)))]
  const first = (n: number) => row(n).key
  const over = (level: number, ...children: { first: string; id: ChunkId; rows: number }[]) => put(encodePage({ level, children }))
  const read = async (root: ChunkId) => {
    const keys: string[] = []
    for await (const { key } of pages.reader.rowsIn(root)) keys.push(key)
    return keys
  }
  const good = over(1, { first: first(1), id: a, rows: 2 }, { first: first(5), id: b, rows: 2 })
  expect(await read(good)).toEqual([1, 2, 5, 6].map(first))
  const wrong = [
    over(1, { first: first(1), id: a, rows: 2 }, { first: first(4), id: b, rows: 2 }), // begins with another row
    over(1, { first: first(1), id: a, rows: 3 }), // holds fewer
    over(2, { first: first(1), id: a, rows: 2 }), // a leaf where pages should be
    over(1, { first: first(1), id: good, rows: 4 }), // pages where a leaf should be
    over(1, { first: first(1), id: b, rows: 2 }), // somebody else's page
    over(1, { first: first(1), id: a, rows: 2 }, { first: `${first(1)}00`, id: b, rows: 2 }), // reaches into the next
  ]
  for (const root of wrong) await expect(read(root)).rejects.toEqual(malformed)
  // No hash names itself; what could go round is a store that gives other bytes, and levels end that, too.
  const round = over(3, { first: first(1), id: good, rows: 4 })
  pages.pages.set(good, pages.pages.get(round) as Uint8Array)
  await expect(read(round)).rejects.toEqual(malformed)
  await expect(read(idOf(Uint8Array.of(9)))).rejects.toMatchObject({ code: 'chunk/unavailable' })
})

const malformed = expect.objectContaining({ code: 'checkpoint/malformed' }) as Error
