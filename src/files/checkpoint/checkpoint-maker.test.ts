import { expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { checkpointDevice } from '../../testkit/checkpoint-device.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { MemoryJournal } from '../../testkit/memory-journal.ts'
import { MemoryDatasetStore } from '../memory-dataset-store.ts'
import { WriteBehindStore } from '../write-behind-store.ts'

it('[CP6] what changed before a stop counts for the next start only, also when that found the disk full: after a kill everything is read', async () => {
  const [behind, journal] = [new MemoryDatasetStore(), new MemoryJournal()]
  const clock = new ManualClock()
  const start = () => checkpointDevice(0, clock, { store: new WriteBehindStore({ behind, journal, clock, log: silentLogger }) })
  const first = start()
  const write = ({ dataset }: typeof first, name: string) => dataset.createFile(dataset.root, name)
  for (let n = 0; n < 10; n++) write(first, `file ${n}`)
  await first.maker.make()
  first.dispose()
  journal.isFull = true
  const second = start()
  expect(second.store.changes.isAll).toBe(false)
  expect(() => write(second, 'refused')).toThrow('full')
  journal.isFull = false
  write(second, 'one more')
  // Killed here.
  expect(start().store.changes.isAll).toBe(true)
})
