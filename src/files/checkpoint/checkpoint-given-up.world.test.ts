import { afterEach, expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { linkHosts, TestDatasetHost } from '../../testkit/dataset-hosts.ts'
import { testSegmentSigner } from '../../testkit/file-device.ts'
import { testDatasetKeys } from '../../testkit/file-parts.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { NodeFilesCrypto } from '../../platform/node/node-files-crypto.ts'
import { checkDataset } from '../check-dataset.ts'
import { ChunkCipher } from '../chunk-cipher.ts'
import { type NodeId, ROOT_NODE } from '../op.ts'
import { encodeCheckpoint, openCheckpoint } from './checkpoint-codec.ts'
import { CHECKPOINT_SPACE, LAST } from './checkpoint-maker.ts'
import { nodeKey } from './row-codec.ts'
import { whenLoaded } from './still-loading.ts'
import { TreeReader } from './tree-reader.ts'
import { TreeWriter } from './tree-writer.ts'

const hosts: TestDatasetHost[] = []
afterEach(() => {
  for (const host of hosts.splice(0)) host.dispose()
})

/** Three devices: the first has many files and a checkpoint of them, the second all of its log and may make none, the third nothing. */
async function three() {
  const clock = new ManualClock(1_700_000_000_000)
  const devices = [0, 1, 2].map((n) => new TestDatasetHost(n, 3, clock))
  hosts.push(...devices)
  for (const device of devices) await device.unlock()
  const [a, b, c] = devices as [TestDatasetHost, TestDatasetHost, TestDatasetHost]
  const { dataset } = a.open
  for (let n = 0; n < 60; n++) {
    const folder = dataset.makeFolder(ROOT_NODE, `folder ${n}`)
    for (let k = 0; k < 40; k++)
      dataset.createFile(folder.id, `file ${k}`, { manifest: await dataset.writer.write(utf8(`text ${n} ${k}`)) })
  }
  /** The clock goes on until it is so: `seconds` at most. */
  const until = async (isSo: () => boolean, seconds = 200) => {
    for (let ms = 0; !isSo() && ms < seconds * 1_000; ms += 10) {
      clock.advance(10)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(isSo()).toBe(true)
  }
  const link = linkHosts(a, b)
  await until(() => b.open.store.nodeCount() === a.open.store.nodeCount() && b.open.book.owed.length === 0)
  link.dispose()
  const making = a.open.maker.make()
  await until(() => a.open.maker.last !== undefined)
  await making
  return { clock, a, b, c, until }
}

const paths = ({ open: { dataset } }: TestDatasetHost) =>
  dataset
    .within(ROOT_NODE)
    .map(({ id, version }) => `${dataset.pathOf(id)} ${version}`)
    .sort()

it('[CP10] who began with a checkpoint whose source goes in the middle gives it up within a minute of another device, takes in the log from its beginning, and keeps what was written meanwhile', async () => {
  const { clock, a, b, c, until } = await three()
  a.chunks.gives = () => !c.open.loader.isLoading
  const toA = linkHosts(a, c)
  await until(() => c.open.loader.isLoading)
  toA.dispose()
  const { dataset } = c.open
  const folder = dataset.at('/folder 7')
  dataset.createFile(ROOT_NODE, 'mine', { manifest: await dataset.writer.write(utf8('written meanwhile')) })
  dataset.move(folder.id, ROOT_NODE, 'renamed meanwhile')
  const waiting = Promise.resolve(whenLoaded(() => dataset.at('/folder 3/file 3'))).catch((error: { code: string }) => error.code)
  // Nobody is linked: nobody else has anything to offer, however long it takes.
  await until(() => clock.nowMs() > 1_700_000_000_000 + 600_000, 2_000)
  expect([c.open.loader.isLoading, c.opens]).toEqual([true, 1])
  linkHosts(b, c)
  await until(() => c.opens === 2, 75)
  expect(await waiting).toMatch(/^(dataset\/loading|chunk\/unavailable)$/)
  await until(() => c.open.setAside.count === 0 && c.open.store.nodeCount() === 2_461)
  expect(fromUtf8(await c.open.dataset.readRange(c.open.dataset.at('/mine').id, 0, 100))).toBe('written meanwhile')
  expect(c.open.dataset.at('/renamed meanwhile/file 9').bytes).toBe('text 7 9'.length)
  await until(() => b.open.dataset.lookup(ROOT_NODE, 'mine') !== undefined && c.open.book.unsafe.length === 0)
  expect(paths(c)).toEqual(paths(b))
  expect((await checkDataset(c.open)).problems).toEqual([])
  // Its contents were held all the time, and are still.
  let isTidy = false
  void c.open.housekeeping.run().then(() => (isTidy = true))
  await until(() => isTidy)
  expect(fromUtf8(await c.open.dataset.readRange(c.open.dataset.at('/mine').id, 0, 100))).toBe('written meanwhile')
})

it('[CP10] a checkpoint whose pages say what cannot be is given up at once, never begun with again, and its maker’s log is taken in', async () => {
  const { a, c, until } = await three()
  // Its maker signs another state: the top folder can be read, and what is in the others cannot.
  const crypto = new NodeFilesCrypto()
  const { dataset: id } = testDatasetKeys()
  const cipher = new ChunkCipher(crypto, testDatasetKeys())
  const of = openCheckpoint(crypto, id, a.open.maker.last as Uint8Array)
  const writer = new TreeWriter((plain) => cipher.idOf(plain))
  const reader = new TreeReader((page) => a.open.dataset.reader.chunk(page))
  const isTop = (key: string) => key.startsWith(nodeKey({ id: '' as NodeId, parent: ROOT_NODE }, true))
  for await (const { key, value } of reader.rowsIn(of.state)) writer.add({ key, value: isTop(key) ? value : value.slice(0, 20) })
  const { root } = writer.finish()
  for (const [page, plain] of writer.takePages()) await a.chunks.put(cipher.seal(page, plain))
  const lie = encodeCheckpoint(crypto, { ...of, state: root, number: of.number + 1 }, testSegmentSigner(0))
  a.open.maker.give = async () => lie
  // Only the one that starts over leaves for that, and the other one goes on.
  const other = '4'.repeat(22)
  await c.unlock(other, 'Work')
  const work = c.host.require(other)
  const leaving: (string | undefined)[] = []
  c.host.beforeClose((which) => void leaving.push(which?.id))
  linkHosts(a, c)
  await until(() => c.opens > 1, 75)
  await until(() => c.open.store.nodeCount() === 2_460)
  expect([c.opens, c.open.loader.isLoading]).toEqual([2, false])
  expect([leaving, c.host.require(other) === work]).toEqual([[id], true])
  expect(c.store.value(CHECKPOINT_SPACE, LAST)).toBeUndefined()
  expect(paths(c)).toEqual(paths(a))
})
