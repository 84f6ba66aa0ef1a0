import type { Fingerprints } from './step-key.ts'
import { resultOf, stepKey, whyItRuns } from './step-key.ts'
import type { PlannedStep, WorkflowPlan } from './plan-workflow.ts'
import type { WorkflowBook } from './workflow-book.ts'

export interface StepForecast {
  readonly state: 'unchanged' | 'waiting'
  readonly why: string
}

/** Every path that the forecast asks for. */
export const pathsOf = ({ steps }: WorkflowPlan): string[] => [
  ...new Set(steps.flatMap(({ inputs, outputs }) => [...inputs, ...outputs].map(({ path }) => path))),
]

/** What would run now, and why (rule WF7): of what comes after something that runs, only that it waits for it. */
export function forecast(
  workflow: string,
  plan: WorkflowPlan,
  now: Fingerprints,
  book: Pick<WorkflowBook, 'result' | 'memory'>,
): ReadonlyMap<string, StepForecast> {
  const digests = new Map(now)
  const fingerprintsOf = (paths: PlannedStep['inputs']): Fingerprints => paths.map(({ path }) => [path, digests.get(path) ?? ''])
  const results = new Map<string, string>()
  const stepsOfJob = new Map<string, string[]>()
  const said = new Map<string, StepForecast>()
  for (const step of plan.steps) {
    const needed = step.needs.flatMap((job) => stepsOfJob.get(job) ?? [])
    stepsOfJob.set(step.job, [...(stepsOfJob.get(step.job) ?? []), step.step])
    const first = needed.find((name) => said.get(name)?.state !== 'unchanged')
    if (first !== undefined) {
      said.set(step.step, { state: 'waiting', why: `${first} runs first` })
      continue
    }
    const ingredients = {
      inputs: fingerprintsOf(step.inputs),
      needs: needed.map((name) => [name, results.get(name) as string] as const),
    }
    const key = stepKey(plan, step, ingredients)
    const outputs = fingerprintsOf(step.outputs)
    results.set(step.step, resultOf(key, outputs))
    const kept = book.result(key)?.outputs
    const holds = kept?.every(([path, digest]) => digests.get(path) === digest)
    if (kept && holds) said.set(step.step, { state: 'unchanged', why: 'as it was' })
    else said.set(step.step, { state: 'waiting', why: whyItRuns(step, ingredients, book.memory(workflow, step.step)).slice(0, 400) })
  }
  return said
}
