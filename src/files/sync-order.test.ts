import { afterEach, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { TestDatasetHost } from '../testkit/dataset-hosts.ts'
import { testFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { systemClock } from '../base/clock.ts'
import { MemoryChunkStore } from './memory-chunk-store.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { ROOT_NODE } from './op.ts'

const owned: { dispose(): void }[] = []
afterEach(() => {
  for (const one of owned.splice(0).reverse()) one.dispose()
})
const turns = () => new Promise((resolve) => setTimeout(resolve, 10))

it('[MT14] contents are on the disk itself before what names them goes there', async () => {
  const events: string[] = []
  let goOn = () => {}
  class Chunks extends MemoryChunkStore {
    override async sync(): Promise<void> {
      await new Promise<void>((resolve) => (goOn = resolve))
      events.push('chunks')
    }
  }
  class Store extends MemoryDatasetStore {
    override async sync(): Promise<void> {
      events.push('store')
    }
  }
  const { dataset } = testFileDevice(0, new ManualClock(1_700_000_000_000), { chunks: new Chunks(), store: new Store() })
  owned.push(dataset)
  const syncing = dataset.sync()
  await turns()
  expect(events).toEqual([])
  goOn()
  await syncing
  expect(events).toEqual(['chunks', 'store'])
})

it('[OL5] a segment is given to another device when what it names is on the disk itself, too', async () => {
  const host = new TestDatasetHost(0, 2, systemClock)
  owned.push(host)
  await host.unlock()
  const { dataset, exchange } = host.open
  dataset.createFile(ROOT_NODE, 'x', { manifest: await dataset.writer.write(utf8('x')) })
  let syncs = 0
  host.chunks.sync = async () => void syncs++
  expect((await exchange.answerSegments([])).segments.length).toBe(1)
  expect(syncs).toBe(1)
})
