import { expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { type CheckpointDevice, checkpointDevice } from '../../testkit/checkpoint-device.ts'
import { FileWorld } from '../../testkit/file-world.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import type { SealedChunk } from '../chunk-id.ts'
import type { Dataset } from '../dataset.ts'
import type { DatasetStore, FolderMove, LoadedNodes } from '../dataset-store.ts'
import { MemoryDatasetStore } from '../memory-dataset-store.ts'
import type { Mark } from '../op.ts'
import { type NodeId, ROOT_NODE } from '../op.ts'
import { whenLoaded } from './still-loading.ts'

/** Takes of a checkpoint what is shown, and nothing of what was removed or lost: the bug that must be found. */
class ShownOnly extends MemoryDatasetStore {
  override loadNodes({ nodes, versions, mark }: LoadedNodes): number {
    return super.loadNodes({ nodes: nodes.filter(({ shown }) => shown !== undefined), versions, mark })
  }
}

/** Knows of no move that a checkpoint told of. */
class MovesForgotten extends MemoryDatasetStore {
  override movesAfter(mark: Mark): FolderMove[] {
    return this.value('checkpoint', 'last') ? [] : super.movesAfter(mark)
  }
}

/** What `to` can take: segments behind a checkpoint are not the newcomer's to give, and what builds on them waits for another device. */
function bring(from: Dataset, to: Dataset): void {
  from.flush()
  for (;;) {
    const segments = from.segmentsAfter(to.frontier(), 256 * 1024)
    if (segments.filter((segment) => to.takeSegment(segment)).length === 0) return
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

interface Outcome {
  readonly wrong?: string
  /** Calls that had to wait for their part of the checkpoint. */
  readonly waits: number
}

/**
 * Three devices work, linked or not. At some moment one makes a checkpoint, and a fourth starts with it: writes while it is loaded, goes
 * on as the others do, and hears of what was written before and beside it by devices that were away. In the end all four are equal.
 */
async function run(seed: number, storeOf: () => DatasetStore = () => new MemoryDatasetStore()): Promise<Outcome> {
  const random = new SeededRandom(seed)
  const world = new FileWorld(random, () => new MemoryDatasetStore(), checkpointDevice)
  const devices = world.devices as readonly CheckpointDevice[]
  for (let n = 0; n < 20 + random.below(100); n++) await world.step()
  const maker = random.pick(devices)
  if (!(await maker.maker.make())) throw new Error('no checkpoint was made')
  const clock = new ManualClock(1_700_000_000_000)
  const source = {
    fetch: async (id: never) => {
      for (const { chunks } of [...devices, newcomer]) {
        const chunk = await chunks.get(id)
        if (chunk) return chunk
      }
      return undefined
    },
  }
  const newcomer: CheckpointDevice = checkpointDevice(3, clock, { store: storeOf(), source })
  const outcome = { waits: 0 }
  try {
    if (!(await newcomer.loader.offer(maker.maker.last as Uint8Array))) throw new Error('the checkpoint was not taken')
    const write = async () => {
      await writeOne(newcomer, random, clock, outcome)
      for (const id of newcomer.chunks.ids()) await devices[0]?.chunks.put((await newcomer.chunks.get(id)) as SealedChunk)
    }
    for (let n = random.below(8); n > 0; n--) await write()
    for (let n = 0; newcomer.loader.isLoading && n < 1_000; n++) {
      clock.advance(1)
      await turn()
    }
    if (newcomer.loader.isLoading) return { ...outcome, wrong: 'the checkpoint was never loaded' }
    for (let n = random.below(60); n > 0; n--) {
      if (random.chance(0.2)) await write()
      else if (random.chance(0.15)) {
        const other = random.pick(devices)
        const [from, to] = random.chance(0.5) ? [other, newcomer] : [newcomer, other]
        bring(from.dataset, to.dataset)
      } else await world.step()
    }
    const all = [...devices, newcomer]
    for (let round = 0; round < 2; round++) for (const from of all) for (const to of all) if (from !== to) bring(from.dataset, to.dataset)
    const roots = await Promise.all(
      all.map(async ({ maker }) => JSON.stringify({ ...(await maker.make()), device: 0, number: 0, atMs: 0 })),
    )
    if (new Set(roots).size > 1) return { ...outcome, wrong: `roots differ: ${roots.join(' ')}` }
    const listings = all.map(({ dataset }) =>
      dataset
        .within(ROOT_NODE)
        .map(({ id, version }) => `${dataset.pathOf(id)} ${version}`)
        .sort()
        .join('\n'),
    )
    if (new Set(listings).size > 1) return { ...outcome, wrong: 'trees differ' }
    return outcome
  } finally {
    for (const device of [...devices, newcomer]) device.dispose()
  }
}

/** One change through the gate, as a mount or the pane makes it. */
async function writeOne({ dataset }: CheckpointDevice, random: SeededRandom, clock: ManualClock, outcome: { waits: number }) {
  clock.advance(1 + random.below(400))
  const asked = async <T>(work: () => T): Promise<Awaited<T>> => {
    const answer = whenLoaded(work)
    if (answer instanceof Promise) outcome.waits++
    return answer as Awaited<T>
  }
  const folders: NodeId[] = [ROOT_NODE]
  for (let at: NodeId = ROOT_NODE, depth = 0; depth < 3; depth++) {
    const folder = at
    const below = (await asked(() => dataset.children(folder))).filter(({ kind }) => kind === 'folder')
    if (below.length === 0) break
    at = random.pick(below).id
    folders.push(at)
  }
  const [parent, to] = [random.pick(folders), random.pick(folders)]
  const there = await asked(() => dataset.children(parent))
  const one = there.length > 0 ? random.pick(there) : undefined
  const name = random.pick(['a', 'b', 'c.txt', 'dir', 'dir2'])
  try {
    const what = random.below(6)
    if (what === 0) await asked(() => dataset.makeFolder(parent, name))
    else if (what === 1) {
      const manifest = await dataset.writer.write(utf8(`of the newcomer ${random.below(1e6)}`))
      await asked(() => dataset.createFile(parent, name, { manifest }))
    } else if (what === 2 && one?.kind === 'file') {
      const manifest = await dataset.writer.write(utf8(`by the newcomer ${random.below(1e6)}`))
      await asked(() => dataset.setContent(one.id, one.version, manifest))
    } else if (what === 3 && one) await asked(() => dataset.move(one.id, to, name, { replace: random.chance(0.3) }))
    else if (what === 4 && one) await asked(() => dataset.removeAll(one.id))
    else if (one) await asked(() => dataset.setAttributes(one.id, { mode: random.below(0o777) }))
  } catch (error) {
    if (!String((error as { code?: string }).code).startsWith('file/')) throw error
  }
}

it('[CP2] a checkpoint cut anywhere and what came before, beside and after it make what all ops make, also with what is written while it is loaded', {
  timeout: 1_800_000,
}, async () => {
  const seed = seedOfRun()
  const rounds = roundsOfRun(40, 1_000)
  let waits = 0
  for (let round = 0; round < rounds; round++) {
    const outcome = await run(seed + round)
    waits += outcome.waits
    expect({ seed: seed + round, wrong: outcome.wrong }).toEqual({ seed: seed + round, wrong: undefined })
  }
  console.info(`starting with checkpoints: seed ${seed}, ${rounds} rounds, ${waits} calls that waited`)
  expect(waits).toBeGreaterThan(0)
})

it.each([
  ['what was removed', () => new ShownOnly()],
  ['moves of folders', () => new MovesForgotten()],
])('[CP2] it finds a device that takes no note of %s (planted)', async (_what, storeOf) => {
  const seed = seedOfRun()
  let found: string | undefined
  for (let round = 0; round < 60 && !found; round++) found = (await run(seed + round, storeOf)).wrong
  expect(found).toBeDefined()
})
