import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { ROOT_NODE } from '../../files/op.ts'
import { linkHosts } from '../../testkit/dataset-hosts.ts'
import { DiskDatasetHost } from '../../testkit/disk-dataset-host.ts'
import { testDatasetKeys } from '../../testkit/file-parts.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'

const DATASET = testDatasetKeys().dataset
const owned: { dispose(): void }[] = []
afterEach(() => {
  for (const one of owned.splice(0).reverse()) one.dispose()
})
const own = <T extends { dispose(): void }>(one: T): T => (owned.push(one), one)
const until = async (isSo: () => boolean | Promise<boolean>) => {
  for (let n = 0; n < 1000 && !(await isSo()); n++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await isSo()).toBe(true)
}

/** Folders with files, some renamed, overwritten and removed; two files are written and not signed yet. What it holds: path and text. */
async function fill(device: DiskDatasetHost, name: string, settle = true): Promise<void> {
  const { dataset, store } = device.open
  for (let n = 0; n < 30; n++) {
    const folder = dataset.makeFolder(dataset.root, `${name} ${n}`)
    for (let m = 0; m < 8; m++) await device.write(`file ${m}`, utf8(`text ${name} ${n} ${m}`), folder.id)
    const first = dataset.at(`/${name} ${n}/file 0`)
    dataset.setContent(first.id, first.version, await dataset.writer.write(utf8(`changed ${name} ${n}`)))
    dataset.remove(dataset.at(`/${name} ${n}/file 1`).id)
    dataset.move(dataset.at(`/${name} ${n}/file 2`).id, dataset.root, `moved ${name} ${n}`)
    dataset.flush()
  }
  if (settle) await store.settle()
  await device.write(`unsigned ${name}`, utf8('kept, and in no segment'))
}

async function listing(device: DiskDatasetHost): Promise<string[]> {
  const { dataset } = device.open
  const files = dataset.within(ROOT_NODE).filter(({ kind, id }) => kind === 'file' && id !== ROOT_NODE)
  const lines = files.map(async ({ id }) => `${dataset.pathOf(id)}: ${fromUtf8(await dataset.readRange(id, 0, 100))}`)
  return (await Promise.all(lines)).sort()
}

/** What the process would leave if it were killed now: its folder as it lies there. */
function killed(device: DiskDatasetHost): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const name of readdirSync(device.shared)) if (name.startsWith('tree.')) files.set(name, readFileSync(path.join(device.shared, name)))
  return files
}
function asKilled(device: DiskDatasetHost, files: ReadonlyMap<string, Buffer>) {
  for (const name of readdirSync(device.shared)) if (name.startsWith('tree.')) rmSync(path.join(device.shared, name))
  for (const [name, bytes] of files) writeFileSync(path.join(device.shared, name), bytes)
}
/** Checks until nothing is wrong: what was found damaged is made again. */
async function healed(device: DiskDatasetHost): Promise<string[]> {
  const told: string[] = []
  for (let n = 0; n < 4; n++) {
    const { problems } = await device.host.check(DATASET)
    told.push(...problems)
    if (problems.length === 0) return told
    await until(() => device.host.open.length === 1)
  }
  expect(told).toEqual([])
  return told
}
const asides = (device: DiskDatasetHost) => readdirSync(device.shared).filter((name) => name.includes('.damaged-'))

it('[DS12] a tree that was cut off, of which nothing is left, or that is no database is set aside and comes back from a linked device; what was not signed yet stays', async () => {
  for (const [how, harm] of [
    ['cut to half', (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ['cut to nothing', (file: string) => truncateSync(file, 10)],
    ['removed', (file: string) => rmSync(file)],
    ['overwritten', (file: string) => writeFileSync(file, 'overwritten '.repeat(20_000))],
  ] as const) {
    const [a, b] = [await own(new DiskDatasetHost(0)).start(), await own(new DiskDatasetHost(1)).start()]
    await fill(a, 'a')
    const link = linkHosts(a, b)
    await until(() => b.open.dataset.frontier().size > 0 && a.open.status().unsafeVersions === 0)
    link.dispose()
    const before = await listing(a)
    const late = await a.write('late', utf8('kept after the link went'))
    before.push('/late: kept after the link went')
    expect(late.name).toBe('late')
    const files = killed(a)
    await a.stop()
    asKilled(a, files)
    // What lies in the WAL goes into the file, so that there is something to harm; the journal keeps what was not carried.
    const db = new DatabaseSync(path.join(a.shared, 'tree.sqlite'))
    db.prepare('pragma wal_checkpoint(truncate)').get()
    db.close()
    harm(path.join(a.shared, 'tree.sqlite'))
    const told: string[] = []
    await a.start((file) => told.push(file))
    expect({ how, told: told.length, asides: asides(a).length }).toEqual({ how, told: 1, asides: how === 'removed' ? 0 : 1 })
    // Nothing is let go of before the other one was heard.
    expect(await a.open.makeRoom(0, 1)).toBe(false)
    const { held } = a.open.status()
    expect(held).toMatchObject(how === 'removed' ? { unreadable: 0 } : { unreadable: 0, untilMs: expect.any(Number) })
    const again = linkHosts(a, b)
    await until(async () => (await listing(a)).length === before.length)
    expect({ how, listing: await listing(a) }).toEqual({ how, listing: before.sort() })
    expect({ how, told: await healed(a) }).toEqual({ how, told: [] })
    await until(() => a.open.status().unsafeVersions === 0)
    again.dispose()
    await a.stop()
    await b.stop()
  }
})

it('[DS12] flipped bytes anywhere in the file, after a stop or kill -9, alone: whatever segments can be read, nothing of them is lost, and the check is clean in the end', {
  timeout: 300_000,
}, async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const rounds = roundsOfRun(6, 100)
  const table: Record<string, number> = {}
  for (let round = 0; round < rounds; round++) {
    const a = await own(new DiskDatasetHost(0)).start()
    await fill(a, 'a', random.chance(0.8))
    const before = await listing(a)
    const isKilled = random.chance(0.5)
    const files = killed(a)
    await a.stop()
    if (isKilled) asKilled(a, files)
    const file = path.join(a.shared, 'tree.sqlite')
    // Pages of the index only, not those of the logs: what only the logs of this one device say would be lost with them.
    const spared = pagesOf(file, ['segment', 'tail', 'entry', 'segment_by_seq', 'sqlite_autoindex_entry_1'])
    const bytes = readFileSync(file)
    const pages = Math.floor(bytes.length / 4096)
    const flips = 1 + random.below(4)
    for (let n = 0; n < flips; n++) {
      const page = random.below(pages)
      if (spared.has(page + 1)) continue
      for (let m = 0; m < 40; m++) {
        const at = page * 4096 + random.below(4096)
        bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
      }
    }
    writeFileSync(file, bytes)
    await a.start()
    await healed(a)
    expect({ seed, round, listing: await listing(a) }).toEqual({ seed, round, listing: before })
    const what = `${isKilled ? 'killed' : 'stopped'}, ${asides(a).length > 0 ? 'made again' : 'as it was'}`
    table[what] = (table[what] ?? 0) + 1
    // It goes on, in a log that others can follow.
    await a.write('goes on', utf8('yes'))
    const b = await own(new DiskDatasetHost(1)).start()
    const link = linkHosts(a, b)
    await until(async () => (await listing(b)).length === before.length + 1)
    expect({ seed, round, b: await listing(b) }).toEqual({ seed, round, b: [...before, '/goes on: yes'].sort() })
    link.dispose()
    await a.stop()
    await b.stop()
  }
  console.info(`damaged trees: seed ${seed}, ${rounds} rounds`, table)
  expect(table['stopped, made again'] ?? table['killed, made again']).toBeGreaterThan(0)
})

it('[DS12] damage of the logs themselves, alone: what can be read stays, and what follows on something lost waits and is kept', async () => {
  const a = await own(new DiskDatasetHost(0)).start()
  await fill(a, 'a')
  const before = await listing(a)
  await a.stop()
  const file = path.join(a.shared, 'tree.sqlite')
  const db = new DatabaseSync(file)
  const segments = (db.prepare('select count(*) as n from segment').get() as { n: number }).n
  expect(segments).toBeGreaterThan(10)
  db.exec('update segment set bytes = zeroblob(length(bytes)) where seq = 5')
  db.close()
  await a.start()
  expect((await a.host.check(DATASET)).problems.join('\n')).toMatch(/segment 5 of log/)
  const left = await listing(a)
  expect(left.length).toBeGreaterThan(20)
  for (const line of left) expect(before).toContain(line)
  expect(a.open.setAside.count).toBeGreaterThan(segments - 10)
  // Of what waits, and of what nothing names any more, nothing is let go of, though there is nobody left to be heard.
  const b = await own(new DiskDatasetHost(1)).start()
  const link = linkHosts(a, b)
  await until(async () => (await listing(b)).length === left.length)
  link.dispose()
  const { chunks } = a.open.chunks.stats
  await a.open.housekeeping.run()
  expect([a.open.chunks.stats.chunks, await a.open.makeRoom(0, 1)]).toEqual([chunks, false])
  await b.stop()
  await a.stop()
})

it('[DS12] killed between any two steps of setting it aside, nothing that could be read is lost', async () => {
  const a = await own(new DiskDatasetHost(0)).start()
  await fill(a, 'a')
  const before = await listing(a)
  await a.stop()
  const at = (name: string) => path.join(a.shared, name)
  // Killed when the old one was moved away and the new one not yet moved in.
  renameSync(at('tree.sqlite'), at('tree.sqlite.rebuilt'))
  writeFileSync(at('tree.sqlite-wal'), 'of the one that was damaged')
  await a.start()
  expect(await listing(a)).toEqual(before)
  expect(existsSync(at('tree.sqlite.rebuilt'))).toBe(false)
  await a.stop()
  // Killed while the new one was written: the old one counts.
  writeFileSync(at('tree.sqlite.rebuilt'), 'half')
  await a.start()
  expect(await listing(a)).toEqual(before)
  expect(await healed(a)).toEqual([])
})

/** Numbers of pages, from 1, that belong to these tables and indexes. */
function pagesOf(file: string, names: readonly string[]): Set<number> {
  const db = new DatabaseSync(file, { readOnly: false })
  try {
    const marks = names.map(() => '?').join()
    const rows = db.prepare(`select pageno from dbstat where name in (${marks})`).all(...names) as { pageno: number }[]
    return new Set(rows.map(({ pageno }) => pageno))
  } finally {
    db.close()
  }
}
