import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import { testFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import type { ChunkId } from './chunk-id.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { NodeId, OpId } from './op.ts'
import { type SyncedContent, SyncedContents } from './synced-contents.ts'

const golden = (n: number) => readFileSync(new URL(`golden/synced-${n}.json`, import.meta.url), 'utf8').trim()
const CONTENT: SyncedContent = {
  node: '0123456789abcdef0123456789abcdef' as NodeId,
  base: '00112233445566778899aabb.7' as OpId,
  manifest: { bytes: 5, depth: 0, pieces: [{ id: 'ab'.repeat(32) as ChunkId, length: 5 }] },
  mtimeNs: 1_700_000_000_000_000_001n,
}
const PLACED = { ...CONTENT, last: { parent: 'fedcba9876543210fedcba9876543210' as NodeId, name: 'f.txt', mode: 0o644 } }

it.each([
  [1, CONTENT],
  [2, PLACED],
])('[MT14] what was synced is read as it was kept long ago, and is kept so today (%i)', (n, content) => {
  const store = new MemoryDatasetStore()
  const synced = new SyncedContents(store)
  store.putValue('synced', 'any', utf8(golden(n)))
  expect(synced.all()).toEqual([content])
  store.putValue('synced', 'any', undefined)
  synced.keep(content)
  expect(store.values('synced').map(([, value]) => fromUtf8(value))).toEqual([golden(n)])
})

it('[MT16] what was synced stays where it is when nobody knows what it was; with a place it is a file, in the top folder when its own is gone', () => {
  const store = new MemoryDatasetStore()
  const start = () => testFileDevice(1, new ManualClock(1_700_000_000_000), { store }).dataset
  store.putValue('synced', 'any', utf8(golden(1)))
  expect([start().children(start().root), start().contentsInUse()]).toEqual([[], [CONTENT.manifest]])
  store.putValue('synced', 'any', undefined)
  new SyncedContents(store).keep(PLACED)
  const dataset = start()
  expect(dataset.at('/f.txt')).toMatchObject({ manifest: CONTENT.manifest, mode: 0o644, mtimeNs: CONTENT.mtimeNs })
  expect(dataset.syncedContents()).toEqual([])
})
