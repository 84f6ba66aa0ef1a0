import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { linkHosts, TestDatasetHost } from '../testkit/dataset-hosts.ts'
import { bringSegments, testFileDevice, testSegmentSigner } from '../testkit/file-device.ts'
import { testDatasetKeys } from '../testkit/file-parts.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import { MAX_DEVICE_LOGS, MAX_OWN_LOGS } from './log-limits.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { MAX_DEPS, NO_SEGMENT, type Segment, SegmentCodec } from './op-segment.ts'
import { type LogId, type OpId, ROOT_NODE } from './op.ts'

const owned: { dispose(): void }[] = []
afterEach(() => {
  for (const one of owned.splice(0).reverse()) one.dispose()
})
const until = async (isSo: () => boolean) => {
  for (let n = 0; n < 500 && !isSo(); n++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(isSo()).toBe(true)
}

const codec = new SegmentCodec(new NodeFilesCrypto(), testDatasetKeys())
const clock = new ManualClock(1_700_000_000_000)

/** Logs of which only their ends are known, as a checkpoint leaves them. */
function putHeads(store: DatasetStore, count: number, by: number, isCovered = false): void {
  const { device } = testSegmentSigner(by)
  const hex = (n: number, length: number) => n.toString(16).padStart(length, '0')
  store.transaction(() => {
    for (let n = 0; n < count; n++) {
      const log = hex(n, 24) as LogId
      const head = { log, device, start: hex(n, 16), seq: 1, hash: 'a'.repeat(64), ops: 1, stamp: 1 }
      store.putHead({ ...head, ...(isCovered && { coveredBy: [log, 1] }) })
    }
  })
}

const segmentsOf = (dataset: Dataset): Segment[] =>
  dataset.segmentsAfter(new Map(), Number.POSITIVE_INFINITY).map((bytes) => codec.open(codec.check(bytes), bytes, clock.nowMs()))

/** The first segment of another device's log, signed. */
function segmentOf(n: number, start: string, deps: Segment['deps'] = []): { log: LogId; bytes: Uint8Array } {
  const signer = testSegmentSigner(n)
  const log = codec.logOf(signer.device, start)
  const op = { id: `${log}.0` as OpId, stamp: 1_700_000_000_000_000, body: { kind: 'attributes', node: ROOT_NODE } } as const
  return { log, bytes: codec.encode({ start, seq: 1, prev: NO_SEGMENT, deps, first: 0, deviceName: 'x', ops: [op] }, signer).bytes }
}

it('[OL7] a start names as seen what no segment that it names had seen; whoever takes it in has all before it', () => {
  const stores = [new MemoryDatasetStore(), new MemoryDatasetStore()] as const
  const starts = 12
  for (let n = 0; n < starts; n++) {
    const [a, b] = [testFileDevice(0, clock, { store: stores[0] }), testFileDevice(1, clock, { store: stores[1] })]
    a.dataset.makeFolder(ROOT_NODE, `a ${n}`)
    bringSegments(a.dataset, b.dataset)
    b.dataset.makeFolder(b.dataset.lookup(ROOT_NODE, `a ${n}`)?.id ?? ROOT_NODE, 'in it')
    bringSegments(b.dataset, a.dataset)
    for (const one of [a, b]) one.dataset.dispose()
    clock.advance(1000)
  }
  const a = testFileDevice(0, clock, { store: stores[0] })
  owned.push(a.dataset)
  const segments = segmentsOf(a.dataset)
  expect(segments).toHaveLength(2 * starts)
  expect(segments.map(({ deps }) => deps.length)).toEqual(segments.map((_, n) => (n === 0 ? 0 : 1)))
  // The last first: each is left till what it had seen is here, through all the others.
  const c = testFileDevice(2, clock)
  owned.push(c.dataset)
  const bytes = a.dataset.segmentsAfter(new Map(), Number.POSITIVE_INFINITY).reverse()
  for (let left = bytes, n = 0; left.length > 0; n++) {
    const still = left.filter((one) => !c.dataset.takeSegment(one))
    expect([n, still.length]).toEqual([n, left.length - 1])
    left = still
  }
  for (let n = 0; n < starts; n++)
    expect(c.dataset.lookup(c.dataset.lookup(ROOT_NODE, `a ${n}`)?.id ?? ROOT_NODE, 'in it')?.kind).toBe('folder')
})

it('[OL7] more logs than a segment can name are named by several, each of which others take in, and once', () => {
  const count = 2 * MAX_DEPS + 7
  const store = new MemoryDatasetStore()
  putHeads(store, count, 3)
  const a = testFileDevice(0, clock, { store })
  a.dataset.makeFolder(ROOT_NODE, 'x')
  a.dataset.flush()
  const [first, second, third, ...more] = segmentsOf(a.dataset)
  expect(more).toEqual([])
  expect([first?.deps.length, second?.deps.length, third?.deps.length]).toEqual([MAX_DEPS, MAX_DEPS, 8])
  expect(new Set([first, second, third].flatMap((segment) => segment?.deps.map(([log]) => log))).size).toBe(count + 1)
  const c = testFileDevice(2, clock)
  owned.push(c.dataset)
  const bytes = a.dataset.segmentsAfter(new Map(), Number.POSITIVE_INFINITY)
  putHeads(c.store, MAX_DEPS, 3) // not all that the first of them names, after the logs that come later in the order
  expect(bytes.map((one) => c.dataset.takeSegment(one))).toEqual([true, false, false])
  putHeads(c.store, count, 3)
  expect(bytes.map((one) => c.dataset.takeSegment(one))).toEqual([false, true, true])
  expect(c.dataset.lookup(ROOT_NODE, 'x')?.kind).toBe('folder')
  a.dataset.dispose()
  const again = testFileDevice(0, clock, { store })
  owned.push(again.dataset)
  again.dataset.makeFolder(ROOT_NODE, 'y')
  again.dataset.flush()
  expect(segmentsOf(again.dataset).at(-1)?.deps).toEqual([[third?.log, 1]])
})

it('[OL7] what covered a log and is not here any more covers it no longer', () => {
  const [store, lost] = [new MemoryDatasetStore(), 'd'.repeat(24) as LogId]
  putHeads(store, 1, 3)
  const [head] = store.heads()
  if (head) store.putHead({ ...head, coveredBy: [lost, 1] })
  const a = testFileDevice(0, clock, { store })
  owned.push(a.dataset)
  a.dataset.makeFolder(ROOT_NODE, 'x')
  a.dataset.flush()
  expect(segmentsOf(a.dataset)[0]?.deps).toEqual([[head?.log, 1]])
})

it('[OL3] a segment that names more logs than one may name today, as they were written before, is read; none is written', () => {
  const deps = Array.from({ length: MAX_DEPS + 1 }, (_, n) => [n.toString(16).padStart(24, '0') as LogId, 1] as const)
  expect(() => segmentOf(1, '1'.repeat(16), deps)).toThrow(RangeError)
  const written = Object.assign([], { toJSON: () => deps })
  const { bytes } = segmentOf(1, '1'.repeat(16), written)
  expect(codec.open(codec.check(bytes), bytes, clock.nowMs()).deps).toEqual(deps)
})

it('[OL7] of a device with too many logs no further one is followed, and what is held goes on; its own goes on in its last', () => {
  const store = new MemoryDatasetStore()
  const a = testFileDevice(0, clock, { store })
  const b = testFileDevice(1, clock)
  a.dataset.makeFolder(ROOT_NODE, 'first')
  bringSegments(a.dataset, b.dataset)
  a.dataset.dispose()
  putHeads(store, MAX_OWN_LOGS - 1, 0, true)
  putHeads(b.store, MAX_DEVICE_LOGS - 1, 0)
  const again = testFileDevice(0, clock, { store })
  owned.push(again.dataset, b.dataset)
  again.dataset.makeFolder(ROOT_NODE, 'second')
  again.dataset.flush()
  for (const bytes of again.dataset.segmentsAfter(b.dataset.frontier(), Number.POSITIVE_INFINITY)) b.dataset.takeSegment(bytes)
  expect([b.dataset.lookup(ROOT_NODE, 'second')?.kind, b.store.heads().length]).toEqual(['folder', MAX_DEVICE_LOGS])
  expect(() => b.dataset.takeSegment(segmentOf(0, '2'.repeat(16)).bytes)).toThrow('more logs of files than are followed')
  expect(b.dataset.takeSegment(segmentOf(2, '2'.repeat(16)).bytes)).toBe(true)
})

it('[OL7] devices that hold tens of thousands of logs bring each other what is new', async () => {
  const [a, c] = [new TestDatasetHost(0, 3, systemClock), new TestDatasetHost(2, 3, systemClock)]
  owned.push(a, c)
  for (const { store } of [a, c]) putHeads(store, 20_000, 1, true)
  for (const one of [a, c]) await one.unlock()
  linkHosts(a, c)
  a.open.dataset.makeFolder(ROOT_NODE, 'mine')
  a.open.dataset.flush()
  await until(() => c.open.dataset.lookup(ROOT_NODE, 'mine') !== undefined)
})
