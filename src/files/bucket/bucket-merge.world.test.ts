import { expect, it } from 'vitest'
import { BucketDevice } from '../../testkit/bucket-device.ts'
import { MemoryBucket, type ObjectFault } from '../../testkit/memory-object-store.ts'
import { roundsOfRun, SeededRandom, strideOfRun } from '../../testkit/seeded-random.ts'

const HOUR_MS = 3_600_000
const bytesOf = (seed: number, length: number) => new SeededRandom(seed).bytes(length)
const namesOf = (bucket: MemoryBucket, kind: string) => [...bucket.objects.keys()].filter((name) => name.includes(`/${kind}/`))

/** Does a device that has nothing but the keys read all of it? */
async function isAllThere(bucket: MemoryBucket, count: number): Promise<boolean> {
  const copy = new MemoryBucket()
  for (const [name, bytes] of bucket.objects) copy.objects.set(name, bytes)
  const bare = new BucketDevice(1, () => copy.open())
  await bare.run()
  let isThere = true
  for (let n = 0; n < count && isThere; n++)
    isThere = Buffer.compare((await bare.read(`file ${n}`).catch(() => undefined)) ?? new Uint8Array(0), bytesOf(n, 2_000 + n)) === 0
  bare.open.dispose()
  return isThere
}

async function writeAndRun(device: BucketDevice, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    await device.write(`file ${n}`, bytesOf(n, 2_000 + n))
    await device.open.bucket.run(false)
  }
}

it('[BK9] a pack and a batch for each change become few; nothing is unsafe meanwhile, here or on another device, and all is read by a bare one', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open())
  const other = new BucketDevice(1, () => bucket.open())
  await other.write('of the other', bytesOf(1_000, 5_000))
  await other.run()
  const told: number[] = []
  const devices = [device, other]
  const each = async (ms: number) => {
    for (const one of devices) one.clock.forward(ms)
    for (const one of devices) {
      await one.run()
      told.push(one.open.status().unsafeVersions)
    }
  }
  const rounds = roundsOfRun(5, 20)
  for (let n = 0; n < rounds; n++) {
    await writeAndRun(device, 12 * n, 12 * n + 12)
    await each(HOUR_MS / 4)
  }
  for (let n = 0; n < 8; n++) await each(HOUR_MS / 2)
  expect(Math.max(...told)).toBe(0)
  expect(device.open.bucket.status).toMatchObject({ state: 'safe', wrong: 0, strangeBatches: 0, awayChunks: 0 })
  for (const kind of ['p', 'i', 's']) expect(namesOf(bucket, kind).length, kind).toBeLessThan(20)
  expect(namesOf(bucket, 'd')).toEqual([])
  expect(await isAllThere(bucket, 12 * rounds)).toBe(true)
  for (const one of devices) one.open.dispose()
})

it('[BK9] cut off at any call while many are made one, all is there for a bare device, before and after it went on', async () => {
  for (const [k, how] of (['fail', 'cut', 'lost', 'wrong'] as const satisfies ObjectFault[]).entries()) {
    for (let at = 1 + k; ; at += 4 * strideOfRun(10)) {
      const bucket = new MemoryBucket()
      const device = new BucketDevice(0, () => bucket.open())
      await writeAndRun(device, 0, 10)
      const first = bucket.calls
      let call = ''
      bucket.fault = (kind, name, n) => {
        if (n !== first + at) return undefined
        call = `${how} at ${kind} ${name.slice(33, 34)} (${at})`
        return how
      }
      await device.run()
      bucket.fault = () => undefined
      expect(await isAllThere(bucket, 10), call).toBe(true)
      device.restart()
      for (let n = 0; n < 5; n++) {
        device.clock.forward(HOUR_MS / 2)
        await device.run()
      }
      expect([device.open.bucket.status?.state, device.open.status().unsafeVersions], call).toEqual(['safe', 0])
      expect([await isAllThere(bucket, 10), namesOf(bucket, 's').length < 4, namesOf(bucket, 'p').length < 4], call).toEqual([
        true,
        true,
        true,
      ])
      device.open.dispose()
      if (call === '') break
    }
  }
})
