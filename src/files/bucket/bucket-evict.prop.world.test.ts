import { expect, it } from 'vitest'
import { BucketDevice, ForwardClock } from '../../testkit/bucket-device.ts'
import { MemoryBucket, type ObjectFault } from '../../testkit/memory-object-store.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import type { ChunkId } from '../chunk-id.ts'
import { idsOf } from '../keep-cache.ts'
import type { OpId } from '../op.ts'
import { BucketContents } from './bucket-contents.ts'
import type { BucketSizes } from './bucket-upload.ts'

const SIZES = { partBytes: 60_000, packBytes: 150_000 }
const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000]

/** A bucket that remembers what it gave back as it was put, and when. */
class WatchedBucket extends MemoryBucket {
  readonly #clock: ForwardClock
  readonly #put = new Map<string, Uint8Array>()
  readonly #given = new Map<string, { readonly from: number; readonly to: number; readonly atMs: number }[]>()

  constructor(clock: ForwardClock) {
    super()
    this.#clock = clock
  }

  override open() {
    const objects = super.open()
    const keep = (name: string) => {
      const bytes = this.objects.get(name)
      if (bytes) this.#put.set(name, bytes.slice())
    }
    return {
      ...objects,
      put: async (name: string, bytes: Uint8Array) => {
        this.#put.set(name, bytes.slice())
        await objects.put(name, bytes)
      },
      completeUpload: async (name: string, upload: string, proofs: readonly string[]) => {
        await objects.completeUpload(name, upload, proofs)
        keep(name)
      },
      get: async (name: string, offset: number, length: number, signal?: AbortSignal) => {
        const bytes = await objects.get(name, offset, length, signal)
        const right = this.#put.get(name)?.subarray(offset, offset + length)
        if (bytes && right && Buffer.compare(bytes, right) === 0)
          this.#given.set(name, [
            ...(this.#given.get(name) ?? []),
            { from: offset, to: offset + bytes.length, atMs: this.#clock.monotonicMs() },
          ])
        return bytes
      },
    }
  }

  /** Did it give this back within a day? */
  gave(name: string, from: number, to: number): boolean {
    const nowMs = this.#clock.monotonicMs()
    return (this.#given.get(name) ?? []).some((one) => one.from <= from && one.to >= to && nowMs - one.atMs < DAY_MS)
  }

  spoil(random: SeededRandom): void {
    const name = random.pick([...this.objects.keys()])
    const bytes = this.objects.get(name)
    if (!bytes || bytes.length === 0) return
    const how = random.below(4)
    if (how === 0) this.objects.delete(name)
    else if (how === 1) this.objects.set(name, bytes.slice(0, random.below(bytes.length)))
    else if (how === 2) this.objects.set(name, new Uint8Array(bytes.length))
    else {
      const at = random.below(bytes.length)
      this.objects.set(
        name,
        bytes.map((byte, n) => (n === at ? byte ^ 1 : byte)),
      )
    }
  }
}

/** What went from the device and neither comes out of the bucket, with what names it, nor was given back within a day. */
async function lostOf(
  bucket: WatchedBucket,
  { open, store }: BucketDevice,
  gone: ReadonlySet<ChunkId>,
  contents: BucketContents,
): Promise<string[]> {
  if (gone.size === 0) return []
  const copy = new MemoryBucket()
  for (const [name, bytes] of bucket.objects) copy.objects.set(name, bytes)
  const bare = new BucketDevice(2, () => copy.open(), { ...SIZES, devices: 3 })
  try {
    await bare.run()
    const folder = [...bucket.objects.keys()][0]?.slice(0, 33) ?? ''
    const isExcused = (id: ChunkId) => {
      const place = contents.placeOf(id)
      if (!place || !bucket.gave(`${folder}p/${place.pack}`, place.offset, place.offset + place.bytes)) return false
      const batches = [...contents.batches].filter(([, { isBroken }]) => !isBroken)
      return bucket.gave(`${folder}i/${place.pack}`, 0, 1) && batches.every(([name]) => bucket.gave(`${folder}s/${name}`, 0, 1))
    }
    const lost: string[] = []
    for (const node of store.versionedNodes(undefined, 1_000, 1))
      for (const { op, content } of store.versions(node)) {
        if (content.kind !== 'file') continue
        for (const id of (await idsOf(open.dataset, content.manifest)).ids) {
          if (!gone.has(id) || isExcused(id)) continue
          const isRead = await bare.open.dataset.reader.chunk(id, AbortSignal.timeout(2_000)).then(
            () => true,
            () => false,
          )
          if (!isRead || !bare.open.hasSeen(op as OpId)) lost.push(`${op} ${id.slice(0, 8)} ${isRead}`)
        }
      }
    return lost
  } finally {
    bare.open.dispose()
  }
}

const FAULTS: readonly (ObjectFault | undefined)[] = [
  'fail',
  'cut',
  'lost',
  'short',
  'wrong',
  ...Array.from({ length: 30 }, () => undefined),
]

/** One device and a bucket that forgets, rots, cuts and fails, and a time of day that jumps. */
async function run(seed: number, sizes: BucketSizes): Promise<{ wrong?: string; steps: string[]; evicted: number }> {
  const random = new SeededRandom(seed)
  const clock = new ForwardClock()
  const bucket = new WatchedBucket(clock)
  bucket.minPartBytes = SIZES.partBytes
  const device = new BucketDevice(0, () => bucket.open(), { ...sizes, clock })
  const steps: string[] = []
  let evicted = 0
  const faulty = async (work: () => Promise<unknown>) => {
    const isFaulty = random.chance(0.4)
    bucket.fault = (call) => {
      const fault = isFaulty ? random.pick(FAULTS) : undefined
      return fault === 'wrong' && call === 'list' ? undefined : fault
    }
    await work()
    bucket.fault = () => undefined
  }
  try {
    for (let step = 0; step < 30; step++) {
      const what = random.below(14)
      steps.push(String(what))
      if (what <= 1) await device.write(random.pick(['a', 'b', 'c', 'd']), random.bytes(1 + random.below(150_000)))
      else if (what <= 3) clock.forward(random.pick([HOUR_MS / 4, HOUR_MS, 13 * HOUR_MS, 30 * HOUR_MS]))
      else if (what === 4) device.restart()
      else if (what === 5) clock.skewMs = random.chance(0.5) ? 0 : (random.below(60) - 30) * HOUR_MS
      else if (what <= 7) for (let n = random.below(3); n >= 0 && bucket.objects.size > 0; n--) bucket.spoil(random)
      else if (what <= 9) await faulty(() => device.open.bucket.run(random.chance(0.8)))
      else {
        if (what >= 12) {
          // It rots behind a look that saw all.
          await device.write('e', random.bytes(50_000))
          for (let n = 0; n < 3; n++) await device.run()
          clock.forward(26 * HOUR_MS) // what was read back was longer ago than a day
          await device.run()
          clock.forward(HOUR_MS)
          for (let n = random.below(3); n >= 0; n--) bucket.spoil(random)
        }
        const before = new Set(device.chunks.ids())
        const contents = new BucketContents(device.store) // as it was known when it was asked
        await contents.load(() => Promise.resolve())
        const limitBytes = what >= 12 ? 0 : random.below(100_000)
        const isBeside = random.chance(0.3) // a pass is made meanwhile
        await faulty(() => Promise.all([device.open.makeRoom(0, limitBytes).catch(() => {}), isBeside && device.run()]))
        for (const id of device.chunks.ids()) before.delete(id)
        evicted += before.size
        const lost = await lostOf(bucket, device, before, contents)
        if (lost.length > 0) return { wrong: `let go of what is nowhere: ${lost.join(', ')}`, steps, evicted }
      }
    }
    return { steps, evicted }
  } finally {
    device.open.dispose()
  }
}

it('[RP4] [BK6] a device lets go of a chunk only when the bucket gives it back, with all that names it, or gave it back within a day', {
  timeout: 1_800_000,
}, async () => {
  const seed = seedOfRun()
  const rounds = roundsOfRun(15, 400)
  let all = 0
  for (let round = 0; round < rounds; round++) {
    const { wrong, steps, evicted } = await run(seed + round, SIZES)
    all += evicted
    expect({ seed: seed + round, wrong, steps: wrong && steps.join(' ') }).toEqual({
      seed: seed + round,
      wrong: undefined,
      steps: undefined,
    })
  }
  expect(all).toBeGreaterThan(0) // it is let go of, too
  console.info(`a bucket that rots: seed ${seed}, ${rounds} rounds, ${all} chunks let go of`)
})

it('[RP4] the same finds a device that lets go without asking for it', { timeout: 600_000 }, async () => {
  const seed = seedOfRun()
  for (let round = 0; round < 200; round++) {
    const { wrong } = await run(seed + round, { ...SIZES, without: 'proof' })
    if (wrong === undefined) continue
    console.info(`found with seed ${seed + round}: ${wrong.slice(0, 80)}`)
    return
  }
  expect.unreachable('the planted bug was not found')
})
