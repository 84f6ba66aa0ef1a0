import { resultOf, type StepIngredients } from '../../jobs/workflow/step-key.ts'
import type { PlannedStep, WorkflowPlan } from '../../jobs/workflow/plan-workflow.ts'
import type { WorkflowBook } from '../../jobs/workflow/workflow-book.ts'
import { WorkflowError } from '../../jobs/workflow/workflow-error.ts'
import type { WorkflowFiles } from './workflow-files.ts'

/** Inputs that change while they are copied are copied again, so often at most. */
const MAX_COPIES = 5

/** What the steps of a workflow read, as it is in the dataset now (rules WF5, WF7). Owns nothing. */
export class WorkflowInputs {
  readonly #files: WorkflowFiles
  readonly #book: Pick<WorkflowBook, 'result'>
  readonly #keyOf: (step: string) => string
  readonly #stepsOfJob = new Map<string, PlannedStep[]>()

  /** @param keyOf  of a step that is done or unchanged */
  constructor(
    { steps }: WorkflowPlan,
    { files, book }: { readonly files: WorkflowFiles; readonly book: Pick<WorkflowBook, 'result'> },
    keyOf: (step: string) => string,
  ) {
    this.#files = files
    this.#book = book
    this.#keyOf = keyOf
    for (const step of steps) this.#stepsOfJob.set(step.job, [...(this.#stepsOfJob.get(step.job) ?? []), step])
  }

  /** What it reads and what came of that it needs, as all of it is in the dataset now. */
  async ingredients(step: PlannedStep): Promise<StepIngredients> {
    const needs = step.needs.flatMap((job) => this.#stepsOfJob.get(job) ?? [])
    const own = step.inputs.map(({ path }) => path)
    const all = await this.#files.fingerprints([...own, ...needs.flatMap(({ outputs }) => outputs.map(({ path }) => path))])
    let at = own.length
    const results = needs.map(({ step: name, outputs }) => {
      const key = this.#keyOf(name)
      const result = resultOf(key, all.slice(at, at + outputs.length))
      at += outputs.length
      return [name, result] as const
    })
    return { inputs: all.slice(0, own.length), needs: results }
  }

  /** What came of these ingredients is what the dataset has. */
  async holds(step: PlannedStep, key: string): Promise<boolean> {
    const result = this.#book.result(key)
    return result !== undefined && same(result.outputs, await this.#files.fingerprints(step.outputs.map(({ path }) => path)))
  }

  /** Copies of its inputs, and of what it needs, that belong together. */
  async layOut(step: PlannedStep, first: StepIngredients, work: string): Promise<{ folder: string; now: StepIngredients }> {
    const needed = step.needs.flatMap((job) => this.#stepsOfJob.get(job) ?? []).flatMap(({ outputs }) => outputs)
    const paths = withoutNested([...step.inputs, ...needed].map(({ path }) => path))
    let now = first
    for (let n = 0; n < MAX_COPIES; n++) {
      const folder = await this.#files.layOut(work, paths)
      const after = await this.ingredients(step)
      if (same(now.inputs, after.inputs) && same(now.needs, after.needs)) return { folder, now }
      now = after
    }
    throw new WorkflowError(
      'workflow/job-failed',
      'its inputs were changed again and again while they were copied; run it when they are quiet',
    )
  }
}

const same = (a: readonly (readonly [string, string])[], b: readonly (readonly [string, string])[]): boolean =>
  a.length === b.length && a.every(([name, digest], n) => name === b[n]?.[0] && digest === b[n]?.[1])

/** What lies in another one of them comes with that. */
function withoutNested(paths: readonly string[]): string[] {
  const all = new Set(paths)
  if (all.has('.')) return ['.']
  return [...all].filter((path) => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) if (all.has(path.slice(0, at))) return false
    return true
  })
}
