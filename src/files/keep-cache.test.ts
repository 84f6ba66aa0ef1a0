import { expect, it } from 'vitest'
import { testFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import type { DroppedVersions } from './dropped-versions.ts'
import { makeRoom } from './keep-cache.ts'
import { encodePieces } from './manifest.ts'
import { MemoryChunkStore } from './memory-chunk-store.ts'
import type { ReplicationBook } from './replication-book.ts'

/** Of which one chunk has rotted. */
class DamagedChunks extends MemoryChunkStore {
  damaged: ChunkId | undefined
  override async get(id: ChunkId): Promise<SealedChunk | undefined> {
    if (id === this.damaged) await this.drop([id])
    return super.get(id)
  }
}

/** A file of many pieces, whose list is damaged, and one small file. */
async function deviceWithDamage(
  giveBack: (ids: ReadonlySet<ChunkId>) => ReadonlySet<ChunkId> = () => expect.unreachable('nobody is to be asked'),
) {
  const clock = new ManualClock()
  const chunks = new DamagedChunks()
  const asked: ChunkId[] = []
  // Linked, and silent.
  const source = { fetch: (id: ChunkId) => new Promise<undefined>(() => void asked.push(id)) }
  const { dataset, store } = testFileDevice(1, clock, { chunks, source })
  const write = async (name: string, bytes: Uint8Array) =>
    dataset.createFile(dataset.root, name, { manifest: await dataset.writer.write(bytes) })
  const large = await write('large', new SeededRandom(1).bytes(6 * 1024 * 1024))
  const small = await write('small', Uint8Array.of(1, 2, 3))
  expect(large.manifest.depth).toBe(1)
  clock.advance(2 * 3_600_000)
  chunks.damaged = large.manifest.pieces[0]?.id
  const mustKeep = new Set<string>()
  const held = new Set<string>() // by a bucket
  const book = { mustKeep: (op: string) => mustKeep.has(op), isHeldByBucket: (op: string) => held.has(op) } as unknown as ReplicationBook
  const dropped = { batches: [] } as unknown as DroppedVersions
  const bucket = { prove: async (ids: ReadonlySet<ChunkId>) => giveBack(ids), losses: 0 }
  const cut = () => makeRoom({ dataset, store, dropped, chunks, book, pins: { contents: () => [] }, bucket, limitBytes: 1000 }, 0)
  return { chunks, asked, large, small, mustKeep, held, cut, dataset }
}

it('[RP4] a cache is cut without asking anybody, whatever is damaged', async () => {
  const { asked, chunks, small, mustKeep, cut, large, dataset } = await deviceWithDamage()
  mustKeep.add(small.version)
  dataset.holds.hold(() => [large.manifest]) // its list names what else is held; it cannot be read
  expect(await cut()).toBe(true)
  expect([asked, chunks.has(small.manifest.pieces[0]?.id as ChunkId)]).toEqual([[], true])
})

it('[RP4] nothing goes while a content that must stay cannot be told from the rest: its list is asked for', async () => {
  const { asked, chunks, large, mustKeep, cut } = await deviceWithDamage()
  mustKeep.add(large.version)
  const before = chunks.stats.chunks
  await expect(cut()).rejects.toMatchObject({ code: 'chunk/unavailable' })
  await new Promise((resolve) => setImmediate(resolve))
  expect([chunks.stats.chunks, asked]).toEqual([before - 1, [large.manifest.pieces[0]?.id]])
})

it('[RP4] nothing that a missing list may name goes unproven: a content that only a bucket has beside it stays, and its list is asked for', async () => {
  for (const depth of [1, 2]) {
    const { asked, chunks, large, held, cut, dataset } = await deviceWithDamage((ids) => new Set([...ids].slice(0, 0)))
    const manifest =
      depth === 1
        ? large.manifest
        : { ...large.manifest, depth, pieces: (await dataset.writer.write(encodePieces(large.manifest.pieces))).pieces }
    const file = depth === 1 ? large : dataset.createFile(dataset.root, 'larger', { manifest })
    dataset.flush() // what is not signed yet stays anyway
    held.add(file.version)
    const before = new Set(chunks.ids())
    expect(await cut(), `depth ${depth}`).toBe(false)
    await new Promise((resolve) => setImmediate(resolve))
    before.delete(large.manifest.pieces[0]?.id as ChunkId)
    expect(new Set(chunks.ids()), `depth ${depth}`).toEqual(before)
    expect(asked, `depth ${depth}`).toEqual([large.manifest.pieces[0]?.id])
  }
})

it('[RP4] what the bucket gave back goes all the same while the list of another content is missing', async () => {
  const { chunks, small, large, held, cut } = await deviceWithDamage((ids) => ids)
  held.add(large.version)
  held.add(small.version)
  await cut()
  expect(chunks.has(small.manifest.pieces[0]?.id as ChunkId)).toBe(false)
})
