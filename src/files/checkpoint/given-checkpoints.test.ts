import { expect, it } from 'vitest'
import { contentParts } from '../../testkit/file-parts.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import type { ChunkId } from '../chunk-id.ts'
import { ContentHolds } from '../content-holds.ts'
import { MemoryDatasetStore } from '../memory-dataset-store.ts'
import type { Checkpoint } from './checkpoint-codec.ts'
import { GivenCheckpoints } from './given-checkpoints.ts'
import { PageKeeper } from './page-keeper.ts'

it('[CP6] of more checkpoints than are kept for others the one given longest ago goes, and its pages with it', async () => {
  const [clock, store, holds, { cipher, store: chunks }] = [new ManualClock(), new MemoryDatasetStore(), new ContentHolds(), contentParts()]
  const open = () => {
    const pages = new PageKeeper({ chunks, cipher, store, holds })
    return { pages, given: new GivenCheckpoints({ store, pages, clock }) }
  }
  const held = () =>
    [...holds.all()].flatMap(({ pieces }) => pieces.map(({ id }) => Number.parseInt(id as string, 16))).sort((a, b) => a - b)
  const { pages, given } = open()
  // Their names go down while time goes on.
  const idOf = (n: number) => (100 - n).toString(16).padStart(64, '0') as ChunkId
  for (let n = 1; n <= 18; n++) {
    given.note({ state: idOf(n) } as Checkpoint, Uint8Array.of(n), [idOf(n)])
    clock.advance(1_000)
  }
  const newest = Array.from({ length: 16 }, (_, n) => 82 + n)
  expect(held()).toEqual(newest)
  pages.dispose()
  const again = open()
  await again.given.holdAll(async (bytes) => [idOf(bytes[0] as number)])
  expect(held()).toEqual(newest)
  again.pages.dispose()
  const third = open()
  await third.given.holdAll(async (bytes) => {
    if (bytes[0] === 18) throw new Error('its pages are gone')
    return [idOf(bytes[0] as number)]
  })
  expect(held()).toEqual(newest.slice(1))
  clock.advance(30 * 86_400_000)
  third.given.forgetOld()
  expect(held()).toEqual([])
})
