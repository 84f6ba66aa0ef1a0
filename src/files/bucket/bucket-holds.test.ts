import { expect, it } from 'vitest'
import { BucketDevice } from '../../testkit/bucket-device.ts'
import { MemoryBucket } from '../../testkit/memory-object-store.ts'
import { SeededRandom } from '../../testkit/seeded-random.ts'
import { putBehind, segmentsBehind } from '../checkpoint/segments-behind.ts'
import type { OpId } from '../op.ts'
import { BucketHolds } from './bucket-holds.ts'
import { stampOf } from './day-stamp.ts'

const bytesOf = (seed: number, length: number) => new SeededRandom(seed).bytes(length)

it('[BK6] a bucket that is removed while a look is noted stays removed', async () => {
  const device = new BucketDevice(0, undefined)
  for (let n = 0; n < 3; n++) {
    await device.write(`file ${n}`, bytesOf(n, 1_000))
    device.open.dataset.flush()
  }
  const { dataset, book } = device.open
  const { own } = book
  expect(own.length).toBe(3)
  const segments = new Set(own.map(({ log, seq }) => `${log}/${seq}`))
  const holdsOf = () => new BucketHolds(device.store, device.clock)
  const held = (holds: BucketHolds) => own.filter(({ hash, contents: [[number] = [-1]] }) => holds.has(hash, number)).length
  const holds = holdsOf()
  let pauses = 0
  const pause = async () => void pauses++
  holds.see(stampOf(device.clock))
  const update = () => holds.update({ dataset, own }, () => true, segments, pause)
  const first = update()
  holds.clear()
  await first
  expect([held(holds), held(holdsOf())]).toEqual([0, 0])
  pauses = 0
  await update()
  holds.see(stampOf(device.clock))
  expect([held(holds), pauses]).toEqual([3, 3])
  // A loss takes all with it until what is left is known; also after a restart, and when finding out was cut short.
  holds.lose()
  expect([held(holds), held(holdsOf())]).toEqual([0, 0])
  const lost = holds.update({ dataset, own }, () => true, segments, pause)
  holds.stop()
  await lost
  expect([held(holds), held(holdsOf())]).toEqual([0, 0])
  // What is lost meanwhile is not covered by what began before.
  const second = update()
  holds.lose()
  await second
  expect([held(holds), held(holdsOf())]).toEqual([0, 0])
  await holds.update({ dataset, own }, (id) => id !== undefined, segments, pause)
  expect([held(holds), held(holdsOf())]).toEqual([3, 3])
  holds.lose()
  await holds.update({ dataset, own }, () => false, segments, pause)
  expect(held(holds)).toBe(0)
  device.open.dispose()
})

it('[BK6] begun from a checkpoint, a device takes what lies behind it out of the bucket; while that has a gap, nothing is safe by it', async () => {
  for (const isGap of [true, false]) {
    const bucket = new MemoryBucket()
    const first = new BucketDevice(0, () => bucket.open())
    for (let n = 0; n < 3; n++) {
      await first.write(`file ${n}`, bytesOf(n, 1_000))
      await first.run()
    }
    const [head] = first.store.heads()
    if (!head) throw new Error('no log')
    const { codec } = first.open.dataset
    const second = codec.headOf(first.store.segment(head.log, 2) as Uint8Array)
    const {
      first: before,
      ops,
      stamp,
    } = (({ ops, first }) => ({ first, ops: ops.length, stamp: ops.at(-1)?.stamp ?? 0 }))(
      codec.open(second, first.store.segment(head.log, 2) as Uint8Array, Number.MAX_SAFE_INTEGER / 1000),
    )
    const later = new BucketDevice(1, () => bucket.open())
    later.store.putHead({ log: head.log, device: head.device, seq: 2, hash: second.hash, ops: before + ops, stamp })
    putBehind(later.store, head.log, { seq: 2, hash: second.hash })
    later.restart()
    await later.write('own', bytesOf(9, 1_000))
    const [oldest = ''] = [...bucket.objects.keys()].filter((name) => name.includes('/s/'))
    if (isGap) bucket.objects.delete(oldest)
    await later.run()
    const { unsafeVersions } = later.open.status()
    const left = [...segmentsBehind(later.store).values()].map(({ seq }) => seq)
    expect({ state: later.open.bucket.status?.state, unsafeVersions, left }).toEqual(
      isGap ? { state: 'partial', unsafeVersions: 1, left: [1] } : { state: 'safe', unsafeVersions: 0, left: [] },
    )
    if (isGap) await first.run()
    if (isGap) await later.run()
    expect([later.open.bucket.status?.state, later.open.status().unsafeVersions]).toEqual(['safe', 0])
    for (const one of [first, later]) one.open.dispose()
  }
})

it('[BK6] a hold does not outlive the moment in which a loss is seen, nor does a restart bring it back', async () => {
  const bucket = new MemoryBucket()
  const device = new BucketDevice(0, () => bucket.open())
  const versions: OpId[] = []
  for (const name of ['a', 'b']) {
    await device.write(name, bytesOf(name.length, 1_000 + versions.length))
    await device.run()
    const { dataset } = device.open
    versions.push(dataset.lookup(dataset.root, name)?.version as OpId)
  }
  const mustKeep = () => versions.map((version) => device.open.book.mustKeep(version))
  expect(mustKeep()).toEqual([false, false])
  const [one = '', two = ''] = [...bucket.objects.keys()].filter((name) => name.includes('/p/'))
  bucket.objects.delete(one)
  bucket.objects.delete(two.replace('/p/', '/i/'))
  let seen: boolean[] | undefined
  bucket.fault = (call) => {
    if (call === 'list') return undefined
    seen ??= mustKeep() // the list was seen, and nothing was noted yet
    return 'fail'
  }
  await device.run()
  expect([seen, mustKeep()]).toEqual([
    [true, true],
    [true, true],
  ])
  bucket.fault = () => 'fail'
  device.restart()
  await device.run()
  expect(mustKeep()).toEqual([true, true])
  bucket.fault = () => undefined
  await device.run()
  expect(mustKeep()).toEqual([false, false])
  device.open.dispose()
})
