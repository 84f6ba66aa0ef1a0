import { expect, it } from 'vitest'
import type { DatasetId } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import { testFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { FileExchange } from './file-exchange.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { PeerChunks } from './peer-chunks.ts'
import type { ReplicationBook } from './replication-book.ts'

it('[OL5] a segment is given to another device only when it is on the disk itself', async () => {
  const clock = new ManualClock()
  const synced: number[] = []
  const store = new (class extends MemoryDatasetStore {
    override async sync(): Promise<void> {
      const held = this.segmentOrder().length
      await new Promise((resolve) => setTimeout(resolve, 5))
      synced.push(held)
    }
  })()
  const { dataset, chunks } = testFileDevice(1, clock, { store })
  const source = new PeerChunks(clock, silentLogger, () => true)
  const parts = {
    dataset,
    id: 'd' as DatasetId,
    store,
    chunks,
    source,
    book: {} as ReplicationBook,
    acknowledgements: {} as Acknowledgements,
    clock,
    logger: silentLogger,
  }
  const exchange = new FileExchange({ ...parts, makeRoom: async () => true, inTurn: (work) => work() })
  dataset.makeFolder(dataset.root, 'a')
  const answered = exchange.answerSegments([])
  dataset.makeFolder(dataset.root, 'b')
  dataset.flush() // comes while the first is synced
  const { segments, frontier } = await answered
  expect([segments.length, frontier, synced]).toEqual([1, [[dataset.frontier().keys().next().value, 1]], [1]])
  exchange.dispose()
})
