import { expect, it } from 'vitest'
import { BucketDevice } from '../../testkit/bucket-device.ts'
import { MemoryBucket } from '../../testkit/memory-object-store.ts'
import { SeededRandom } from '../../testkit/seeded-random.ts'

const HOUR_MS = 3_600_000
const NEVER = new AbortController().signal
const bytesOf = (seed: number, length: number) => new SeededRandom(seed).bytes(length)

/** A device whose files are all in the bucket, written long enough ago to be let go of. */
async function fullDevice(options: { without?: 'proof' } = {}) {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), { partBytes: 1e6, packBytes: 2e6, ...options })
  for (const [n, length] of [300_000, 6_000_000].entries()) await device.write(`file ${n}`, bytesOf(n, length))
  await device.run()
  device.clock.forward(2 * HOUR_MS)
  await device.run()
  expect(device.open.status().unsafeVersions).toBe(0)
  const cut = async () => {
    const before = new Set(device.chunks.ids())
    await device.open.makeRoom(0, 0)
    for (const id of device.chunks.ids()) before.delete(id)
    return before.size
  }
  return { bucket, device, cut }
}

/** Spoils every object of a kind, of the same length; or gives all back as they were. */
function spoil(bucket: MemoryBucket, kind: string): void {
  for (const [name, bytes] of bucket.objects)
    if (name.includes(`/${kind}/`))
      bucket.objects.set(
        name,
        bytes.map((byte) => byte ^ 1),
      )
}

it('[RP4] what only the bucket has beside this device goes when the bucket gives it back: not when chunks, indexes or changes have rotted', async () => {
  for (const kind of ['p', 'i', 's']) {
    const { bucket, device, cut } = await fullDevice()
    device.clock.forward(23 * HOUR_MS)
    bucket.fault = (call, name) => (call === 'get' && name.includes(`/${kind}/`) ? 'fail' : undefined)
    await device.run() // listed, and not read
    bucket.fault = () => undefined
    device.clock.forward(2 * HOUR_MS)
    spoil(bucket, kind)
    expect(await cut(), kind).toBe(0)
    for (let n = 0; n < 6; n++) await device.run() // found, and put again
    expect(device.open.status().unsafeVersions, kind).toBe(0)
    expect(await cut(), kind).toBeGreaterThan(0)
    for (const [n, length] of [300_000, 6_000_000].entries())
      expect(Buffer.compare((await device.read(`file ${n}`)) as Uint8Array, bytesOf(n, length)), kind).toBe(0)
    device.open.dispose()
  }
})

it('[RP4] it is read once within a day; while the bucket is not reached nothing that was not goes', async () => {
  const { bucket, device, cut } = await fullDevice()
  bucket.fault = () => 'fail'
  expect(await cut()).toBe(0)
  const ids = new Set(device.chunks.ids())
  bucket.fault = () => undefined
  const proven = await device.open.bucket.prove(ids, NEVER)
  expect(proven).toEqual(ids)
  bucket.fault = () => 'fail'
  expect(await device.open.bucket.prove(ids, NEVER)).toEqual(ids)
  device.clock.forward(23 * HOUR_MS)
  bucket.fault = () => undefined
  await device.run()
  device.clock.forward(2 * HOUR_MS)
  bucket.fault = () => 'fail'
  expect([device.open.status().unsafeVersions, await cut()]).toEqual([0, 0]) // seen lately, read too long ago
  bucket.fault = () => undefined
  expect(await cut()).toBeGreaterThan(0)
  device.open.dispose()
})

it('[RP4] a loss that is seen between the proof and the letting go is heard: nothing goes on the word of before', async () => {
  for (const kind of ['p', 's']) {
    const { bucket, device, cut } = await fullDevice()
    const evict = device.chunks.evict.bind(device.chunks)
    device.chunks.evict = async (bytes, keep) => {
      device.chunks.evict = evict
      for (const name of [...bucket.objects.keys()]) if (name.includes(`/${kind}/`)) bucket.objects.delete(name)
      bucket.fault = (call) => (call === 'put' || call === 'begin' ? 'fail' : undefined)
      await device.run()
      return evict(bytes, keep)
    }
    expect(await cut(), kind).toBe(0)
    bucket.fault = () => undefined
    for (let n = 0; n < 3; n++) await device.run() // put again
    expect(await cut(), kind).toBeGreaterThan(0)
    device.open.dispose()
  }
})

it('[RP4] a bucket that gives nothing back, whatever it is asked for, is waited for once with one cut; nothing is held for broken by that', async () => {
  for (const kind of ['s', 'i', 'p']) {
    const bucket = new MemoryBucket()
    const stop = new AbortController()
    let isStill = false
    const asked: string[] = []
    const objects = () => {
      const open = bucket.open()
      const get: typeof open.get = (name, offset, length, signal) => {
        if (!isStill || !name.includes(`/${kind}/`)) return open.get(name, offset, length, signal)
        asked.push(name)
        if (!signal) return open.get(name, offset, length)
        stop.abort()
        return Promise.reject(new DOMException('aborted', 'AbortError'))
      }
      return { ...open, get }
    }
    const device = new BucketDevice(0, objects, { partBytes: 1e6, packBytes: 2e6 })
    await new Promise((resolve) => setTimeout(resolve, 10)) // after the pass that it begins with
    await device.write('a', bytesOf(0, 300_000))
    await device.run()
    device.clock.forward(22 * HOUR_MS)
    bucket.fault = (call) => (call === 'get' ? 'fail' : undefined)
    await device.run() // listed, and not read
    bucket.fault = () => undefined
    device.clock.forward(3 * HOUR_MS)
    isStill = true
    const chunks = [...device.chunks.ids()]
    expect(await device.open.makeRoom(0, 0, stop.signal), kind).toBe(false)
    expect([stop.signal.aborted, asked.length, [...device.chunks.ids()]], kind).toEqual([true, 1, chunks])
    expect(device.open.status().unsafeVersions, kind).toBe(0)
    device.open.dispose()
  }
})

it('[RP4] without that, this lets go of what has rotted', async () => {
  const { bucket, device, cut } = await fullDevice({ without: 'proof' })
  spoil(bucket, 'p')
  expect(await cut()).toBeGreaterThan(0)
  device.open.dispose()
})

it('[RP4] what is written here and not signed yet stays, however long that takes', async () => {
  const device = new BucketDevice(0, undefined)
  await device.write('a', bytesOf(5, 10_000))
  device.clock.forward(2 * HOUR_MS) // it is not what was just written any more
  const chunks = [...device.chunks.ids()]
  await device.open.makeRoom(0, 0)
  expect(chunks.length).toBeGreaterThan(0)
  expect([...device.chunks.ids()]).toEqual(chunks)
  device.open.dispose()
})
