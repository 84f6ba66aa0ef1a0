import { expect, it } from 'vitest'
import { BucketDevice } from '../../testkit/bucket-device.ts'
import { MemoryBucket } from '../../testkit/memory-object-store.ts'
import { SeededRandom } from '../../testkit/seeded-random.ts'
import type { ChunkId } from '../chunk-id.ts'

const HOUR_MS = 3_600_000
const SIZES = { partBytes: 1e6, packBytes: 2e6 }
const bytesOf = (seed: number, length: number) => new SeededRandom(seed).bytes(length)
const namesOf = (bucket: MemoryBucket, kind: string) => [...bucket.objects.keys()].filter((name) => name.includes(`/${kind}/`))

/** Two devices that sent the same chunk at once, in packs of two sizes: the smaller is marked to go. */
async function twoWithTheSame(bucket: MemoryBucket) {
  const [one, two] = [0, 1].map((n) => new BucketDevice(n, () => bucket.open(), SIZES)) as [BucketDevice, BucketDevice]
  await new Promise((resolve) => setTimeout(resolve, 10)) // after the passes that each begins with
  for (const device of [one, two]) await device.run()
  const empty = new Map(bucket.objects)
  await one.write('x', bytesOf(1, 30_000))
  const [id] = [...one.chunks.ids()] as [ChunkId]
  await one.run()
  const smaller = namesOf(bucket, 'p')[0] as string
  const first = new Map(bucket.objects)
  bucket.objects.clear()
  for (const [name, bytes] of empty) bucket.objects.set(name, bytes)
  await two.write('x too', bytesOf(1, 30_000))
  await two.write('y', bytesOf(2, 1_500_000))
  await two.run()
  const larger = namesOf(bucket, 'p')[0] as string
  for (const [name, bytes] of first) bucket.objects.set(name, bytes)
  for (let n = 0; n < 3; n++) for (const device of [one, two]) await device.run()
  expect(namesOf(bucket, 'd').map((name) => name.slice(-40))).toEqual([smaller.slice(-40)])
  return { one, two, id, smaller, larger }
}

it('[BK7] a pack goes only when the one that is to hold its chunks from then on gives them back: not when that has rotted since it was read', async () => {
  const bucket = new MemoryBucket()
  const { one, two, id, smaller, larger } = await twoWithTheSame(bucket)
  const chunk = Buffer.from((await one.chunks.get(id))?.bytes ?? [])
  two.open.dispose()
  const rotten = Buffer.from(bucket.objects.get(larger) as Uint8Array)
  const at = rotten.indexOf(chunk)
  expect(at).toBeGreaterThanOrEqual(0)
  rotten[at + 100] = (rotten[at + 100] as number) ^ 1
  bucket.objects.set(larger, Uint8Array.from(rotten))
  one.clock.forward(25 * HOUR_MS)
  bucket.fault = (call, name) => (call === 'put' && name.includes('/p/') ? 'fail' : undefined) // not put again meanwhile
  for (let n = 0; n < 2; n++) await one.run()
  bucket.fault = () => undefined
  expect(bucket.objects.has(smaller)).toBe(true)
  const bare = new BucketDevice(1, () => bucket.open(), SIZES)
  await bare.run()
  await bare.read('x').catch(() => {}) // out of the larger; that is trusted no more
  expect(Buffer.compare((await bare.read('x')) as Uint8Array, bytesOf(1, 30_000))).toBe(0)
  for (const device of [one, bare]) device.open.dispose()
})

it('[BK7] it goes when that gives them back', async () => {
  const bucket = new MemoryBucket()
  const { one, two, smaller } = await twoWithTheSame(bucket)
  two.open.dispose()
  one.clock.forward(2 * HOUR_MS)
  await one.run()
  expect([bucket.objects.has(smaller), one.open.status().unsafeVersions]).toEqual([false, 0])
  one.open.dispose()
})

it('[BK7] what another device puts while this one sends is taken in before anything is held for unwanted', async () => {
  const bucket = new MemoryBucket()
  let meanwhile: (() => Promise<void>) | undefined
  const hooked = () => {
    const objects = bucket.open()
    const put = async (name: string, bytes: Uint8Array) => {
      const work = name.includes('/p/') ? meanwhile : undefined
      if (work) meanwhile = undefined
      await work?.()
      await objects.put(name, bytes)
    }
    return { ...objects, put }
  }
  // A pack that nothing names.
  const before = new MemoryBucket()
  const writer = new BucketDevice(0, () => before.open(), SIZES)
  await writer.write('x', bytesOf(1, 30_000))
  await writer.run()
  writer.open.dispose()
  for (const name of [...namesOf(before, 'p'), ...namesOf(before, 'i')]) bucket.objects.set(name, before.objects.get(name) as Uint8Array)
  const pack = namesOf(bucket, 'p')[0] as string
  const one = new BucketDevice(0, hooked, SIZES)
  const two = new BucketDevice(1, () => bucket.open(), SIZES)
  await new Promise((resolve) => setTimeout(resolve, 10)) // after the passes that each begins with
  bucket.fault = (call, name) => (call === 'put' && name.includes('/d/') ? 'fail' : undefined) // the other does not mark it
  await two.run()
  bucket.fault = () => undefined
  for (const name of namesOf(bucket, 'd')) bucket.objects.delete(name)
  await one.write('y', bytesOf(2, 30_000))
  meanwhile = async () => {
    await two.write('x again', bytesOf(1, 30_000))
    await two.open.bucket.run(false)
  }
  await one.run()
  expect(meanwhile).toBe(undefined)
  expect([bucket.objects.has(pack), namesOf(bucket, 'd')]).toEqual([true, []])
  for (const device of [one, two]) device.open.dispose()
})

it('[BK6] [BK7] who has not looked for half an hour looks before it counts on what lies there: it may be marked to go', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SIZES)
  await device.write('a', bytesOf(1, 30_000))
  await new Promise((resolve) => setTimeout(resolve, 10)) // after the pass that it begins with
  await device.run()
  expect(device.open.status().unsafeVersions).toBe(0)
  for (const name of namesOf(bucket, 'p')) bucket.objects.set(name.replace('/p/', '/d/'), new Uint8Array(1)) // by another one
  bucket.fault = (call, name) => (call === 'put' && name.includes('/p/') ? 'fail' : undefined)
  device.clock.forward(2 * HOUR_MS)
  await device.write('the same', bytesOf(1, 30_000))
  await device.open.bucket.run(false)
  expect(device.open.status().unsafeVersions).toBe(2)
  bucket.fault = () => undefined
  await device.run()
  expect(device.open.status().unsafeVersions).toBe(0)
  device.open.dispose()
})
