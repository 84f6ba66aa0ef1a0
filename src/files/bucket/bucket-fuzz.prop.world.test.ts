import { expect, it } from 'vitest'
import { BucketDevice, ForwardClock } from '../../testkit/bucket-device.ts'
import { MemoryBucket, type ObjectFault } from '../../testkit/memory-object-store.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import type { Op, OpId } from '../op.ts'
import type { BucketSizes } from './bucket-upload.ts'

const SIZES = { partBytes: 60_000, packBytes: 150_000 }
const DAY_MS = 86_400_000

/** What this device believes the bucket to hold and a bare one cannot read out of it. */
async function missing(bucket: MemoryBucket, { open, store }: BucketDevice): Promise<string[]> {
  const copy = new MemoryBucket()
  for (const [name, bytes] of bucket.objects) copy.objects.set(name, bytes)
  const bare = new BucketDevice(2, () => copy.open(), { ...SIZES, devices: 3 })
  try {
    await bare.run()
    const lost: string[] = []
    for (const { log, seq, hash, first, contents } of open.book.own) {
      const bytes = store.segment(log, seq) as Uint8Array
      const { ops } = open.dataset.codec.open(open.dataset.codec.headOf(bytes), bytes, Number.MAX_SAFE_INTEGER / 1000)
      for (const [number] of contents) {
        const { body } = ops[number] as Op
        if (!open.bucket.has(hash, number) || !('content' in body) || body.content.kind !== 'file') continue
        const { manifest } = body.content
        const isRead = await bare.open.dataset.reader.read(manifest, 0, manifest.bytes).then(
          () => true,
          () => false,
        )
        if (!isRead || !bare.open.hasSeen(`${log}.${first + number}` as OpId)) lost.push(`${log}.${first + number}`)
      }
    }
    return lost
  } finally {
    bare.open.dispose()
  }
}

/** Devices and a bucket that fails, forgets, is cut off and lies. `isTwo`: two that let go of what it holds; else one, and objects vanish. */
async function run(seed: number, sizes: BucketSizes = SIZES): Promise<{ wrong?: string; steps: string[] }> {
  const random = new SeededRandom(seed)
  const isTwo = random.chance(0.5)
  const bucket = new MemoryBucket()
  bucket.minPartBytes = SIZES.partBytes
  const clock = new ForwardClock()
  const devices = (isTwo ? [0, 1] : [0]).map((n) => new BucketDevice(n, () => bucket.open(), { ...sizes, clock, devices: isTwo ? 2 : 1 }))
  const model = devices.map(() => new Map<string, Uint8Array>())
  const steps: string[] = []
  let hasLost = false
  try {
    for (let step = 0; step < 24; step++) {
      const device = random.pick(devices)
      const { n, open } = device
      const what = random.below(10)
      const name = `${n}-${random.pick(['a', 'b', 'c'])}`
      steps.push(`${n}: ${what} ${name}`)
      if (what <= 3) {
        const bytes = random.bytes(1 + random.below(200_000))
        await device.write(name, bytes)
        model[n]?.set(name, bytes)
      } else if (what === 4) {
        const node = open.dataset.lookup(open.dataset.root, name)
        if (node) open.dataset.removeAll(node.id)
        model[n]?.delete(name)
      } else if (what === 5) {
        clock.forward(random.pick([DAY_MS / 12, 91 * DAY_MS]))
        await open.housekeeping.run()
      } else if (what === 6) {
        device.restart()
      } else if (what === 7 && isTwo) {
        await open.makeRoom(0, 50_000)
      } else if (what === 7) {
        for (const key of [...bucket.objects.keys()]) if (random.chance(0.3)) bucket.objects.delete(key)
        hasLost = true // a full look sees that
      } else {
        const faults: (ObjectFault | undefined)[] = ['fail', 'cut', 'lost', 'short', ...Array.from({ length: 30 }, () => undefined)]
        bucket.fault = (call, object) => {
          if ((call === 'put' || call === 'part') && /\/[psi]\//.test(object) && random.chance(0.05)) return random.pick(['short', 'wrong'])
          const fault = random.pick(faults)
          return fault === 'short' && call !== 'list' && call !== 'get' ? undefined : fault
        }
        await device.open.bucket.run(hasLost || random.chance(0.7))
        hasLost = false
        bucket.fault = () => undefined
        const { state } = device.open.bucket.status ?? {}
        const lost = state === 'failing' ? [] : await missing(bucket, device)
        if (lost.length > 0) return { wrong: `believed to be there: ${lost.join(', ')}`, steps }
      }
    }
    for (let n = 0; n < 3; n++) for (const device of devices) await device.run()
    for (const [n, device] of devices.entries()) {
      const { state, wrong, error } = device.open.bucket.status ?? {}
      if (state !== 'safe') return { wrong: `${n} ends ${state}, ${wrong} wrong, ${error?.message}`, steps }
      if (device.open.status().unsafeVersions > 0) return { wrong: `${n} ends unsafe`, steps }
      for (const [name, bytes] of model[n] ?? [])
        for (const reader of devices) {
          const read = await reader.read(name).catch(() => undefined)
          if (!read || Buffer.compare(read, bytes) !== 0) return { wrong: `${name} is lost on ${reader.n}`, steps }
        }
      for (const lost of await missing(bucket, device)) return { wrong: `in the end not there: ${lost}`, steps }
    }
    return { steps }
  } finally {
    for (const device of devices) device.open.dispose()
  }
}

it('[BK6] [BK7] [BK8] whatever a bucket does, nothing counts as held that is not there, and nothing is lost', {
  timeout: 1_800_000,
}, async () => {
  const seed = seedOfRun()
  const rounds = roundsOfRun(12, 400)
  for (let round = 0; round < rounds; round++) {
    const { wrong, steps } = await run(seed + round)
    expect({ seed: seed + round, wrong, steps: wrong && steps.join('\n') }).toEqual({
      seed: seed + round,
      wrong: undefined,
      steps: undefined,
    })
  }
  console.info(`a bucket that lies: seed ${seed}, ${rounds} rounds`)
})

it('[BK6] the same finds a copy that believes what it has put', { timeout: 600_000 }, async () => {
  const seed = seedOfRun()
  for (let round = 0; round < 200; round++) {
    const { wrong } = await run(seed + round, { ...SIZES, without: 'read-back' })
    if (wrong === undefined) continue
    console.info(`found with seed ${seed + round}: ${wrong.slice(0, 80)}`)
    return
  }
  expect.unreachable('the planted bug was not found')
})
