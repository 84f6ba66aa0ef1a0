import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isStepOver, nextSteps } from './next-steps.ts'
import type { PlannedStep, WorkflowPlan } from './plan-workflow.ts'
import type { StepState } from './workflow-contract.ts'

/** Jobs of one to three steps, each needing some of those before it. */
const plans: fc.Arbitrary<WorkflowPlan> = fc
  .array(fc.record({ width: fc.integer({ min: 1, max: 3 }), needs: fc.array(fc.nat(9)) }), { minLength: 1, maxLength: 10 })
  .map((jobs) => ({
    ...{ name: undefined, dataset: 'Home', folder: '.', parallel: undefined },
    steps: jobs.flatMap(({ width, needs }, at) =>
      Array.from(
        { length: width },
        (_, n): PlannedStep => ({
          ...{ step: `j${at}[n=${n}]`, job: `j${at}`, at: { line: 1, column: 1 }, commandLine: 'x', inputs: [], outputs: [] },
          ...{ on: 'best', network: false, again: true },
          needs: [...new Set(needs.filter((need) => need < at).map((need) => `j${need}`))],
        }),
      ),
    ),
  }))

const endings: fc.Arbitrary<StepState> = fc.constantFrom('done', 'done', 'done', 'unchanged', 'failed')

/** Runs a plan as a device does, ending busy steps in any order. */
function runAll(plan: WorkflowPlan, parallel: number, choices: Iterator<readonly [number, StepState]>, cancelAfter: number) {
  const states = new Map<string, StepState>(plan.steps.map(({ step }) => [step, 'waiting']))
  const stateOf = (step: string) => states.get(step) as StepState
  const begunWith = new Map<string, StepState[]>()
  for (let turn = 0; ; turn++) {
    if (turn > 1_000) throw new Error('it does not end')
    const next = nextSteps(plan, stateOf, parallel, turn >= cancelAfter)
    for (const { step } of next.skip) states.set(step, 'skipped')
    for (const step of next.start) {
      const needs = plan.steps.find((one) => one.step === step)?.needs ?? []
      begunWith.set(
        step,
        plan.steps.filter(({ job }) => needs.includes(job)).map((one) => stateOf(one.step)),
      )
      states.set(step, 'running')
    }
    const busy = [...states].filter(([, state]) => state === 'running').map(([step]) => step)
    expect(busy.length).toBeLessThanOrEqual(parallel)
    if (next.end) return { end: next.end, states, begunWith, busy }
    if (busy.length === 0) continue
    const [which, how] = choices.next().value ?? [0, 'done']
    states.set(busy[which % busy.length] as string, how)
  }
}

const runs = fc.tuple(plans, fc.integer({ min: 1, max: 4 }), fc.array(fc.tuple(fc.nat(9), endings), { minLength: 40, maxLength: 40 }))

it('[WF5] a step begins when all it needs has come to be, never more at once than asked, and every run ends', () => {
  fc.assert(
    fc.property(runs, ([plan, parallel, choices]) => {
      const { end, states, begunWith, busy } = runAll(plan, parallel, choices.values(), Number.POSITIVE_INFINITY)
      expect(busy).toEqual([])
      expect([...states.values()].every(isStepOver)).toBe(true)
      for (const needs of begunWith.values()) expect(needs.every((state) => state === 'done' || state === 'unchanged')).toBe(true)
      const isGood = [...states.values()].every((state) => state === 'done' || state === 'unchanged')
      expect(end).toBe(isGood ? 'done' : 'failed')
    }),
  )
})

it('[WF6] what needs something that failed is left out, and nothing else is', () => {
  fc.assert(
    fc.property(runs, ([plan, parallel, choices]) => {
      const { states } = runAll(plan, parallel, choices.values(), Number.POSITIVE_INFINITY)
      const lost = (job: string): boolean =>
        plan.steps.some((one) => one.job === job && (states.get(one.step) === 'failed' || one.needs.some(lost)))
      for (const { step, needs } of plan.steps) expect(states.get(step) === 'skipped').toBe(needs.some(lost))
    }),
  )
})

it('[WF9] once cancelled nothing begins any more', () => {
  fc.assert(
    fc.property(runs, fc.nat(5), ([plan, parallel, choices], after) => {
      const { end, states } = runAll(plan, parallel, choices.values(), after)
      expect(['done', 'failed', 'cancelled']).toContain(end)
      expect([...states.values()]).not.toContain('running')
      if ([...states.values()].includes('waiting')) expect(end).toBe('cancelled')
    }),
  )
})
