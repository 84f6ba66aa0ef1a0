import { expect, it } from 'vitest'
import { toBase64Url, utf8 } from '../base/bytes.ts'
import type { DatasetId } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import { StoreError } from '../base/store-error.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { testFileDevice, testSegmentSigner } from '../testkit/file-device.ts'
import { testDatasetKeys } from '../testkit/file-parts.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import { ContentError } from './content-error.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import { FileExchange, type FilePeerClient } from './file-exchange.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { LogId } from './op.ts'
import { PeerChunks } from './peer-chunks.ts'
import { signReceipt } from './receipt.ts'
import { FIRST_POLICY } from './replica-policy.ts'
import { ReplicationBook } from './replication-book.ts'

/** Of device 2. */
const bookOf = (store: DatasetStore) =>
  new ReplicationBook({
    crypto: new NodeFilesCrypto(),
    dataset: testDatasetKeys().dataset,
    store,
    signer: testSegmentSigner(2),
    isMember: () => true,
    policy: () => ({ ...FIRST_POLICY, departures: 0 }),
  })

it('[OL5] a segment is given to another device only when it is on the disk itself', async () => {
  const clock = new ManualClock()
  const synced: number[] = []
  const store = new (class extends MemoryDatasetStore {
    override async sync(): Promise<void> {
      const held = this.segmentOrder().length
      await new Promise((resolve) => setTimeout(resolve, 5))
      synced.push(held)
    }
  })()
  const { dataset, chunks } = testFileDevice(1, clock, { store })
  const source = new PeerChunks(clock, silentLogger, () => true)
  const parts = {
    dataset,
    id: 'd' as DatasetId,
    store,
    chunks,
    source,
    book: {} as ReplicationBook,
    acknowledgements: {} as Acknowledgements,
    clock,
    logger: silentLogger,
  }
  const exchange = new FileExchange({ ...parts, makeRoom: async () => true, inTurn: (work) => work() })
  dataset.makeFolder(dataset.root, 'a')
  const answered = exchange.answerSegments([])
  dataset.makeFolder(dataset.root, 'b')
  dataset.flush() // comes while the first is synced
  const { segments, frontier } = await answered
  expect([segments.length, frontier, synced]).toEqual([1, [[dataset.frontier().keys().next().value, 1]], [2]])
  exchange.dispose()
})

it('[RP3] room is asked for what is not here of the contents that are copied', async () => {
  const clock = new ManualClock()
  const far = testFileDevice(1, clock)
  const near = testFileDevice(2, clock, { source: { fetch: (id) => far.chunks.get(id) } })
  const { dataset, store, chunks } = near
  const book = bookOf(store)
  const plain = new SeededRandom(4).bytes(2 * 1024 * 1024)
  const base = await far.dataset.writer.write(plain)
  for (const id of far.chunks.ids()) await chunks.put((await far.chunks.get(id)) as SealedChunk)
  const read = () => Uint8Array.of(1)
  const manifest = await far.dataset.writer.change(base, { bytes: plain.length, extents: [{ offset: 1_000_000, length: 1 }], read })
  far.dataset.createFile(far.dataset.root, 'large', { manifest })
  far.dataset.flush()
  for (const bytes of far.dataset.segmentsAfter(new Map(), 2 ** 20)) {
    dataset.takeSegment(bytes)
    book.book(dataset.codec.open(dataset.codec.headOf(bytes), bytes, clock.nowMs()), false)
  }
  const asked: number[] = []
  const makeRoom = async (bytes: number) => asked.push(bytes) > 0
  const parts = {
    dataset,
    id: 'd' as DatasetId,
    store,
    chunks,
    book,
    acknowledgements: {} as Acknowledgements,
    clock,
    logger: silentLogger,
  }
  const source = new PeerChunks(clock, silentLogger, () => true)
  let mostBytes = 1000
  const exchange = new FileExchange({ ...parts, source, makeRoom, mostBytes: () => mostBytes, inTurn: (work) => work() })
  await exchange.copy()
  expect([asked, exchange.isCutShort, book.owed.length]).toEqual([[], true, 1]) // it never fits: nothing goes for it
  mostBytes = 2 ** 20
  await exchange.copy()
  expect(book.owed).toEqual([])
  expect(asked.length).toBe(1)
  expect(asked[0]).toBeGreaterThan(0)
  expect(asked[0]).toBeLessThanOrEqual(2 * 256 * 1024) // the chunk that was changed, or two
  exchange.dispose()
})

it('[RP3] contents of many short files are asked for together, each once, and no more at once than some', async () => {
  const clock = new ManualClock()
  const far = testFileDevice(1, clock)
  let [underWay, most, turns] = [0, 0, 0]
  const fetched: ChunkId[] = []
  const fetch = async (id: ChunkId) => {
    if (underWay === 0) turns++
    most = Math.max(most, ++underWay)
    fetched.push(id)
    await new Promise((resolve) => setTimeout(resolve, 1))
    underWay--
    return far.chunks.get(id)
  }
  const near = testFileDevice(2, clock, { source: { fetch } })
  const { dataset, store, chunks } = near
  const book = bookOf(store)
  const files = 600
  for (let n = 0; n < files; n++) {
    const manifest = await far.dataset.writer.write(utf8(`short ${n % 500}`))
    far.dataset.createFile(far.dataset.root, `file ${n}`, { manifest })
  }
  far.dataset.flush()
  for (const bytes of far.dataset.segmentsAfter(new Map(), 2 ** 24)) {
    dataset.takeSegment(bytes)
    book.book(dataset.codec.open(dataset.codec.headOf(bytes), bytes, clock.nowMs()), false)
  }
  const exchange = new FileExchange({
    ...{ dataset, id: 'd' as DatasetId, store, chunks, book, acknowledgements: {} as Acknowledgements, clock, logger: silentLogger },
    source: new PeerChunks(clock, silentLogger, () => true),
    makeRoom: async () => true,
    inTurn: (work) => work(),
  })
  await exchange.copy()
  expect(book.owed).toEqual([])
  expect([fetched.length, new Set(fetched).size]).toEqual([500, 500])
  expect(turns).toBeLessThanOrEqual(4)
  expect(most).toBeLessThanOrEqual(256)
  exchange.dispose()
})

it('[OL8] while an answer of many segments is taken in others have the loop, and nothing of it is lost when the dataset closes meanwhile', async () => {
  for (const closesAfter of [Number.POSITIVE_INFINITY, 2]) {
    const clock = new ManualClock()
    const far = testFileDevice(1, clock)
    for (let n = 0; n < 3_000; n++) far.dataset.makeFolder(far.dataset.root, `a folder with a long name, number ${n}`)
    far.dataset.flush()
    const { dataset, store, chunks } = testFileDevice(2, clock)
    const segments = far.dataset.segmentsAfter(new Map(), 2 ** 22)
    const seen: number[] = []
    const never = () => ({ dispose: () => {} })
    const client = {
      pullSegments: async () => ({ segments: segments.map(toBase64Url), isMore: false, frontier: [...far.dataset.frontier()] }),
      onDidAddSegments: never,
      onDidSignReceipts: never,
    } as unknown as FilePeerClient
    const exchange: FileExchange = new FileExchange({
      ...{ dataset, id: 'd', store, chunks, clock, logger: silentLogger },
      source: new PeerChunks(clock, silentLogger, () => true),
      book: { owed: [], unsafe: [] } as unknown as ReplicationBook,
      acknowledgements: { keep: () => {} } as unknown as Acknowledgements,
      makeRoom: async () => true,
      inTurn: (work) => work(),
      pause: async () => {
        seen.push(dataset.children(dataset.root).length)
        if (seen.length >= closesAfter) exchange.dispose()
      },
    })
    exchange.attach(testSegmentSigner(1).device, client)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(seen.length).toBeGreaterThan(1)
    expect(new Set(seen).size).toBe(seen.length)
    expect(dataset.children(dataset.root).length).toBe(closesAfter === 2 ? seen[1] : 3_000)
    exchange.dispose()
  }
})

/** Device 2, which owes what device 1 wrote; `events` says in which order things came to the disk and were told. */
async function owing() {
  const clock = new ManualClock()
  const events: string[] = []
  const far = testFileDevice(1, clock)
  const store = new (class extends MemoryDatasetStore {
    override sync = async () => void events.push('store on the disk')
  })()
  const near = testFileDevice(2, clock, { store, source: { fetch: (id) => far.chunks.get(id) } })
  const { dataset, chunks } = near
  chunks.sync = async () => void events.push('contents on the disk')
  const book = bookOf(store)
  far.dataset.createFile(far.dataset.root, 'file', { manifest: await far.dataset.writer.write(utf8('short')) })
  far.dataset.flush()
  const segments = far.dataset.segmentsAfter(new Map(), 2 ** 24)
  const exchange = new FileExchange({
    ...{ dataset, id: 'd' as DatasetId, store, chunks, book, clock, logger: silentLogger },
    acknowledgements: { keep: () => {} } as unknown as Acknowledgements,
    source: new PeerChunks(clock, silentLogger, () => true),
    makeRoom: async () => true,
    inTurn: (work) => work(),
  })
  const never = () => ({ dispose: () => {} })
  const client = (answers: Partial<FilePeerClient>) =>
    ({
      pullSegments: async () => ({ segments: segments.map(toBase64Url), isMore: false, frontier: [...far.dataset.frontier()] }),
      pullReceipts: async () => ({ receipts: [] }),
      onDidAddSegments: never,
      onDidSignReceipts: never,
      ...answers,
    }) as unknown as FilePeerClient
  return { clock, events, far, dataset, book, exchange, segments, client }
}
const device1 = testSegmentSigner(1).device
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

it('[RP10] a receipt is told when the contents and the promise to keep them are on the disk itself', async () => {
  const { clock, events, dataset, book, exchange, segments } = await owing()
  exchange.onDidSign(() => events.push('told'))
  for (const bytes of segments) {
    dataset.takeSegment(bytes)
    book.book(dataset.codec.open(dataset.codec.headOf(bytes), bytes, clock.nowMs()), false)
  }
  await exchange.copy()
  expect(events).toEqual(['contents on the disk', 'store on the disk', 'told'])
  exchange.dispose()
})

it('[RP10] a receipt that cannot be read holds up none that comes with it', async () => {
  const { events, far, book, exchange, client } = await owing()
  const [own] = far.dataset.segmentsAfter(new Map(), 2 ** 24)
  const { hash } = far.dataset.codec.open(far.dataset.codec.headOf(own as Uint8Array), own as Uint8Array, 0)
  const good = signReceipt(testDatasetKeys().dataset, hash, testSegmentSigner(3))
  exchange.onDidSign((receipts) => events.push(`${receipts.length} told`))
  exchange.attach(device1, client({ pullReceipts: async () => ({ receipts: ['AAAA', '!', toBase64Url(good)] }) }))
  book.book(far.dataset.codec.open(far.dataset.codec.headOf(own as Uint8Array), own as Uint8Array, 0), true)
  await settled()
  expect(book.unsafe).toEqual([])
  expect(events).toContain('1 told')
  exchange.dispose()
})

it('[OL6] who could not be listened to once is asked again, less and less often, until it works or the device goes', async () => {
  const { clock, dataset, exchange, client } = await owing()
  let [asked, works] = [0, false]
  const answering = client({})
  const peer = exchange.attach(
    device1,
    client({
      pullSegments: async (input) => {
        asked++
        if (!works) throw StoreError.diskFull('the tree')
        return answering.pullSegments(input)
      },
    }),
  )
  await settled()
  expect([asked, dataset.children(dataset.root).length]).toEqual([1, 0])
  for (const [ms, times] of [
    [9_000, 1],
    [1_000, 2],
    [19_000, 2],
    [1_000, 3],
  ] as const) {
    clock.advance(ms)
    await settled()
    expect(asked).toBe(times)
  }
  works = true
  clock.advance(40_000)
  await settled()
  expect(dataset.children(dataset.root).length).toBe(1)
  const before = asked
  clock.advance(3_600_000)
  await settled()
  expect(asked).toBe(before)
  works = false
  peer.dispose()
  exchange.dispose()
})

it('[OL5] segments, also of what lies behind a checkpoint, are given out after what they name is on the disk itself', async () => {
  const { events, far, dataset, exchange } = await owing()
  dataset.createFile(dataset.root, 'own', { manifest: await far.dataset.writer.write(utf8('short')) })
  const { frontier } = await exchange.answerSegments([])
  const synced = ['contents on the disk', 'store on the disk']
  expect(events).toEqual(synced)
  expect((await exchange.answerBehind(frontier)).segments.length).toBe(1)
  expect(events.slice(2)).toEqual(synced)
  exchange.dispose()
})

it('[OL6] logs of a third device that this one does not follow, however many another one has, do not hide what comes behind them', async () => {
  const { exchange, client, events } = await owing()
  const logOf = (n: number) => n.toString(16).padStart(24, '0') as LogId
  const [bad, good] = [2_000, 2_001]
  const held = new Map<LogId, number>()
  let most = 0
  const bytesOf = (n: number) => Uint8Array.of(n >> 8, n & 255)
  const numberOf = ([high = 0, low = 0]: Uint8Array) => high * 256 + low
  const dataset = {
    onDidAddSegment: () => ({ dispose: () => {} }),
    frontier: () => held,
    codec: { headOf: (bytes: Uint8Array) => ({ log: logOf(numberOf(bytes)), seq: 1, device: 'a third device' }) },
    takeSegment: (bytes: Uint8Array) => {
      const n = numberOf(bytes)
      if (n < bad) throw new ContentError('segment/too-many-logs', 'more than are followed')
      held.set(logOf(n), 1)
      return true
    },
  } as unknown as Dataset
  const following = new FileExchange({
    ...{ dataset, id: 'd', clock: new ManualClock(), logger: { ...silentLogger, warn: () => events.push('said') } },
    store: { heads: () => [] } as unknown as DatasetStore,
    chunks: {} as ChunkStore,
    book: { owed: [], unsafe: [] } as unknown as ReplicationBook,
    acknowledgements: { keep: () => {} } as unknown as Acknowledgements,
    source: new PeerChunks(new ManualClock(), silentLogger, () => true),
    makeRoom: async () => true,
    inTurn: (work) => work(),
  })
  following.attach(
    device1,
    client({
      pullSegments: async ({ frontier }) => {
        const told = new Map(frontier as [LogId, number][])
        most = Math.max(most, told.size)
        const lacked = Array.from({ length: good }, (_, n) => n).filter((n) => !told.has(logOf(n)))
        const page = lacked.slice(0, 700) // pages are full of them
        return { segments: page.map((n) => toBase64Url(bytesOf(n))), isMore: lacked.length > page.length, frontier: [] }
      },
    }),
  )
  await settled()
  expect([...held.keys()]).toEqual([logOf(bad)])
  expect(most).toBeGreaterThan(1_000)
  expect(events.filter((event) => event === 'said').length).toBe(256)
  following.dispose()
  exchange.dispose()
})
