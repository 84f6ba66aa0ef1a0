import { expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { testFileDevice } from '../../testkit/file-device.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { MemoryDatasetStore } from '../memory-dataset-store.ts'
import type { BucketBatches } from './bucket-batches.ts'
import type { BucketContents } from './bucket-contents.ts'
import { BucketSegments } from './bucket-segments.ts'

it('[OL5] only segments that are on the disk itself are put into the bucket, and what comes while they are brought there waits', async () => {
  let syncs = 0
  const events: string[] = []
  const store = new (class extends MemoryDatasetStore {
    override async sync(): Promise<void> {
      events.push('segments on the disk')
      if (syncs++ > 0) return
      dataset.makeFolder(dataset.root, 'meanwhile')
      dataset.flush()
    }
  })()
  const { dataset, chunks } = testFileDevice(1, new ManualClock(), { store })
  chunks.sync = async () => void events.push('contents on the disk')
  const put = async (batch: readonly unknown[]) => void (batch.length > 0 && events.push(`${batch.length} in the bucket`))
  const segments = new BucketSegments({
    ...{ store, dataset, logger: silentLogger },
    batches: { held: new Set(), put, removeBroken: async () => {} } as unknown as BucketBatches,
    contents: {} as BucketContents,
    behind: async () => 0,
    pause: async () => {},
  })
  dataset.makeFolder(dataset.root, 'before')
  dataset.flush()
  await segments.push()
  const synced = ['contents on the disk', 'segments on the disk']
  expect(events).toEqual([...synced, '1 in the bucket'])
  await segments.push()
  expect(events.slice(3)).toEqual([...synced, '2 in the bucket'])
})
