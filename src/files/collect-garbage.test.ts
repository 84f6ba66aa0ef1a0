import { expect, it } from 'vitest'
import { testFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { collectGarbage } from './collect-garbage.ts'
import type { Manifest } from './manifest.ts'

it('[GC1] much garbage goes in pieces, others have the loop between; what is named meanwhile stays', async () => {
  const clock = new ManualClock()
  const { dataset, store, chunks } = testFileDevice(1, clock)
  const unnamed: Manifest[] = []
  for (let n = 0; n < 1000; n++) unnamed.push(await dataset.writer.write(Uint8Array.of(n % 256, n >> 8)))
  clock.advance(2 * 3_600_000)
  const counts: number[] = []
  let saved: Manifest | undefined
  const pause = async () => {
    counts.push(chunks.stats.chunks)
    saved ??= counts.length === 2 ? unnamed.find(({ pieces }) => chunks.has(pieces[0]?.id as never)) : undefined
    if (counts.length === 2 && saved) dataset.createFile(dataset.root, 'named', { manifest: saved })
  }
  const gone = await collectGarbage({ dataset, store, chunks, batches: () => [], mustKeep: () => false, pause })
  expect([gone, chunks.stats.chunks]).toEqual([999, 1])
  expect(counts.length).toBe(4)
  for (const [n, count] of counts.entries()) if (n > 0) expect((counts[n - 1] as number) - count).toBeLessThanOrEqual(200)
  expect(await dataset.reader.read(saved as Manifest, 0, 10)).toHaveLength(2)
})
