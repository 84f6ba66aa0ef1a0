import { expect, it } from 'vitest'
import { MemoryDatasetStore } from '../memory-dataset-store.ts'
import type { ChunkId } from '../chunk-id.ts'
import { BucketContents } from './bucket-contents.ts'

const idOf = (n: number) => n.toString(16).padStart(64, '0') as ChunkId
const nameOf = (n: number) => n.toString(16).padStart(40, '0')

it('[BK7] packs are marked and dropped without a walk through all others; a chunk is found in what is left', () => {
  const contents = new BucketContents(new MemoryDatasetStore())
  let looks = 0
  const [packs, each] = [200, 50]
  for (let n = 0; n < packs; n++) {
    // Half of each lies in the next one, too.
    const chunks = Array.from({ length: each }, (_, k) => ({ id: idOf((n * each) / 2 + k), epoch: 0, bytes: 100 }))
    const counted = new Proxy(chunks, {
      get: (of, key) => {
        looks++
        return Reflect.get(of, key) as unknown
      },
    })
    contents.addOwnPack(nameOf(n), counted)
  }
  looks = 0
  for (let n = 0; n < packs; n += 2) contents.mark(nameOf(n), 1)
  expect([contents.placeOf(idOf(30))?.pack, contents.placeOf(idOf(30))?.offset]).toEqual([nameOf(1), 500])
  expect([contents.holds(idOf(30)), contents.holds(idOf(0))]).toEqual([true, false])
  for (let n = 0; n < packs; n += 2) contents.dropPack(nameOf(n))
  expect(looks).toBeLessThan(6 * packs * each)
  expect([contents.placeOf(idOf(0)), contents.placeOf(idOf(30))?.pack, contents.chunkCount]).toEqual([
    undefined,
    nameOf(1),
    (packs / 2) * each,
  ])
})

it('[BK10] what was known of packs is read pack by pack, and others have the loop between', async () => {
  const store = new MemoryDatasetStore()
  const before = new BucketContents(store)
  for (let n = 0; n < 40; n++) before.addOwnPack(nameOf(n), [{ id: idOf(n), epoch: 0, bytes: 100 }])
  const contents = new BucketContents(store)
  const seen: number[] = []
  const pause = async () => void seen.push(contents.packs.size)
  await Promise.all([contents.load(pause), contents.load(pause)])
  expect(seen).toEqual(Array.from({ length: 40 }, (_, n) => n + 1))
  expect([contents.placeOf(idOf(7))?.pack, contents.counts(idOf(7)), contents.isOwn(nameOf(7))]).toEqual([nameOf(7), true, true])
})

it('[BK6] a pack that was forgotten while its index was put counts when it was read back anew, not when it is found again', async () => {
  const store = new MemoryDatasetStore()
  const contents = new BucketContents(store)
  const chunks = [{ id: idOf(1), epoch: 0, bytes: 100 }]
  contents.addOwnPack(nameOf(1), chunks)
  contents.dropPack(nameOf(1)) // by a look
  contents.read(nameOf(1)) // by who was at it
  contents.addPack(nameOf(1), chunks)
  const after = new BucketContents(store)
  await after.load(() => Promise.resolve())
  expect([contents.counts(idOf(1)), after.counts(idOf(1))]).toEqual([false, false])
  contents.read(nameOf(1))
  expect(contents.counts(idOf(1))).toBe(true)
})
