import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { checkDataset } from '../../files/check-dataset.ts'
import { linkHosts } from '../../testkit/dataset-hosts.ts'
import { DiskDatasetHost } from '../../testkit/disk-dataset-host.ts'
import { SeededRandom } from '../../testkit/seeded-random.ts'

const owned: { dispose(): void }[] = []
afterEach(() => {
  for (const one of owned.splice(0).reverse()) one.dispose()
})
const own = <T extends { dispose(): void }>(one: T): T => (owned.push(one), one)
const until = async (isSo: () => boolean) => {
  for (let n = 0; n < 1000 && !isSo(); n++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(isSo()).toBe(true)
}

/** A device with a folder, a long file (its list of pieces is content, too), a short one and one in the trash; stopped. */
async function filled(n = 0): Promise<DiskDatasetHost> {
  const device = await own(new DiskDatasetHost(n)).start()
  const { dataset } = device.open
  const folder = dataset.makeFolder(dataset.root, 'folder')
  await device.write('long', new SeededRandom(7).bytes(6 * 1024 * 1024), folder.id)
  await device.write('short', utf8('a short text'))
  const gone = await device.write('gone', utf8('removed'))
  dataset.remove(gone.id)
  const kept = device.open.local.make(dataset.root, 'node_modules', 0o755)
  const manifest = await device.open.local.dataset.writer.write(utf8('of this device only'))
  device.open.local.dataset.createFile(kept.id, 'module', { manifest })
  dataset.flush()
  await device.open.store.settle() // a journal that is left would mend what is damaged behind it
  await device.stop()
  return device
}

const check = async (device: DiskDatasetHost) => {
  const { problems, ...rest } = await checkDataset((await device.start()).open)
  await device.stop()
  return { problems, ...rest }
}
const packOf = (device: DiskDatasetHost, part = 'shared') => {
  const folder = path.join(device.folder, part, 'chunks')
  return path.join(folder, readdirSync(folder).find((name) => name.endsWith('.pack')) as string)
}
const flip = (file: string, at: (bytes: Buffer) => number) => {
  const bytes = readFileSync(file)
  const place = at(bytes)
  bytes[place] = (bytes[place] as number) ^ 1
  writeFileSync(file, bytes)
}
function sql(device: DiskDatasetHost, ...lines: string[]) {
  const db = new DatabaseSync(path.join(device.shared, 'tree.sqlite'))
  try {
    for (const line of lines) expect(db.prepare(line).run().changes).toBe(1)
  } finally {
    db.close()
  }
}

it('[CK1] what is whole is clean: a tree, history, folders of this device only', async () => {
  expect(await check(await filled())).toMatchObject({ problems: [], nodes: 3, versions: 4, awayChunks: 0, unlistedVersions: 0 })
})

it('[CK1] a flipped bit in a pack is found, and told with its path; who is linked gives it back', async () => {
  const a = await filled(0)
  flip(packOf(a), ({ length }) => Math.floor(length / 2))
  const { problems } = await check(a)
  expect(problems.length).toBe(1)
  expect(problems[0]).toMatch(/^damaged: chunk [0-9a-f]{16} of \/folder\/long; no other device is known to have it$/)
  // It is forgotten now, and still no less lost.
  expect((await check(a)).problems[0]).toMatch(/^lost: chunk [0-9a-f]{16} of \/folder\/long is not here, and this device had to keep it/)
})

it('[CK1] what another device has is fetched again when it is found damaged, and the next check is clean', async () => {
  const [a, b] = [await filled(0), own(new DiskDatasetHost(1))]
  await a.start()
  await b.start()
  const link = own(linkHosts(a, b))
  await until(() => a.open.status().unsafeVersions === 0)
  link.dispose()
  await a.stop()
  flip(packOf(a), ({ length }) => Math.floor(length / 2))
  await a.start()
  own(linkHosts(a, b))
  await until(() => a.open.exchange.linked.length === 1)
  const found = await checkDataset(a.open)
  expect(found.problems).toEqual([expect.stringMatching(/^damaged: chunk [0-9a-f]{16} of \/folder\/long; it was fetched again$/)])
  expect((await checkDataset(a.open)).problems).toEqual([])
})

it('[CK1] a pack that is gone: each file of it that only this device had is lost, and said to be; what others hold is only away', async () => {
  const [a, b] = [await filled(0), own(new DiskDatasetHost(1))]
  await a.start()
  await b.start()
  const link = own(linkHosts(a, b))
  await until(() => a.open.status().unsafeVersions === 0)
  link.dispose()
  await a.stop()
  rmSync(packOf(a))
  const away = await check(a)
  expect({ ...away, awayChunks: away.awayChunks > 2 }).toMatchObject({ problems: [], awayChunks: true, unlistedVersions: 1 })
  // A copy is of this device and not yet safe, and names what others have.
  await a.start()
  const { manifest, mtimeNs } = a.open.dataset.at('/short')
  a.open.dataset.createFile(a.open.dataset.root, 'copy', { manifest, mtimeNs })
  expect(a.open.status().unsafeVersions).toBe(1)
  await a.stop()
  expect((await check(a)).problems).toEqual([])
  await b.stop()
  // That one signed for them.
  rmSync(packOf(b))
  const { problems } = await check(b)
  for (const place of ['/folder/long', '/short']) expect(problems.filter((problem) => problem.includes(place)).length).toBeGreaterThan(0)
  for (const problem of problems) expect(problem).toMatch(/^lost: /)
})

it('[CK1] what is of this device only is looked at, too', async () => {
  const a = await filled()
  flip(packOf(a, 'local'), ({ length }) => length - 3)
  expect((await check(a)).problems).toEqual([
    expect.stringMatching(/^in folders of this device only: damaged: chunk .* no other device is known to have it$/),
  ])
})

it.each([
  ['a segment that is gone', ['delete from segment where seq = 1'], /^log .* should end with segment 1, and none of it is here/],
  ['a head that is gone', ['delete from log'], /^log .* is here, and nothing says so/],
  [
    'a row of the tree that is gone',
    ['delete from node where id = (select node from version group by node having count(*) = 1 order by node limit 1)'],
    /what it made \([0-9a-f]{32}\) is not in the tree/,
  ],
  [
    'a folder that is gone',
    ['delete from node where id not in (select node from version)'],
    /what it made \([0-9a-f]{32}\) is not in the tree/,
  ],
  [
    'a version that is gone',
    ['delete from version where node = (select node from version group by node having count(*) = 1 order by node limit 1)'],
    /^the version shown of \/.* is not in its history/,
  ],
  [
    'a name by which nobody finds it',
    ['update node set looked = zeroblob(20) where id = (select node from version group by node having count(*) = 1 order by node limit 1)'],
    /is not found by its name/,
  ],
  [
    'a row that cannot be unsealed',
    ['update node set value = zeroblob(60) where id = (select node from version group by node having count(*) = 1 order by node limit 1)'],
    /cannot be read/,
  ],
] as const)('[CK1] %s is found', async (_, lines, problem) => {
  const a = await filled()
  sql(a, ...lines)
  const { problems } = await check(a)
  expect(problems.join('\n')).toMatch(new RegExp(problem.source, 'm'))
})

it('[CK1] a segment of which one byte is another is found, and told once', async () => {
  const a = await filled()
  const db = new DatabaseSync(path.join(a.shared, 'tree.sqlite'))
  const { bytes } = db.prepare('select bytes from segment where seq = 1').get() as { bytes: Uint8Array }
  bytes[300] = (bytes[300] as number) ^ 1
  db.prepare('update segment set bytes = ?').run(bytes)
  db.close()
  expect((await check(a)).problems).toEqual([expect.stringMatching(/^segment 1 of log .* is not what its device signed/)])
})

it('[CK1] two entries of one folder that have one name are found', async () => {
  const a = await (await filled()).start()
  const { dataset, store } = a.open
  const record = store.node(dataset.at('/short').id)
  if (!record) throw new Error('it was just made')
  store.putNode({ ...record, id: 'f'.repeat(32) as never }, 'short')
  const { problems } = await checkDataset(a.open)
  expect(problems).toContain('two entries of / are called short')
})
