import { expect, it } from 'vitest'
import { type CheckpointDevice, checkpointDevice } from '../../testkit/checkpoint-device.ts'
import { FileWorld } from '../../testkit/file-world.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { MemoryDatasetStore } from '../memory-dataset-store.ts'

it('[CP1] two devices that hold the same make the same roots, whatever came first and whatever checkpoints they made before', {
  timeout: 1_800_000,
}, async () => {
  const seed = seedOfRun()
  const rounds = roundsOfRun(20, 400)
  for (let round = 0; round < rounds; round++) {
    const random = new SeededRandom(seed + round)
    const world = new FileWorld(random, () => new MemoryDatasetStore(), checkpointDevice)
    const devices = world.devices as readonly CheckpointDevice[]
    for (let n = 0; n < 80 + (round % 3) * 60; n++) {
      await world.step()
      if (random.chance(0.05)) await random.pick(devices).maker.make()
    }
    world.bringAll()
    const made = await Promise.all(devices.map(({ maker }) => maker.make()))
    const roots = made.map((of) => of && { ops: of.ops, logs: of.logs, state: of.state, history: of.history })
    const fresh = await rootsAnew(devices[0] as CheckpointDevice)
    expect({ seed: seed + round, roots }).toEqual({ seed: seed + round, roots: [roots[0], roots[0], roots[0]] })
    expect({ seed: seed + round, ...fresh }).toEqual({ seed: seed + round, state: made[0]?.state, history: made[0]?.history })
    for (const device of devices) device.dispose()
  }
  console.info(`checkpoints of equal devices: seed ${seed}, ${rounds} rounds`)
})

/** Of all rows, whatever was made before. */
async function rootsAnew({ maker, store }: CheckpointDevice) {
  const { ChangedRows } = await import('./changed-rows.ts')
  store.changes.addAll(ChangedRows.all())
  const of = await maker.make()
  return { state: of?.state, history: of?.history }
}
