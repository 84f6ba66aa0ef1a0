import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
import { TestDatasetHost } from '../testkit/dataset-hosts.ts'
import { roundsOfRun, SeededRandom } from '../testkit/seeded-random.ts'
import { checkDataset } from './check-dataset.ts'
import { segmentsBehind } from './checkpoint/segments-behind.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import type { Manifest } from './manifest.ts'
import { ROOT_NODE } from './op.ts'

const owned: { dispose(): void }[] = []
afterEach(() => {
  for (const one of owned.splice(0).reverse()) one.dispose()
})
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Two contents, one of which has a list of pieces; cut and sealed once for all rounds. */
async function contents(): Promise<{ manifests: readonly Manifest[]; chunks: readonly SealedChunk[] }> {
  const host = new TestDatasetHost(0, 2, systemClock)
  await host.unlock()
  const random = new SeededRandom(11)
  const manifests = [
    await host.open.dataset.writer.write(random.bytes(5_500_000)),
    await host.open.dataset.writer.write(random.bytes(300_000)),
  ]
  expect(manifests.map(({ depth }) => depth)).toEqual([1, 0])
  const chunks = await Promise.all([...host.chunks.ids()].map((id) => host.chunks.get(id)))
  host.dispose()
  return { manifests, chunks: chunks as SealedChunk[] }
}

/** A device that holds them, 120 folders, a checkpoint of that, and some segments after it. */
async function holder({ manifests, chunks }: Awaited<ReturnType<typeof contents>>): Promise<TestDatasetHost> {
  const host = new TestDatasetHost(0, 2, systemClock)
  owned.push(host)
  await host.unlock()
  for (const chunk of chunks) await host.chunks.put(chunk)
  const { dataset, maker } = host.open
  for (let n = 0; n < 120; n++) dataset.makeFolder(ROOT_NODE, `folder ${n}`)
  dataset.createFile(ROOT_NODE, 'long', { manifest: manifests[0] as Manifest })
  dataset.flush()
  await maker.make()
  for (let n = 0; n < 3; n++) {
    dataset.makeFolder(ROOT_NODE, `later ${n}`)
    dataset.flush()
  }
  dataset.createFile(ROOT_NODE, 'short', { manifest: manifests[1] as Manifest })
  dataset.flush()
  return host
}

/** Links them; after message number `last` (from 1) has arrived, the link is cut. @returns how many there were */
function link(a: TestDatasetHost, b: TestDatasetHost, last = Number.POSITIVE_INFINITY) {
  const [near, far] = memoryChannelPair()
  const told = { messages: 0, isCut: false, what: [] as string[] }
  for (const end of [near, far]) {
    const send = end.send.bind(end)
    end.send = (message) => {
      if (told.isCut) return
      send(message)
      told.what.push(/"m":"(\w+)"|"n":"(\w+)"/.exec(new TextDecoder().decode(message.subarray(0, 200)))?.[0] ?? 'bytes')
      if (++told.messages !== last) return
      told.isCut = true
      queueMicrotask(() => queueMicrotask(() => near.close('link/cut')))
    }
  }
  a.host.link(b.open.self, near)
  b.host.link(a.open.self, far)
  return { told, close: () => near.close('link/gone') }
}

const isDone = (a: TestDatasetHost, b: TestDatasetHost): boolean => {
  const [of, to] = [a.open, b.open]
  const isEqual = [...of.dataset.frontier()].every(([log, seq]) => to.dataset.frontier().get(log) === seq)
  return isEqual && !to.loader.isLoading && segmentsBehind(to.store).size === 0 && to.book.owed.length === 0 && of.book.unsafe.length === 0
}
const until = async (isSo: () => boolean, what: () => unknown) => {
  for (let n = 0; n < 30_000 && !isSo(); n++) await turn()
  expect({ isSo: isSo(), ...(!isSo() && { what: what() }) }).toEqual({ isSo: true })
}
const paths = ({ open: { dataset } }: TestDatasetHost) =>
  dataset
    .within(ROOT_NODE)
    .map(({ id, version }) => `${dataset.pathOf(id)} ${version}`)
    .sort()

it('[TR15] a link that is cut after any message of a transfer (checkpoint, segments, lists, chunks, receipts) costs nothing: in the end all is equal, and no chunk that had come is sent again', {
  timeout: 600_000,
}, async () => {
  const of = await contents()
  const [first, second] = [await holder(of), new TestDatasetHost(1, 2, systemClock)]
  owned.push(second)
  await second.unlock()
  const whole = link(first, second)
  await until(
    () => isDone(first, second),
    () => whole.told,
  )
  const all = whole.told.messages
  const steps = whole.told.what
  whole.close()
  for (const step of ['pullCheckpoint', 'pullSegments', 'pullSegmentsBehind', 'fetchChunks', 'onDidSignReceipts'])
    expect(steps.some((what) => what.includes(`"${step}"`))).toBe(true)
  // Each of the first, where one thing follows on another, and of the rest some, or all.
  const stride = Math.max(1, Math.floor(all / roundsOfRun(10, all)))
  const cuts = Array.from({ length: all }, (_, n) => n + 1).filter((n) => n <= 12 || n % stride === 0)
  for (const at of cuts) {
    const [a, b] = [await holder(of), new TestDatasetHost(1, 2, systemClock)]
    await b.unlock()
    const cut = link(a, b, at)
    await until(
      () => cut.told.isCut || isDone(a, b),
      () => ({ at, told: cut.told.what }),
    )
    for (let n = 0; n < 10; n++) await turn()
    const held = new Set<ChunkId>(b.chunks.ids())
    const again: string[] = []
    a.chunks.gives = (id) => {
      if (held.has(id)) again.push(id)
      return true
    }
    const last = link(a, b)
    await until(
      () => isDone(a, b),
      () => ({ at, of: all, b: b.open.status(), held: held.size }),
    )
    expect({ at, again }).toEqual({ at, again: [] })
    expect(paths(b)).toEqual(paths(a))
    for (const { id } of of.chunks) expect(b.chunks.has(id)).toBe(true)
    if (at % 10 === 0) expect((await checkDataset(b.open)).problems).toEqual([])
    last.close()
    a.dispose()
    b.dispose()
  }
  console.info(`links cut: at ${cuts.length} of ${all} messages, each equal in the end`)
})
