import { expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { testFileDevice } from '../../testkit/file-device.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { ContentError } from '../content-error.ts'
import { SetAsideSegments, waitingSegment } from './set-aside.ts'

it('[CP10] of segments that wait, what is none is let go of; one whose key is missing keeps nothing closed, stays, and nothing is tidied until it can be read', async () => {
  const [far, near] = [testFileDevice(1, new ManualClock(1_700_000_000_000)), testFileDevice(2, new ManualClock(0))]
  for (const name of ['one', 'two']) {
    far.dataset.createFile(far.dataset.root, name, { manifest: await far.dataset.writer.write(new Uint8Array(100_000).fill(name.length)) })
    far.dataset.flush()
  }
  const [first, second] = far.dataset.segmentsAfter(new Map(), 2 ** 20) as [Uint8Array, Uint8Array]
  const { codec } = near.dataset
  const changed = first.slice()
  changed[300] = (changed[300] as number) ^ 1
  const head = codec.headOf(second)
  const put = (seq: number, bytes: Uint8Array) => {
    const { space, key } = waitingSegment({ log: head.log, seq })
    near.store.transaction(() => near.store.putValue(space, key, bytes))
    return () => near.store.value(space, key)?.length
  }
  const [whole, cutOff, harmed] = [put(2, second), put(3, first.slice(0, 50)), put(4, changed)]
  const { open } = codec
  codec.open = () => {
    throw new ContentError('chunk/no-key', 'no key')
  }
  const waiting = new SetAsideSegments({ dataset: near.dataset, store: near.store, logger: silentLogger })
  expect([waiting.count, waiting.unreadable, cutOff(), harmed()]).toEqual([1, 1, undefined, undefined])
  waiting.take()
  expect([waiting.unreadable, whole(), [...near.dataset.holds.all()].length]).toEqual([1, second.length, 0])
  codec.open = open
  waiting.take()
  expect([waiting.unreadable, whole(), [...near.dataset.holds.all()].length]).toEqual([0, second.length, 1])
  waiting.dispose()
})

it('[CP10] what a later version set aside, in a format that is not known here, stays, and nothing is let go of meanwhile', async () => {
  const near = testFileDevice(2, new ManualClock(1_700_000_000_000))
  near.dataset.createFile(near.dataset.root, 'one')
  near.dataset.flush()
  const [bytes] = near.dataset.segmentsAfter(new Map(), 2 ** 20) as [Uint8Array]
  const later = bytes.slice()
  later[3] = (later[3] as number) + 1
  const { space, key } = waitingSegment(near.dataset.codec.headOf(bytes))
  near.store.transaction(() => near.store.putValue(space, key, later))
  const waiting = new SetAsideSegments({ dataset: near.dataset, store: near.store, logger: silentLogger })
  waiting.take()
  expect([waiting.count, waiting.unreadable, near.store.value(space, key)]).toEqual([1, 1, later])
  waiting.dispose()
})
