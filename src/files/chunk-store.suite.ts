import { afterEach, describe, expect, it } from 'vitest'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'

/** What a chunk store under test is made with. `damage` flips a bit of a chunk where it lies, if the store lies anywhere. */
export interface StoreUnderTest {
  readonly store: ChunkStore
  reopen?(): Promise<ChunkStore>
  damage?(id: ChunkId): Promise<void>
  dispose(): Promise<void>
}

const chunkOf = (n: number, length = 1000): SealedChunk => ({
  id: n.toString(16).padStart(64, '0') as ChunkId,
  epoch: n % 3,
  bytes: Uint8Array.from({ length }, (_, i) => (n * 31 + i * 7) % 256),
})

/** Rules CS1-CS6 and CS8, for every implementation. */
export function describeChunkStore(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`chunk store: ${name}`, () => {
    const open: StoreUnderTest[] = []
    const start = async () => {
      const made = await make()
      open.push(made)
      return made
    }
    afterEach(async () => {
      for (const made of open.splice(0)) await made.dispose()
    })

    it('[CS1] gives back what was put, with its epoch, and nothing for what was not', async () => {
      const { store } = await start()
      for (const n of [1, 2, 3]) await store.put(chunkOf(n, n * 5000))
      expect(await store.get(chunkOf(2).id)).toEqual(chunkOf(2, 10_000))
      expect(await store.get(chunkOf(9).id)).toBeUndefined()
      expect([store.has(chunkOf(3).id), store.has(chunkOf(9).id), store.stats.chunks]).toEqual([true, false, 3])
      expect([...store.ids()].sort()).toEqual([1, 2, 3].map((n) => chunkOf(n).id))
      expect([1, 2, 9].map((n) => store.bytesOf(chunkOf(n).id))).toEqual([5000, 10_000, 0])
    })

    it('[CS2] putting one twice keeps one', async () => {
      const { store } = await start()
      await store.put(chunkOf(1))
      const { bytes } = store.stats
      await Promise.all([store.put(chunkOf(1)), store.put(chunkOf(1))])
      expect(store.stats).toEqual({ chunks: 1, bytes })
    })

    it('[CS3] evicting frees what was asked for and never what is to be kept', async () => {
      const { store } = await start()
      for (let n = 0; n < 200; n++) await store.put(chunkOf(n))
      const kept = new Set([5, 50, 150, 199].map((n) => chunkOf(n).id))
      const before = store.stats.bytes
      const freed = await store.evict(100_000, (id) => kept.has(id))
      expect(freed).toBeGreaterThanOrEqual(100_000)
      expect(before - store.stats.bytes).toBe(freed)
      for (const id of kept) expect((await store.get(id))?.bytes.length).toBe(1000)
      expect(store.stats.chunks).toBeLessThan(110)
      await store.evict(Number.MAX_SAFE_INTEGER, (id) => kept.has(id))
      expect(new Set(store.ids())).toEqual(kept)
      for (const n of [5, 50, 150, 199]) expect(await store.get(chunkOf(n).id)).toEqual(chunkOf(n))
    })

    it('[CS4] what was dropped is gone, and can be put again', async () => {
      const { store } = await start()
      for (const n of [1, 2]) await store.put(chunkOf(n))
      await store.drop([chunkOf(1).id, chunkOf(7).id])
      expect([await store.get(chunkOf(1).id), store.has(chunkOf(1).id)]).toEqual([undefined, false])
      await store.put(chunkOf(1))
      expect(await store.get(chunkOf(1).id)).toEqual(chunkOf(1))
    })

    it('[CS5] what was put is there after a restart; what was dropped or evicted is not', async () => {
      const { store, reopen } = await start()
      if (!reopen) return
      for (let n = 0; n < 60; n++) await store.put(chunkOf(n))
      await store.drop([chunkOf(59).id])
      await store.evict(10_000, (id) => id === chunkOf(0).id)
      const held = [...store.ids()].sort()
      const again = await reopen()
      expect([...again.ids()].sort()).toEqual(held)
      expect(await again.get(chunkOf(0).id)).toEqual(chunkOf(0))
      await again.put(chunkOf(59))
      expect(await again.get(chunkOf(59).id)).toEqual(chunkOf(59))
    })

    it('[CS6] a chunk damaged where it lies is not given out', async () => {
      const { store, damage } = await start()
      if (!damage) return
      for (const n of [1, 2, 3]) await store.put(chunkOf(n))
      await damage(chunkOf(2).id)
      expect([await store.get(chunkOf(2).id), store.has(chunkOf(2).id)]).toEqual([undefined, false])
      expect(await store.get(chunkOf(3).id)).toEqual(chunkOf(3))
    })

    it('[CS8] many are read at once in any order; what is not held, or is of another length, is left out', async () => {
      const { store } = await start()
      for (let n = 0; n < 60; n++) await store.put(chunkOf(n))
      await store.drop([chunkOf(7).id])
      const wanted = [40, 41, 42, 7, 3, 99, 0, 59].map((n) => ({ id: chunkOf(n).id, sealedBytes: 1000 }))
      const found = new Map<ChunkId, SealedChunk>()
      const take = ({ id, epoch, bytes }: SealedChunk) => void found.set(id, { id, epoch, bytes: Uint8Array.from(bytes) })
      await store.readRun([...wanted, { id: chunkOf(5).id, sealedBytes: 999 }], take)
      expect(new Map(found)).toEqual(new Map([40, 41, 42, 3, 0, 59].map((n) => [chunkOf(n).id, chunkOf(n)])))
    })

    it('[CS8] what is evicted while it is read is given out whole or not at all', async () => {
      const { store } = await start()
      for (let n = 0; n < 60; n++) await store.put(chunkOf(n))
      const wanted = Array.from({ length: 60 }, (_, n) => ({ id: chunkOf(n).id, sealedBytes: 1000 }))
      const found: number[] = []
      const reading = store.readRun(wanted, ({ id, bytes }) => {
        const n = Number.parseInt(id, 16)
        expect(Uint8Array.from(bytes)).toEqual(chunkOf(n).bytes)
        found.push(n)
      })
      await Promise.all([reading, store.evict(Number.MAX_SAFE_INTEGER, () => false)])
      expect([store.stats.chunks, new Set(found).size]).toEqual([0, found.length])
    })
  })
}
