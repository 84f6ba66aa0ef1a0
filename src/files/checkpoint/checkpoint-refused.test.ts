import { expect, it } from 'vitest'
import type { DeviceId } from '../../base/ids.ts'
import { silentLogger } from '../../base/logger.ts'
import { checkpointDevice } from '../../testkit/checkpoint-device.ts'
import { testSegmentSigner } from '../../testkit/file-device.ts'
import { testDatasetKeys } from '../../testkit/file-parts.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { NodeFilesCrypto } from '../../platform/node/node-files-crypto.ts'
import type { ChunkId, SealedChunk } from '../chunk-id.ts'
import { DatasetTree } from '../dataset-tree.ts'
import { ROOT_INO, type TreeAttributes } from '../mounted-tree.ts'
import type { LoadedNodes } from '../dataset-store.ts'
import { MemoryChunkStore } from '../memory-chunk-store.ts'
import { MemoryDatasetStore } from '../memory-dataset-store.ts'
import { type NodeId, ROOT_NODE } from '../op.ts'
import { ChunkCipher } from '../chunk-cipher.ts'
import { encodeCheckpoint, openCheckpoint } from './checkpoint-codec.ts'
import { LoadedTree } from './loaded-tree.ts'
import { isSplit } from './page.ts'
import { nodeKey } from './row-codec.ts'
import { whenLoaded } from './still-loading.ts'
import { TreeReader } from './tree-reader.ts'
import { TreeWriter } from './tree-writer.ts'

const START_MS = 1_700_000_000_000
const crypto = new NodeFilesCrypto()
const { dataset: id } = testDatasetKeys()

/** A device with some folders, its checkpoint, and what gives its pages. */
async function made(options: { folders?: number } = {}) {
  const clock = new ManualClock(START_MS)
  const a = checkpointDevice(0, clock)
  for (let n = 0; n < (options.folders ?? 40); n++) {
    const folder = a.dataset.makeFolder(ROOT_NODE, `folder ${n}`)
    for (let k = 0; k < 40; k++) a.dataset.createFile(folder.id, `file ${k}`)
  }
  await a.maker.make()
  return { clock, a, bytes: a.maker.last as Uint8Array, fetch: (id: ChunkId) => a.chunks.get(id) }
}

const isUntouched = ({ store, loader }: ReturnType<typeof checkpointDevice>) =>
  store.nodeCount() === 0 && store.heads().length === 0 && !loader.isLoading

it('[CP7] a checkpoint that was changed, is of a stranger, of a member that may not, of another dataset or has a log of nobody known is refused; nothing of it is taken', async () => {
  const { clock, a, bytes, fetch } = await made()
  const b = checkpointDevice(1, clock, { source: { fetch } })
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice()
    changed[at] = (changed[at] as number) ^ 0x10
    await expect(b.loader.offer(changed), `byte ${at}`).rejects.toMatchObject({ code: expect.stringMatching(/^checkpoint\//) })
  }
  for (const length of [0, 4, bytes.length - 1])
    await expect(b.loader.offer(bytes.slice(0, length))).rejects.toMatchObject({ code: 'checkpoint/malformed' })
  const member = checkpointDevice(2, clock, { source: { fetch }, mayMake: (device) => device !== a.device })
  await expect(member.loader.offer(bytes)).rejects.toMatchObject({ code: 'checkpoint/refused' })
  const stranger = checkpointDevice(3, clock, { source: { fetch }, isAuthor: () => false })
  await expect(stranger.loader.offer(bytes)).rejects.toMatchObject({ code: 'checkpoint/refused' })
  expect([b, member, stranger].every(isUntouched)).toBe(true)
  expect(await a.maker.make().then(() => member.maker.last)).toBeUndefined()
})

it('[CP7] an older one of a device of which a newer was seen is a rollback and refused; who holds something takes none', async () => {
  const { clock, a, bytes, fetch } = await made()
  a.dataset.makeFolder(ROOT_NODE, 'later')
  await a.maker.make()
  const b = checkpointDevice(1, clock, { source: { fetch: async () => undefined } })
  await expect(b.loader.offer(a.maker.last as Uint8Array)).rejects.toMatchObject({ code: 'chunk/unavailable' })
  await expect(b.loader.offer(bytes)).rejects.toMatchObject({ code: 'checkpoint/rolled-back' })
  const c = checkpointDevice(2, clock, { source: { fetch } })
  c.dataset.makeFolder(ROOT_NODE, 'own')
  expect(await c.loader.offer(bytes)).toBe(false)
  expect(c.dataset.children(ROOT_NODE).length).toBe(1)
})

it('[CP7] pages that are damaged, cut off or others are as if they were not there, and come from another device', async () => {
  const { clock, a, bytes, fetch } = await made()
  const others = [...a.chunks.ids()]
  const spoilt: ((chunk: SealedChunk) => Promise<SealedChunk | undefined>)[] = [
    async (chunk) => ({ ...chunk, bytes: chunk.bytes.map((byte, n) => (n === 5 ? byte ^ 1 : byte)) }),
    async (chunk) => ({ ...chunk, bytes: chunk.bytes.slice(0, -1) }),
    async (chunk) => ({ ...((await a.chunks.get(others.find((other) => other !== chunk.id) as ChunkId)) as SealedChunk), id: chunk.id }),
    async () => undefined,
  ]
  for (const spoil of spoilt) {
    let isHostile = true
    const source = { fetch: async (id: ChunkId) => (isHostile ? spoil((await fetch(id)) as SealedChunk) : fetch(id)) }
    const b = checkpointDevice(1, clock, { source })
    await expect(b.loader.offer(bytes)).rejects.toMatchObject({ code: expect.stringMatching(/^chunk\//) })
    expect(isUntouched(b)).toBe(true)
    isHostile = false
    expect(await b.loader.offer(bytes)).toBe(true)
    expect(b.dataset.children(ROOT_NODE).length).toBe(40)
    b.dispose()
  }
})

it('[CP7] a frontier that does not make what the checkpoint says, or a log that is not its device’s, is refused', async () => {
  const { clock, a, bytes, fetch } = await made()
  const b = checkpointDevice(1, clock, { source: { fetch } })
  const of = openCheckpoint(crypto, id, bytes)
  const sign = (more: Partial<typeof of>) => encodeCheckpoint(crypto, { ...of, ...more }, testSegmentSigner(0))
  await expect(b.loader.offer(sign({ ops: of.ops + 1 }))).rejects.toMatchObject({ code: 'checkpoint/malformed' })
  await expect(b.loader.offer(sign({ logs: of.state }))).rejects.toMatchObject({ code: 'checkpoint/malformed' })
  await expect(b.loader.offer(sign({ state: of.logs }))).resolves.toBe(true) // the top folder of that is empty; the rest is refused when it comes
  for (let n = 0; n < 50; n++) {
    clock.advance(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(b.loader.isLoading).toBe(true)
  expect(a.device as DeviceId).toBe(of.device)
})

it('[CP8] in a mount the folder that is missing is waited for, and nothing else waits; what cannot be had now is said', async () => {
  const { clock, bytes, fetch } = await made({ folders: 200 })
  let isCut = false
  const source = { fetch: async (id: ChunkId) => (isCut ? undefined : fetch(id)) }
  const b = checkpointDevice(1, clock, { source })
  await b.loader.offer(bytes)
  const space = () => ({ totalBytes: 1, freeBytes: 1, files: 1 })
  const tree = new DatasetTree({ datasets: [{ name: 'Home', dataset: b.dataset }], clock, log: silentLogger, space })
  const mount = new LoadedTree(tree)
  const top = mount.lookup(ROOT_INO, 'Home') as TreeAttributes
  expect((mount.readdir(top.ino, 0, 1_000) as readonly unknown[]).length).toBe(200) // at once: it is here
  const folder = mount.lookup(top.ino, 'folder 150') as TreeAttributes
  const coming = mount.lookup(folder.ino, 'file 7')
  expect(coming).toBeInstanceOf(Promise)
  expect(mount.getattr(folder.ino)).toMatchObject({ kind: 'folder' })
  expect(await coming).toMatchObject({ kind: 'file' })
  const made1 = mount.create(folder.ino, 'written meanwhile', 0o644) as TreeAttributes
  expect(made1.kind).toBe('file')
  isCut = true
  const other = mount.lookup(top.ino, 'folder 3') as TreeAttributes
  await Promise.resolve(mount.readdir(other.ino, 0, 10)).catch((error: unknown) => expect(error).toMatchObject({ code: 'tree/away' }))
  expect(b.loader.isLoading).toBe(true)
  tree.dispose()
})

it('[CP9] nothing is begun with a checkpoint of which a row of the top folder cannot be read: what others have is taken in instead', async () => {
  const { clock, a, bytes, fetch } = await made({ folders: 2 })
  const cipher = new ChunkCipher(crypto, testDatasetKeys())
  const writer = new TreeWriter((plain) => cipher.idOf(plain))
  writer.add({ key: nodeKey({ id: 'ab'.repeat(16) as NodeId, parent: ROOT_NODE }, true), value: Uint8Array.of(1, 2, 3) })
  const { root } = writer.finish()
  for (const [page, plain] of writer.takePages()) await a.chunks.put(cipher.seal(page, plain))
  const of = openCheckpoint(crypto, id, bytes)
  const b = checkpointDevice(1, clock, { source: { fetch } })
  const spoilt = encodeCheckpoint(crypto, { ...of, state: root }, testSegmentSigner(0))
  await expect(b.loader.offer(spoilt)).rejects.toMatchObject({ code: 'checkpoint/malformed' })
  expect(isUntouched(b)).toBe(true)
  for (const segment of a.dataset.segmentsAfter(b.dataset.frontier(), 2 ** 24)) expect(b.dataset.takeSegment(segment)).toBe(true)
  expect(b.dataset.children(ROOT_NODE).length).toBe(2)
})

it('[CP9] who is started again in the middle keeps long values of what came before, and gives nobody a checkpoint of which pages are gone', async () => {
  const clock = new ManualClock(START_MS)
  const a = checkpointDevice(0, clock)
  for (let n = 0; n < 40; n++) {
    const folder = a.dataset.makeFolder(ROOT_NODE, `folder ${n}`)
    for (let k = 0; k < 40; k++) a.dataset.createFile(folder.id, `file ${k}`)
    const long = a.dataset.createFile(folder.id, 'long')
    a.dataset.setXattr(long.id, 'user.long', Buffer.alloc(15_000, n).toString('base64'))
  }
  await a.maker.make()
  const bytes = a.maker.last as Uint8Array
  const [store, chunks] = [new MemoryDatasetStore(), new MemoryChunkStore()]
  const isPartly = () => store.value('checkpoint', 'position') !== undefined
  const goesOn = async (isDone: () => boolean) => {
    for (let n = 0; n < 20_000 && !isDone(); n++) {
      clock.advance(1)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(isDone()).toBe(true)
  }
  const cut = { fetch: async (chunk: ChunkId) => (isPartly() ? undefined : a.chunks.get(chunk)) }
  const first = checkpointDevice(1, clock, { store, chunks, source: cut })
  expect(await first.loader.offer(bytes)).toBe(true)
  await goesOn(isPartly)
  for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve))
  expect(first.loader.isLoading).toBe(true)
  first.dispose()
  const again = checkpointDevice(1, clock, { store, chunks, source: { fetch: (chunk) => a.chunks.get(chunk) } })
  let lost: ChunkId | undefined
  const reader = new TreeReader((page) => a.dataset.reader.chunk(page))
  const { leaves } = await reader.leaves(openCheckpoint(crypto, id, bytes).state)
  await goesOn(() => {
    lost ??= leaves[0]?.id
    if (lost) void chunks.drop([lost])
    return !again.loader.isLoading
  })
  const parts = (await Promise.all(leaves.map((leaf) => reader.entries(leaf))))
    .flat()
    .flatMap((entry) => (isSplit(entry) ? entry.parts : []))
  expect(parts.length).toBe(40)
  const held = new Set([...again.dataset.holds.all()].flatMap(({ pieces }) => pieces.map((piece) => piece.id)))
  expect(parts.filter((part) => !held.has(part.id))).toEqual([])
  expect(chunks.has(lost as ChunkId)).toBe(false)
  expect(again.maker.last).toBeUndefined()
  again.dispose()
  a.dispose()
})

it('[CP9] that a checkpoint is loaded is on the disk itself before any of it is taken in, and all of it before that is over', async () => {
  const events: string[] = []
  class Noting extends MemoryDatasetStore {
    override async sync(): Promise<void> {
      await undefined
      events.push('sync')
    }
    override putValue(space: string, key: string, value: Uint8Array | undefined): void {
      if (space === 'checkpoint' && key === 'loading') events.push(value ? 'begin' : 'end')
      super.putValue(space, key, value)
    }
    override loadNodes(loaded: LoadedNodes): number {
      if (events.at(-1) !== 'load') events.push('load')
      return super.loadNodes(loaded)
    }
  }
  const { clock, bytes, fetch } = await made()
  const b = checkpointDevice(1, clock, { store: new Noting(), source: { fetch } })
  await b.loader.offer(bytes)
  for (let n = 0; b.loader.isLoading && n < 1_000; n++) {
    clock.advance(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(events.join(' ')).toMatch(/^begin( sync)+ load( sync)+ end$/)
  b.dispose()
})

it('[CP11] a folder of 3,000 entries, the top one too, is taken in by slices: others have the loop between any two', async () => {
  const clock = new ManualClock(START_MS)
  const a = checkpointDevice(0, clock)
  const large = a.dataset.makeFolder(ROOT_NODE, 'large')
  for (let n = 0; n < 3_000; n++) {
    a.dataset.createFile(large.id, `file ${n}`)
    a.dataset.createFile(ROOT_NODE, `top ${n}`)
  }
  await a.maker.make()
  let turns = 0
  const slices: { rows: number; turn: number }[] = []
  class Counting extends MemoryDatasetStore {
    override loadNodes(loaded: LoadedNodes): number {
      if (loaded.nodes.length > 0) slices.push({ rows: loaded.nodes.length, turn: turns })
      return super.loadNodes(loaded)
    }
  }
  const b = checkpointDevice(1, clock, { store: new Counting(), source: { fetch: (chunk) => a.chunks.get(chunk) } })
  const going = async <T>(work: Promise<T>): Promise<T> => {
    const ended = work.then(
      () => true,
      () => true,
    )
    while (!(await Promise.race([ended, new Promise((resolve) => setImmediate(resolve))]))) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
      clock.advance(1)
    }
    return work
  }
  expect(await going(b.loader.offer(a.maker.last as Uint8Array))).toBe(true)
  expect(b.dataset.children(ROOT_NODE).length).toBe(3_001)
  const listed = await going(Promise.resolve(whenLoaded(() => b.dataset.children(large.id).length)))
  expect(listed).toBe(3_000)
  expect(slices.length).toBeGreaterThanOrEqual(10)
  expect(Math.max(...slices.map(({ rows }) => rows))).toBeLessThanOrEqual(600)
  // Two walks may be in one turn: the folder that was asked for, and the rest.
  for (const [n, { turn }] of slices.entries()) if (n >= 2) expect(turn).toBeGreaterThan(slices[n - 2]?.turn ?? 0)
  b.dispose()
  a.dispose()
})

it('[CP11] who is started again in the middle of a folder has it not, and all of it when it is asked for again', async () => {
  const clock = new ManualClock(START_MS)
  const a = checkpointDevice(0, clock)
  const large = a.dataset.makeFolder(ROOT_NODE, 'large')
  for (let n = 0; n < 3_000; n++) a.dataset.createFile(large.id, `file ${n}`)
  await a.maker.make()
  const [store, chunks] = [new MemoryDatasetStore(), new MemoryChunkStore()]
  const fetch = (chunk: ChunkId) => a.chunks.get(chunk)
  const first = checkpointDevice(1, clock, { store, chunks, source: { fetch } })
  await first.loader.offer(a.maker.last as Uint8Array)
  const waiting = Promise.resolve(whenLoaded(() => first.dataset.children(large.id).length)).catch((error: unknown) => error)
  for (let n = 0; n < 200 && store.nodeCount() < 600; n++) await new Promise((resolve) => setImmediate(resolve))
  expect(store.nodeCount()).toBeLessThan(2_000)
  first.dispose()
  clock.advance(1)
  expect(await waiting).toMatchObject({ code: 'dataset/loading' })
  const again = checkpointDevice(1, clock, { store, chunks, source: { fetch } })
  expect(() => again.dataset.children(large.id)).toThrow(expect.objectContaining({ code: 'dataset/loading' }))
  for (let n = 0; n < 2_000 && again.loader.isLoading; n++) {
    clock.advance(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(again.dataset.children(large.id).length).toBe(3_000)
  again.dispose()
  a.dispose()
})
