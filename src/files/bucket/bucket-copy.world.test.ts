import { expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { StoreError } from '../../base/store-error.ts'
import { BucketDevice, ForwardClock } from '../../testkit/bucket-device.ts'
import { MemoryBucket, type ObjectFault } from '../../testkit/memory-object-store.ts'
import { SeededRandom, strideOfRun } from '../../testkit/seeded-random.ts'
import type { ChunkId, SealedChunk } from '../chunk-id.ts'
import type { OpId } from '../op.ts'
import { MemoryChunkStore } from '../memory-chunk-store.ts'
import { BucketError } from './bucket-error.ts'

const SMALL = { partBytes: 150_000, packBytes: 400_000 }
const bytesOf = (seed: number, length: number) => new SeededRandom(seed).bytes(length)
/** Comparing millions of numbers one by one takes seconds. */
const isSame = async (read: Promise<Uint8Array | undefined>, bytes: Uint8Array) =>
  Buffer.compare((await read) ?? new Uint8Array(0), bytes) === 0
const HOUR_MS = 3_600_000

/** How often each sealed chunk of a device was taken by the bucket. */
async function timesTaken(bucket: MemoryBucket, device: BucketDevice): Promise<number[]> {
  const all = Buffer.concat(bucket.taken)
  const times: number[] = []
  for (const id of device.chunks.ids()) {
    const bytes = Buffer.from((await device.chunks.get(id as ChunkId))?.bytes ?? [])
    let count = 0
    for (let at = all.indexOf(bytes); at >= 0; at = all.indexOf(bytes, at + 1)) count++
    times.push(count)
  }
  return times
}

it('[BK2] [BK5] a device that has nothing but the keys gets everything from the bucket; what lies there tells nothing', async () => {
  const bucket = new MemoryBucket()
  const first = new BucketDevice(0, () => bucket.open(), SMALL)
  await first.write('kingfisher.bin', bytesOf(1, 1_500_000))
  await first.write('small', utf8('kingfisher text'))
  await first.run()
  expect(first.open.bucket.status).toMatchObject({ state: 'safe', awayChunks: 0, wrong: 0 })
  expect(new Set(await timesTaken(bucket, first))).toEqual(new Set([1]))
  for (const [name, bytes] of bucket.objects) {
    expect(name).toMatch(/^[0-9a-f]{32}\/[pis]\/[0-9a-f]{40}$/)
    const text = `${name} ${Buffer.from(bytes).toString('latin1')}`
    for (const told of ['kingfisher', 'ESG1', first.open.id, ...first.chunks.ids()]) expect(text.includes(told)).toBe(false)
  }
  const bare = new BucketDevice(1, () => bucket.open(), SMALL)
  await bare.run()
  expect(bare.chunks.stats.chunks).toBe(0)
  expect(await isSame(bare.read('kingfisher.bin'), bytesOf(1, 1_500_000))).toBe(true)
  expect(await bare.read('small')).toEqual(utf8('kingfisher text'))
  const before = bucket.taken.length
  await bare.run()
  expect(bucket.taken.length).toBe(before)
  for (const device of [first, bare]) device.open.dispose()
})

it('[BK6] contents count as safe when the bucket was seen to have them, after a restart too, and no longer when it has lost them', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  const unsafe = () => device.open.status().unsafeVersions
  await device.write('a', bytesOf(1, 500_000))
  await device.write('b', bytesOf(2, 500_000))
  expect(unsafe()).toBe(2)
  bucket.fault = (call, name) => (call === 'put' && name.includes('/s/') ? 'lost' : undefined)
  await device.run()
  expect(unsafe()).toBe(2) // who cannot read the changes finds no contents
  bucket.fault = () => undefined
  await device.run()
  expect(unsafe()).toBe(0)
  device.restart()
  expect(unsafe()).toBe(0)
  bucket.fault = () => 'fail'
  await device.run()
  expect([unsafe(), device.open.bucket.status?.state, device.open.bucket.status?.error?.code]).toEqual([0, 'failing', 'bucket/failed'])
  // A rule of the bucket's own removed it all, and it is down while that is put again.
  bucket.objects.clear()
  bucket.fault = (call, name) => (call === 'put' && name.includes('/p/') ? 'fail' : call === 'part' ? 'fail' : undefined)
  await device.run()
  expect(device.open.bucket.status?.state).toBe('failing')
  expect(unsafe()).toBe(2)
  bucket.fault = () => undefined
  await device.run()
  expect(unsafe()).toBe(0)
  device.open.bucket.use(undefined)
  expect(unsafe()).toBe(2)
  device.open.dispose()
})

it('[BK4] cut off at any call, it goes on where it stopped: no chunk that the bucket took is sent again', async () => {
  const plain = bytesOf(3, 800_000)
  for (const [k, how] of (['fail', 'cut'] as const satisfies ObjectFault[]).entries()) {
    for (let at = 1 + k; ; at += strideOfRun(5)) {
      const bucket = new MemoryBucket()
      bucket.minPartBytes = SMALL.partBytes
      const device = new BucketDevice(0, () => bucket.open(), SMALL)
      await device.write('a', plain)
      let call = ''
      bucket.fault = (kind, name, n) => {
        if (n !== at) return undefined
        call = `${how} at ${kind} ${name.slice(33, 34)} (${n})`
        return how
      }
      await device.run()
      device.restart()
      bucket.fault = () => undefined
      await device.run()
      expect(device.open.bucket.status, call).toMatchObject({ state: 'safe', awayChunks: 0 })
      expect(device.open.status().unsafeVersions, call).toBe(0)
      // A put whose answer was lost is sent again: nobody can know. A part is not counted then.
      if (!call.startsWith('cut at put p')) expect(new Set(await timesTaken(bucket, device)), call).toEqual(new Set([1]))
      const bare = new BucketDevice(1, () => bucket.open(), SMALL)
      await bare.run()
      expect(await isSame(bare.read('a'), plain), call).toBe(true)
      for (const one of [device, bare]) one.open.dispose()
      if (call === '') break
    }
  }
})

it('[BK7] what the dataset drops goes from the bucket, an hour after it was marked; a pack of which little is wanted is written anew', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), { ...SMALL, devices: 1 })
  const packBytes = () => [...bucket.objects].reduce((sum, [name, { length }]) => sum + (name.includes('/p/') ? length : 0), 0)
  await device.write('big', bytesOf(4, 1_800_000))
  await device.write('kept', bytesOf(5, 200_000))
  await device.run()
  expect(packBytes()).toBeGreaterThan(1_800_000)
  const { dataset } = device.open
  const big = dataset.lookup(dataset.root, 'big')
  dataset.removeAll(big?.id as never)
  device.clock.forward(91 * 24 * HOUR_MS)
  await device.open.housekeeping.run()
  await device.run()
  expect(packBytes()).toBeGreaterThan(1_800_000)
  device.clock.forward(2 * HOUR_MS)
  await device.run()
  await device.run()
  expect(packBytes()).toBeLessThan(500_000)
  expect([...bucket.objects.keys()].filter((name) => name.includes('/d/'))).toEqual([])
  const bare = new BucketDevice(0, () => bucket.open(), SMALL)
  await bare.run()
  expect(await isSame(bare.read('kept'), bytesOf(5, 200_000))).toBe(true)
  for (const one of [device, bare]) one.open.dispose()
})

it('[BK8] wrong, short and missing bytes are seen, shown and put again; what is read is never other than what was written', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  await device.write('a', bytesOf(6, 600_000))
  for (const fault of ['wrong', 'short', 'lost'] as const) {
    bucket.fault = (call, name) => ((call === 'put' || call === 'part' || call === 'complete') && name.includes('/p/') ? fault : undefined)
    await device.run()
    expect(device.open.status().unsafeVersions, fault).toBe(1)
    expect(device.open.bucket.status?.state, fault).not.toBe('safe')
  }
  bucket.fault = () => undefined
  await device.run()
  await device.run()
  expect(device.open.status().unsafeVersions).toBe(0)
  const bare = new BucketDevice(1, () => bucket.open(), SMALL)
  await bare.run()
  bucket.fault = (call) => (call === 'get' ? 'wrong' : undefined)
  await expect(bare.read('a')).rejects.toMatchObject({ code: 'chunk/unavailable' })
  expect(bare.open.bucket.status?.wrong).toBeGreaterThan(0)
  bucket.fault = () => undefined
  expect(await isSame(bare.read('a'), bytesOf(6, 600_000))).toBe(true)
  for (const one of [device, bare]) one.open.dispose()
})

const namesOf = (bucket: MemoryBucket, kind: string) => [...bucket.objects.keys()].filter((name) => name.includes(`/${kind}/`))

it('[BK6] changes and indexes count when they were read back: short and wrong ones are seen, and so is what rots later', async () => {
  for (const kind of ['s', 'i'])
    for (const fault of ['short', 'wrong'] as const) {
      const bucket = new MemoryBucket()
      const device = new BucketDevice(0, () => bucket.open(), SMALL)
      const unsafe = () => device.open.status().unsafeVersions
      await device.write('a', bytesOf(7, 100_000))
      bucket.fault = (call, name) => (call === 'put' && name.includes(`/${kind}/`) ? fault : undefined)
      await device.run()
      expect([unsafe(), device.open.bucket.status?.state], `${kind} ${fault}`).toEqual([1, 'failing'])
      bucket.fault = () => undefined
      await device.run()
      await device.run()
      expect([unsafe(), device.open.bucket.status?.state], `${kind} ${fault}`).toEqual([0, 'safe'])
      // Later the bucket changes it, of the same length or shorter.
      for (const name of namesOf(bucket, kind)) {
        const bytes = bucket.objects.get(name) as Uint8Array
        bucket.objects.set(name, fault === 'short' ? bytes.slice(0, -1) : bytes.map((byte) => byte ^ 1))
      }
      for (let n = 0; n < 3; n++) await device.run()
      const bare = new BucketDevice(1, () => bucket.open(), SMALL)
      await bare.run()
      expect(await isSame(bare.read('a'), bytesOf(7, 100_000)), `${kind} ${fault}`).toBe(true)
      expect([bare.open.bucket.status?.wrong, namesOf(bucket, kind).length], `${kind} ${fault}`).toEqual([0, 1])
      for (const one of [device, bare]) one.open.dispose()
    }
})

it('[BK6] a change counts only while all that it needs is there: own later ones do not when the first are gone', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  await device.write('a', bytesOf(8, 1_000))
  await device.run()
  await device.write('b', bytesOf(9, 1_000))
  await device.run()
  expect(device.open.status().unsafeVersions).toBe(0)
  const [first = ''] = namesOf(bucket, 's')
  bucket.objects.delete(first)
  bucket.fault = (call) => (call === 'put' ? 'fail' : undefined)
  await device.run()
  expect(device.open.status().unsafeVersions).toBe(2)
  bucket.fault = () => undefined
  await device.run()
  expect(device.open.status().unsafeVersions).toBe(0)
  device.open.dispose()
})

it('[BK7] nothing goes while a batch or an index cannot be opened: it may name what looks unwanted', async () => {
  for (const kind of ['s', 'i']) {
    const bucket = new MemoryBucket()
    const [first, other] = [0, 1].map((n) => new BucketDevice(n, () => bucket.open(), SMALL)) as [BucketDevice, BucketDevice]
    await other.run()
    await first.write('a', bytesOf(10, 300_000))
    await first.run()
    const [unread = ''] = namesOf(bucket, kind)
    bucket.fault = (call, name) => (call === 'get' && name === unread ? 'wrong' : undefined)
    for (let n = 0; n < 3; n++) {
      other.clock.forward(2 * HOUR_MS)
      await other.run()
    }
    expect(other.open.bucket.status, kind).toMatchObject({ state: 'partial', wrong: 1 })
    expect([namesOf(bucket, 'd'), namesOf(bucket, 'p').length], kind).toEqual([[], 1])
    bucket.fault = () => undefined
    await other.run()
    expect(other.open.bucket.status, kind).toMatchObject({ state: 'safe', wrong: 0 })
    for (const one of [first, other]) one.open.dispose()
  }
})

it('[BK6] a bucket that is gone counts at once no more; one that is refused, after a day, also for what settled long ago', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  const op = () => device.open.dataset.lookup(device.open.dataset.root, 'a')?.version as OpId
  const told = () => [device.open.status().unsafeVersions, device.open.book.mustKeep(op())]
  await device.write('a', bytesOf(11, 300_000))
  await device.run()
  expect(told()).toEqual([0, false])
  const answer = async (code: 'bucket/refused' | 'bucket/not-found') => {
    bucket.fault = () => {
      throw new BucketError(code, 'for this test')
    }
    await device.run()
    expect(device.open.bucket.status).toMatchObject({ state: 'failing', error: { code } })
  }
  await answer('bucket/refused')
  expect(told()).toEqual([0, false])
  device.clock.forward(25 * HOUR_MS)
  expect(device.open.book.mustKeep(op())).toBe(true) // before anybody looked anew
  expect([told(), device.open.bucket.status?.isHolder]).toEqual([[1, true], false])
  device.restart()
  expect(told()).toEqual([1, true])
  bucket.fault = () => undefined
  await device.run()
  expect(told()).toEqual([0, false])
  bucket.objects.clear()
  await answer('bucket/not-found')
  expect(told()).toEqual([1, true])
  device.open.dispose()
})

it('[BK6] how much of what lies there is not on this device is told', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  await device.write('a', bytesOf(12, 300_000))
  await device.run()
  expect(device.open.bucket.status?.onlyThereBytes).toBe(0)
  const bare = new BucketDevice(1, () => bucket.open(), SMALL)
  await bare.run()
  expect(bare.open.bucket.status?.onlyThereBytes).toBe(device.chunks.stats.bytes)
  for (const one of [device, bare]) one.open.dispose()
})

it('[BK8] a pack that gave wrong bytes counts no more at once, after a restart neither, and goes an hour after the others were told', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  await device.write('a', bytesOf(13, 100_000))
  await device.run()
  const kept = device.chunks
  device.chunks = new MemoryChunkStore()
  device.restart()
  await device.run()
  expect(device.open.status().unsafeVersions).toBe(0)
  bucket.fault = (call, name) => (call === 'get' && name.includes('/p/') ? 'wrong' : undefined)
  await expect(device.read('a')).rejects.toMatchObject({ code: 'chunk/unavailable' })
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve))
  expect([device.open.status().unsafeVersions, device.open.bucket.status?.wrong]).toEqual([1, 1])
  device.chunks = kept
  device.restart()
  expect([device.open.status().unsafeVersions, device.open.bucket.status?.wrong]).toEqual([1, 1])
  const [pack = ''] = namesOf(bucket, 'p')
  bucket.fault = (call) => (call === 'put' ? 'fail' : undefined)
  await device.run()
  device.clock.forward(2 * HOUR_MS)
  bucket.fault = () => undefined
  await device.run()
  expect([bucket.objects.has(pack), namesOf(bucket, 'd').length, device.open.status().unsafeVersions]).toEqual([true, 1, 0])
  device.clock.forward(2 * HOUR_MS)
  await device.run()
  expect([bucket.objects.has(pack), namesOf(bucket, 'd').length, device.open.bucket.status?.wrong]).toEqual([false, 0, 0])
  device.open.dispose()
})

it('[BK8] a bucket that spoils all that is put there is sent it ever more rarely, and keeps none of it', async () => {
  const bucket = new MemoryBucket()
  const waits: number[] = []
  const clock = new ForwardClock()
  const after = clock.after
  clock.after = (ms, work) => {
    waits.push(ms)
    return after(ms, work)
  }
  const device = new BucketDevice(0, () => bucket.open(), { ...SMALL, clock })
  await device.write('a', bytesOf(14, 600_000))
  bucket.fault = (call, name) => ((call === 'put' || call === 'part') && name.includes('/p/') ? 'wrong' : undefined)
  for (const ms of [10_000, 20_000, 40_000]) {
    await device.run()
    expect(waits.at(-1)).toBeGreaterThanOrEqual(ms) // the one after a change, of 5 s, does not come before
    expect([namesOf(bucket, 'p'), namesOf(bucket, 'i')]).toEqual([[], []])
  }
  device.open.dispose()
})

it('[BK6] packs that another device put count here when each was read back here', async () => {
  const bucket = new MemoryBucket()
  const [first, other] = [0, 1].map((n) => new BucketDevice(n, () => bucket.open(), SMALL)) as [BucketDevice, BucketDevice]
  await first.write('a', bytesOf(15, 4_000_000))
  await first.run()
  await other.write('the same', bytesOf(15, 4_000_000))
  const spoilt = namesOf(bucket, 'p').toSorted().at(-1)
  bucket.fault = (call, name) => (call === 'get' && name === spoilt ? 'wrong' : undefined)
  await other.run()
  expect(other.open.status().unsafeVersions).toBe(1)
  bucket.fault = () => undefined
  await other.run()
  await other.run()
  expect(other.open.status().unsafeVersions).toBe(0)
  for (const one of [first, other]) one.open.dispose()
})

it('[BK7] a pack without an index goes two hours after it was seen first, the second told to the others; not before its writer may be done', async () => {
  const bucket = new MemoryBucket()
  const [writer, other] = [0, 1].map((n) => new BucketDevice(n, () => bucket.open(), SMALL)) as [BucketDevice, BucketDevice]
  await writer.write('a', bytesOf(16, 100_000))
  bucket.fault = (call, name) => (call === 'put' && name.includes('/i/') ? 'fail' : undefined)
  await writer.run()
  bucket.fault = () => undefined
  const count = async (forwardMs: number) => {
    other.clock.forward(forwardMs)
    await other.run()
    return [namesOf(bucket, 'p').length, namesOf(bucket, 'd').length]
  }
  expect([await count(0), await count(HOUR_MS / 2), await count(HOUR_MS), await count(HOUR_MS / 2)]).toEqual([
    [1, 0],
    [1, 0],
    [1, 1],
    [1, 1],
  ])
  expect(await count(HOUR_MS)).toEqual([0, 0])
  await writer.run()
  await writer.run()
  expect(writer.open.status().unsafeVersions).toBe(0)
  for (const one of [writer, other]) one.open.dispose()
})

it('[BK4] cut off after its last, short part, an upload is ended with that; what came meanwhile goes in another pack', async () => {
  const bucket = new MemoryBucket()
  bucket.minPartBytes = SMALL.partBytes
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  await device.write('a', bytesOf(17, 200_000))
  bucket.fault = (call) => (call === 'complete' ? 'fail' : undefined)
  await device.run()
  expect(bucket.uploads.size).toBe(1)
  await device.write('b', bytesOf(18, 100_000))
  bucket.fault = () => undefined
  await device.run()
  expect(device.open.bucket.status).toMatchObject({ state: 'safe', packs: 2 })
  expect(new Set(await timesTaken(bucket, device))).toEqual(new Set([1]))
  device.open.dispose()
})

it('[BK4] an upload whose end the bucket refuses is given up and begins anew', async () => {
  for (const code of ['bucket/nonsense', 'bucket/not-found', 'bucket/upload-gone'] as const) {
    const bucket = new MemoryBucket()
    const device = new BucketDevice(0, () => bucket.open(), SMALL)
    await device.write('a', bytesOf(19, 200_000))
    bucket.fault = (call) => {
      if (call === 'complete') throw new BucketError(code, 'for this test')
      return undefined
    }
    await device.run()
    expect(bucket.uploads.size, code).toBe(0)
    bucket.fault = () => undefined
    await device.run()
    expect(device.open.bucket.status?.state, code).toBe('safe')
    device.open.dispose()
  }
})

it('[BK7] others see what a device wrote before they see its packs; what it does not send itself they send after a minute', async () => {
  const bucket = new MemoryBucket()
  const [writer, other] = [0, 1].map((n) => new BucketDevice(n, () => bucket.open(), SMALL)) as [BucketDevice, BucketDevice]
  await other.run()
  await writer.write('a', bytesOf(20, 1_000_000))
  bucket.fault = (call) => (call === 'begin' && namesOf(bucket, 'i').length > 0 ? 'fail' : undefined)
  await writer.run() // one pack of three
  bucket.fault = () => undefined
  for (const id of writer.chunks.ids()) await other.chunks.put((await writer.chunks.get(id)) as SealedChunk)
  const [taken, packs] = [bucket.taken.length, namesOf(bucket, 'p').length]
  expect(packs).toBe(1)
  await other.run()
  expect([bucket.taken.length, namesOf(bucket, 'd')]).toEqual([taken, []])
  other.clock.forward(61_000)
  await other.run()
  expect(other.open.bucket.status).toMatchObject({ state: 'safe', awayChunks: 0 })
  await writer.run()
  expect(writer.open.status().unsafeVersions).toBe(0)
  for (const one of [writer, other]) one.open.dispose()
})

it('[BK7] two devices that sent the same at once agree on which pack is to stay', async () => {
  const bucket = new MemoryBucket()
  const both = [0, 1].map((n) => new BucketDevice(n, () => bucket.open(), SMALL)) as [BucketDevice, BucketDevice]
  await new Promise((resolve) => setTimeout(resolve, 10)) // after the passes that each begins with
  for (const device of both) await device.run()
  for (const device of both) await device.write(`of ${device.n}`, bytesOf(21, 100_000))
  const [one, two] = both
  const list = new Map(bucket.objects)
  await one.run()
  const first = new Map(bucket.objects)
  bucket.objects.clear()
  for (const [name, bytes] of list) bucket.objects.set(name, bytes)
  await two.run()
  for (const [name, bytes] of first) bucket.objects.set(name, bytes)
  for (let n = 0; n < 3; n++) for (const device of both) await device.run()
  const names = (kind: string) => namesOf(bucket, kind).map((name) => name.slice(-40))
  expect(names('p').length).toBe(2)
  expect(names('d')).toEqual(names('p').toSorted().slice(1))
  for (const device of both) device.clock.forward(2 * HOUR_MS)
  for (const device of [...both, ...both]) await device.run()
  expect([names('p').length, ...both.map(({ open }) => open.status().unsafeVersions)]).toEqual([1, 0, 0])
  for (const device of both) device.open.dispose()
})

it('[BK4] [BK6] after a change only what is new is sent and looked at; a pack that is not there then does not count', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  await device.write('a', bytesOf(22, 300_000))
  await new Promise((resolve) => setTimeout(resolve, 10)) // after the pass that it begins with
  await device.run()
  const listed: string[] = []
  for (const isLost of [true, false]) {
    await device.write(`b ${isLost}`, bytesOf(isLost ? 23 : 25, 100_000))
    listed.length = 0
    bucket.fault = (call, name) => {
      if (call === 'list') listed.push(name.slice(33, 35))
      if (call === 'list' && isLost) bucket.objects.delete(name)
      return undefined
    }
    const { lookedMs } = device.open.bucket.status ?? {}
    device.clock.forward(1_000)
    await device.open.bucket.run(false)
    expect(device.open.bucket.status).toMatchObject({ lookedMs, isHolder: true })
    expect([device.open.status().unsafeVersions, device.open.bucket.status?.state]).toEqual(isLost ? [1, 'failing'] : [0, 'safe'])
    expect(listed).toEqual(['p/'])
    bucket.fault = () => undefined
    await device.run()
    expect(device.open.status().unsafeVersions).toBe(0)
  }
  device.open.dispose()
})

it('[BK3] a full disk while changes are taken in is said to be one', async () => {
  const bucket = new MemoryBucket()
  const [writer, other] = [0, 1].map((n) => new BucketDevice(n, () => bucket.open(), SMALL)) as [BucketDevice, BucketDevice]
  await writer.write('a', bytesOf(24, 1_000))
  await writer.run()
  const put = other.store.putSegment.bind(other.store)
  other.store.putSegment = () => {
    throw StoreError.diskFull('/disk')
  }
  await other.run()
  expect(other.open.bucket.status).toMatchObject({ state: 'failing', strangeBatches: 0, error: { code: 'store/disk-full' } })
  other.store.putSegment = put
  await other.run()
  expect(other.open.bucket.status).toMatchObject({ state: 'safe' })
  for (const one of [writer, other]) one.open.dispose()
})

it('[BK6] all of a pack is read back before it counts: one wrong chunk among many is found', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), { partBytes: 1e6, packBytes: 1e6 })
  await new Promise((resolve) => setTimeout(resolve, 10)) // after the pass that it begins with
  for (let n = 0; n < 20; n++) await device.write(`f${n}`, bytesOf(40 + n, 10_000))
  const get = bucket.open
  bucket.open = () => {
    const objects = get.call(bucket)
    return {
      ...objects,
      put: async (name, bytes) => {
        await objects.put(name, bytes)
        if (name.includes('/p/')) spoilLast(bucket, name)
      },
    }
  }
  device.restart()
  await device.run()
  expect([device.open.status().unsafeVersions, namesOf(bucket, 'i')]).toEqual([20, []])
  bucket.open = get
  device.restart()
  await device.run()
  expect(device.open.status().unsafeVersions).toBe(0)
  device.open.dispose()
})

it('[BK10] a bare device keeps few of the changes that wait in memory: it reads them again when it is their turn, and gets all', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  for (let n = 0; n < 7; n++) {
    await device.write(`f${n}`, bytesOf(60 + n, 1_000))
    await device.run()
  }
  const backwards = new MemoryBucket()
  for (const [name, bytes] of [...bucket.objects].toReversed()) backwards.objects.set(name, bytes)
  const read = new Map<string, number>()
  backwards.fault = (call, name) => {
    if (call === 'get' && name.includes('/s/')) read.set(name, (read.get(name) ?? 0) + 1)
    return undefined
  }
  const bare = new BucketDevice(1, () => backwards.open(), { ...SMALL, waitingBytes: 1 })
  await bare.run()
  expect(bare.open.bucket.status).toMatchObject({ state: 'safe', strangeBatches: 0, batches: 7 })
  for (let n = 0; n < 7; n++) expect(await isSame(bare.read(`f${n}`), bytesOf(60 + n, 1_000))).toBe(true)
  expect(Math.max(...read.values())).toBeGreaterThan(1)
  for (const one of [device, bare]) one.open.dispose()
})

it('[BK10] a file that only the bucket has is read at once after a start, before its packs are all known here', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open(), SMALL)
  await device.write('a', bytesOf(70, 300_000))
  await device.run()
  device.chunks = new MemoryChunkStore() // let go of
  device.restart()
  expect(await isSame(device.read('a'), bytesOf(70, 300_000))).toBe(true)
  device.open.dispose()
})

/** Its last byte is another one. */
function spoilLast(bucket: MemoryBucket, name: string): void {
  const bytes = bucket.objects.get(name) as Uint8Array
  bucket.objects.set(
    name,
    Uint8Array.from(bytes, (byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)),
  )
}
