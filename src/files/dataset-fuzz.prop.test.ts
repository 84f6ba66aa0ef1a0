import { expect, it } from 'vitest'
import { FileWorld } from '../testkit/file-world.ts'
import type { FileWorldMounts } from '../testkit/file-world-mount.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import type { DatasetStore } from './dataset-store.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { NodeRecord } from './node-record.ts'

/** Forgets what was written at the same time as what won: the bug that the model must find. */
class ForgetfulStore extends MemoryDatasetStore {
  override putNode(record: NodeRecord, shown: string | undefined): void {
    super.putNode({ ...record, heads: record.heads.slice(0, 1), copies: [] }, shown)
  }
}

async function run(
  seed: number,
  steps: number,
  storeOf: () => DatasetStore,
  mounts?: FileWorldMounts,
): Promise<{ wrong?: string; steps: string[]; conflicts: number }> {
  const world = new FileWorld(new SeededRandom(seed), storeOf, undefined, mounts)
  for (let n = 0; n < steps; n++) await world.step()
  await world.closeAll()
  world.bringAll()
  world.dispose()
  const [first, second, third] = await Promise.all([0, 1, 2].map((n) => world.listing(n)))
  const conflicts = (first as string[]).filter((line) => line.includes('(conflict')).length
  const names = world.nodesOf(0).map(({ id }) => world.devices[0]?.dataset.pathOf(id))
  const found = await world.texts(0)
  const lost = [...world.live].filter((text) => !found.has(text))
  const invented = [...found].filter((text) => text !== '' && !world.all.has(text))
  const { steps: said } = world
  if (JSON.stringify(first) !== JSON.stringify(second) || JSON.stringify(first) !== JSON.stringify(third)) {
    const differing = (first as string[]).filter((line) => !second?.includes(line) || !third?.includes(line))
    return {
      wrong: `trees differ: ${differing.slice(0, 5).join('; ')} | ${second?.filter((line) => !first?.includes(line)).join('; ')} | ${third?.filter((line) => !first?.includes(line)).join('; ')}`,
      steps: said,
      conflicts,
    }
  }
  const twice = names.filter((name, n) => names.indexOf(name) !== n)
  if (twice.length > 0) return { wrong: `two nodes of one path: ${twice.join(', ')}`, steps: said, conflicts }
  if (lost.length > 0) return { wrong: `lost: ${lost.join(', ')}`, steps: said, conflicts }
  if (invented.length > 0) return { wrong: `invented: ${invented.join(', ')}`, steps: said, conflicts }
  return { steps: said, conflicts }
}

it('[FT1] three devices with partitions and clocks a day apart end with one tree, and no text is lost', {
  timeout: 1_800_000,
}, async () => {
  const seed = seedOfRun()
  const rounds = roundsOfRun(25, 600)
  let conflicts = 0
  for (let round = 0; round < rounds; round++) {
    const { wrong, steps, conflicts: more } = await run(seed + round, 60 + (round % 3) * 60, () => new MemoryDatasetStore())
    conflicts += more
    expect({ seed: seed + round, wrong, steps: wrong && steps.join('\n') }).toEqual({
      seed: seed + round,
      wrong: undefined,
      steps: undefined,
    })
  }
  console.info(`files on three devices: seed ${seed}, ${rounds} rounds, ${conflicts} conflict copies`)
  expect(conflicts).toBeGreaterThan(0)
})

it('[FT1] the fuzz finds a store that forgets what lost (planted)', async () => {
  const seed = seedOfRun()
  let found: string | undefined
  for (let round = 0; round < 10 && !found; round++) found = (await run(seed + round, 120, () => new ForgetfulStore())).wrong
  expect(found).toBeDefined()
})

it('[FT1] [MT16] no text is lost either where programs have files open in the mounts of the three', { timeout: 1_800_000 }, async () => {
  const seed = seedOfRun()
  const rounds = roundsOfRun(25, 600)
  for (let round = 0; round < rounds; round++) {
    const { wrong, steps } = await run(seed + round, 60 + (round % 3) * 60, () => new MemoryDatasetStore(), {})
    const said = { seed: seed + round, wrong, steps: wrong && steps.join('\n') }
    expect(said).toEqual({ seed: seed + round, wrong: undefined, steps: undefined })
  }
  console.info(`files and mounts on three devices: seed ${seed}, ${rounds} rounds`)
})

it('[FT1] [MT16] the fuzz finds a mount that lets go of what is removed elsewhere (planted)', async () => {
  const seed = seedOfRun()
  const found = async (at: number) => (await run(at, 120, () => new MemoryDatasetStore(), { plant: 'removed-elsewhere' })).wrong
  let wrong: string | undefined
  let round = 0
  while (round < 60 && !wrong) wrong = await found(seed + round++)
  console.info(`planted bug of mounts: found with seed ${seed + round - 1}`)
  expect(wrong).toMatch(/^lost: /)
})
