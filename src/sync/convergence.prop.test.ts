import { expect, it } from 'vitest'
import { ConvergenceWorld } from '../testkit/convergence-world.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import type { ReplicaOptions } from './replica.ts'

async function run(seed: number, operations: number, replica: ReplicaOptions = {}) {
  const world = new ConvergenceWorld(new SeededRandom(seed), replica)
  try {
    for (let i = 0; i < operations; i++) await world.step()
    await world.settle()
    const differences = world.differences()
    const lost = world.lostTexts()
    return { tally: world.tally, differences, lost, survivors: world.survivors(), concurrent: world.concurrentPairs() }
  } finally {
    world.dispose()
  }
}

it('[SY98] five devices that were cut off, restarted and delayed at random end with the same desk', { timeout: 600_000 }, async () => {
  const seed = seedOfRun()
  const operations = roundsOfRun(1_000, 10_000)
  const { tally, differences, lost, survivors, concurrent } = await run(seed, operations)
  console.info(
    `convergence: seed ${seed}, ${operations} operations: ${tally.commands} commands (${tally.windows} windows opened, ${tally.moves} moved), ` +
      `${tally.texts} texts typed, ${tally.cuts} cuts, ${tally.restarts} restarts, ${tally.drops} drops, ${tally.snapshots} snapshots; ` +
      `${survivors.windows} windows with ${survivors.tabs} tabs and ${survivors.texts} texts survive; ` +
      `${concurrent.pairs} concurrent pairs among ${concurrent.envelopes} envelopes`,
  )
  expect({ seed, differences, lost: lost.slice(0, 5) }).toEqual({ seed, differences: [], lost: [] })
  expect(concurrent.pairs).toBeGreaterThan(operations)
})

it('[SY98] a state written before its changes are in the log is found', { timeout: 120_000 }, async () => {
  let found = 0
  for (let seed = 1; seed <= 6 && found === 0; seed++) {
    const { differences } = await run(seed, 600, { plant: 'state-before-log' })
    if (differences.length > 0) found = seed
  }
  expect(found).toBeGreaterThan(0)
})
