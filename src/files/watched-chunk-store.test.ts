import { afterEach, expect, it } from 'vitest'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import type { ChunkId } from './chunk-id.ts'
import { ContentError } from './content-error.ts'
import { MemoryChunkStore } from './memory-chunk-store.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { OpenDataset } from './open-dataset.ts'
import { LEAST_LOOK_BYTES, WatchedChunkStore } from './watched-chunk-store.ts'

const MIB = 2 ** 20
const LIMIT_BYTES = 24 * MIB
const [FILES, FILE_BYTES] = [20, 6 * MIB]
/** Headers of chunks, and lists of pieces. */
const BESIDE_BYTES = MIB / 4

let world: GarbageWorld | undefined
afterEach(() => world?.dispose())

it('[RP4] what is read fast goes beyond the limit by what may be put in between two looks, and no clock has to tick for it', async () => {
  world = new GarbageWorld(new SeededRandom(4), 2, () => new MemoryDatasetStore(), [2 ** 40, LIMIT_BYTES])
  const [a, b] = world.devices as [OpenDataset, OpenDataset]
  const part = new SeededRandom(5).bytes(64 * 1024)
  const fill = async (n: number) => {
    const bytes = new Uint8Array(FILE_BYTES)
    for (let at = 0; at < bytes.length; at += part.length) {
      bytes.set(part, at)
      new DataView(bytes.buffer).setUint32(at, n * FILE_BYTES + at)
    }
    return a.dataset.createFile(a.dataset.root, `file ${n}`, { manifest: await a.dataset.writer.write(bytes) })
  }
  for (let n = 0; n < FILES; n++) await fill(n)
  world.linkAll()
  await world.settle()
  let most = 0
  const { put } = b.chunks
  b.chunks.put = (chunk) => {
    const done = put.call(b.chunks, chunk)
    most = Math.max(most, b.chunks.stats.bytes)
    return done
  }
  const startedMs = world.clock.monotonicMs()
  for (let n = 0; n < FILES; n++) {
    const { id } = b.dataset.at(`/file ${n}`)
    for (let at = 0; at < FILE_BYTES; at += MIB) expect((await b.dataset.readRange(id, at, MIB)).length).toBe(MIB)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  expect(world.clock.monotonicMs() - startedMs).toBe(0)
  expect(most).toBeGreaterThan(LIMIT_BYTES)
  expect(most).toBeLessThan(LIMIT_BYTES + LEAST_LOOK_BYTES + FILE_BYTES + BESIDE_BYTES)
})

it('[RP4] whoever finds the disk full has the cache cut, once at a time', async () => {
  const inner = new MemoryChunkStore()
  inner.put = () => {
    throw new ContentError('chunk/store-full', 'the disk is full')
  }
  const looks: (() => void)[] = []
  const store = new WatchedChunkStore(inner, { limitBytes: () => 2 ** 40, look: () => new Promise<void>((resolve) => looks.push(resolve)) })
  const put = () => store.put({ id: '00' as ChunkId, epoch: 0, bytes: new Uint8Array(1) })
  expect(put).toThrow('full')
  expect(put).toThrow('full')
  expect(looks.length).toBe(1)
  looks[0]?.()
  await new Promise((resolve) => setImmediate(resolve))
  expect(put).toThrow('full')
  expect(looks.length).toBe(2)
})
