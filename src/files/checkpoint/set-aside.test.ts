import { expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { testFileDevice } from '../../testkit/file-device.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { SetAsideSegments, waitingSegment } from './set-aside.ts'

it('[CP10] a segment that waits and cannot be read keeps nothing closed: it stays, what others name is held, and nothing is tidied', async () => {
  const [far, near] = [testFileDevice(1, new ManualClock(1_700_000_000_000)), testFileDevice(2, new ManualClock(0))]
  far.dataset.createFile(far.dataset.root, 'file', { manifest: await far.dataset.writer.write(new Uint8Array(100_000).fill(1)) })
  far.dataset.flush()
  const [bytes] = far.dataset.segmentsAfter(new Map(), 2 ** 20) as [Uint8Array]
  const head = near.dataset.codec.headOf(bytes)
  const [whole, broken] = [waitingSegment(head), waitingSegment({ log: head.log, seq: 2 })]
  near.store.transaction(() => {
    near.store.putValue(whole.space, whole.key, bytes)
    near.store.putValue(broken.space, broken.key, bytes.slice(0, 50))
  })
  const waiting = new SetAsideSegments({ dataset: near.dataset, store: near.store, logger: silentLogger })
  expect([waiting.count, waiting.isUnreadable, [...near.dataset.holds.all()].length]).toEqual([2, true, 1])
  waiting.take()
  expect([waiting.isUnreadable, near.store.value(broken.space, broken.key)?.length]).toEqual([true, 50])
  waiting.dispose()
})
