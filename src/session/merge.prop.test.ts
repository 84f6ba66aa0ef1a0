import fc from 'fast-check'
import { expect, it } from 'vitest'
import { checkState } from '../testkit/session-invariants.ts'
import { roundsOfRun, seedOfRun } from '../testkit/seeded-random.ts'
import { syncAll, TestReplica } from '../testkit/session-replicas.ts'
import { commandOf, displayClassOfStep, type Step, step } from '../testkit/session-steps.ts'
import type { KeyedArrayFaults } from './keyed-array.ts'
import { SessionFold } from './session-fold.ts'
import type { TabId } from './session-ids.ts'

/** Given again with ELSEWHERE_SEED; fast-check prints it where a property fails. */
const SEED = seedOfRun()
const FULL = process.env['ELSEWHERE_ROUNDS'] === 'full'
const RUNS = roundsOfRun(80, 3_000)
/** All rounds take longer than a test usually may. */
const LIMITS = { timeout: FULL ? 600_000 : 30_000 }

/** One thing that happens: replica `who` does a step, or takes in what `from` has. */
interface Happening {
  readonly who: number
  readonly from: number
  readonly step: Step | null
}
const happening: fc.Arbitrary<Happening> = fc.record({
  who: fc.nat({ max: 3 }),
  from: fc.nat({ max: 3 }),
  step: fc.option(step, { freq: 4 }),
})
const story = fc.record({ count: fc.integer({ min: 2, max: 4 }), happenings: fc.array(happening, { maxLength: 60, size: 'max' }) })

interface Told {
  readonly replicas: readonly TestReplica[]
  readonly opened: ReadonlySet<TabId>
  readonly closed: ReadonlySet<TabId>
}

/** Plays a story on replicas that see each other only when it says so; at the end all see everything. */
function tell({ count, happenings }: { count: number; happenings: readonly Happening[] }, faults: KeyedArrayFaults, only?: RegExp): Told {
  const replicas = Array.from({ length: count }, (_, i) => new TestReplica(100 + i, faults))
  const opened = new Set<TabId>(['welcome' as TabId])
  const closed = new Set<TabId>()
  for (const { who, from, step: given } of happenings) {
    const replica = replicas[who % count] as TestReplica
    if (!given) {
      replica.pull(replicas[from % count] as TestReplica)
      continue
    }
    const command = commandOf(replica.state, given)
    if (!command || (only && !only.test(command.type))) continue
    const before = replica.state.tabs
    replica.do(command, { displayClass: displayClassOfStep(given) })
    const after = replica.state.tabs
    for (const id of Object.keys(after) as TabId[]) if (!before[id]) opened.add(id)
    for (const id of Object.keys(before) as TabId[]) if (!after[id]) closed.add(id)
  }
  syncAll(replicas)
  return { replicas, opened, closed }
}

const converge = (faults: KeyedArrayFaults) =>
  fc.property(story, (given) => {
    const [first, ...others] = tell(given, faults).replicas as [TestReplica, ...TestReplica[]]
    checkState(first.state)
    for (const other of others) expect(other.state).toEqual(first.state)
    const records = first.workspace.records()
    expect(new SessionFold((key) => records.get(key), records.keys()).state).toEqual(first.state)
  })

it('[SE5] [SE11] replicas that did anything apart end equal, and sound', LIMITS, () => {
  fc.assert(converge({}), { numRuns: RUNS, seed: SEED })
})

it('[SE5] the property above finds a planted mistake: the entry that arrived last wins', LIMITS, () => {
  expect(fc.check(converge({ lastArrivalWins: true }), { numRuns: 500, seed: 1, endOnFailure: true }).failed).toBe(true)
})

it('[SE10] [SE11] [SE12] no tab is lost and none is doubled: open are those opened and closed by nobody', LIMITS, () => {
  const withoutWayBack = /^(?!undo|window\/reopen)/
  fc.assert(
    fc.property(story, (given) => {
      const { replicas, opened, closed } = tell(given, {}, withoutWayBack)
      const wanted = [...opened].filter((id) => !closed.has(id)).sort()
      for (const { state } of replicas) {
        expect(Object.keys(state.tabs).sort()).toEqual(wanted)
        expect(
          Object.values(state.windows)
            .flatMap((window) => window.tabs)
            .sort(),
        ).toEqual(wanted)
      }
    }),
    { numRuns: RUNS, seed: SEED },
  )
})

it('[SE14] leftovers of merges are gone once somebody has worked on', LIMITS, () => {
  fc.assert(
    fc.property(story, (given) => {
      const { replicas } = tell(given, {})
      const [first] = replicas as [TestReplica]
      for (let i = 0; i < 40; i++) first.do({ type: 'preferences/set', values: { editorFontPx: 10 + (i % 2) } })
      expect(first.workspace.leftovers.orphans).toBe(0)
      syncAll(replicas)
      for (const other of replicas) expect(other.state).toEqual(first.state)
    }),
    { numRuns: RUNS, seed: SEED },
  )
})
