import { MAX_LEVELS, normalPath, PathIndex } from './workflow-path.ts'
import type { Place, WorkflowProblem, WorkflowProblemCode } from './workflow-error.ts'
import { parseWorkflow, type Template, type WorkflowFile, type WorkflowJob } from './workflow-file.ts'

/* Everything that runs, in an order in which it can (rules WF3, WF4). */

/** Steps of one workflow: more than a person's machines do in a day. */
export const MAX_STEPS = 1_000
/** Their command lines together, in characters: a matrix multiplies what is written once. */
const MAX_ALL_LINES = 4 * 1024 * 1024
/** Inputs and outputs of all steps. */
const MAX_ALL_PATHS = 20_000
const MAX_PROBLEMS = 50

/** A path with where the file names it. */
export interface PlannedPath {
  readonly path: string
  readonly at: Place
}

/** One job with one choice of its matrix: what becomes one job of the device. */
export interface PlannedStep {
  /** `resize`, or `resize[size=200]`. */
  readonly step: string
  readonly job: string
  readonly at: Place
  /** What a shell runs: the declared variables, then the command. */
  readonly commandLine: string
  /** Sorted, each once. */
  readonly inputs: readonly PlannedPath[]
  readonly outputs: readonly PlannedPath[]
  /** Jobs, all of whose steps come before. */
  readonly needs: readonly string[]
  readonly on: string
  readonly network: boolean
  readonly again: boolean
}

export interface WorkflowPlan {
  readonly name: string | undefined
  readonly dataset: string
  /** In the dataset; `.` is its top. */
  readonly folder: string
  readonly parallel: number | undefined
  /** What a step needs stands before it. */
  readonly steps: readonly PlannedStep[]
}

/**
 * What a workflow's file asks for; with problems there is no plan. Pure, never throws, bounded in time and size.
 *
 * @param planted  for tests of the fuzz only: leaves out one check
 */
export function planWorkflow(
  text: string,
  planted?: 'unchecked-overlap',
): { readonly plan?: WorkflowPlan; readonly problems: readonly WorkflowProblem[] } {
  const { file, problems: found } = parseWorkflow(text)
  if (found.length > 0) return { problems: found }
  const problems: WorkflowProblem[] = []
  const tell: Tell = (code, { line, column }, message) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ code, line, column, message: message.slice(0, 400) })
  }
  const folder = normalPath(file.folder.value)
  if (folder === undefined) tell('workflow/bad-path', file.folder.at, `"${file.folder.value.slice(0, 80)}" is no folder of a dataset`)
  const order = sortJobs(file, tell)
  if (problems.length > 0 || folder === undefined) return { problems: problems.toSorted((a, b) => a.line - b.line) }
  const steps = stepsOf(order, tell)
  if (problems.length === 0) checkPaths(steps, beforeOf(order), tell, planted)
  if (problems.length > 0) return { problems }
  return { plan: { name: file.name, dataset: file.dataset.value, folder, parallel: file.parallel, steps }, problems }
}

type Tell = (code: WorkflowProblemCode, at: Place, message: string) => void

/** Jobs in an order in which each comes after what it needs, else as they are written. */
function sortJobs({ jobs }: WorkflowFile, tell: Tell): WorkflowJob[] {
  const byName = new Map(jobs.map((job) => [job.name, job]))
  const sorted: WorkflowJob[] = []
  const done = new Set<string>()
  // A stack of our own: what a file says must not decide how deep we call.
  for (const first of jobs) {
    const path: { readonly job: WorkflowJob; next: number }[] = done.has(first.name) ? [] : [{ job: first, next: 0 }]
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const need = top.job.needs[top.next++]
      if (need === undefined) {
        done.add(top.job.name)
        sorted.push(top.job)
        path.pop()
        continue
      }
      if (done.has(need.value)) continue
      const needed = byName.get(need.value)
      const from = path.findIndex(({ job }) => job.name === need.value)
      if (!needed) tell('workflow/unknown-need', need.at, `${top.job.name} needs "${need.value.slice(0, 64)}", and there is no such job`)
      else if (from < 0) path.push({ job: needed, next: 0 })
      else {
        const circle = [...path.slice(from).map(({ job }) => job.name), need.value]
        const words = circle.length > 9 ? [...circle.slice(0, 4), '…', ...circle.slice(-4)] : circle
        tell('workflow/cycle', need.at, `these wait for each other: ${words.join(' needs ')}`)
      }
    }
  }
  return sorted
}

/** Of each job all that it needs, directly or not. */
function beforeOf(order: readonly WorkflowJob[]): ReadonlyMap<string, ReadonlySet<string>> {
  const before = new Map<string, Set<string>>()
  for (const { name, needs } of order) {
    before.set(name, new Set(needs.flatMap(({ value }) => [value, ...(before.get(value) ?? [])])))
  }
  return before
}

function stepsOf(order: readonly WorkflowJob[], tell: Tell): PlannedStep[] {
  const steps: PlannedStep[] = []
  let characters = 0
  let paths = 0
  for (const job of order) {
    const count = job.matrix.reduce((product, { values }) => product * values.length, 1)
    if (steps.length + count > MAX_STEPS) {
      tell('workflow/too-large', job.at, `a workflow has at most ${MAX_STEPS} steps; with ${job.name} there would be more`)
      return []
    }
    for (let n = 0; n < count; n++) {
      const step = stepOf(job, choiceOf(job, n), tell)
      characters += step.commandLine.length
      paths += step.inputs.length + step.outputs.length
      steps.push(step)
      if (paths > MAX_ALL_PATHS) {
        tell('workflow/too-large', job.at, `all steps together have over ${MAX_ALL_PATHS} inputs and outputs; a folder is one of them`)
        return []
      }
      if (characters > MAX_ALL_LINES) {
        tell('workflow/too-large', job.run.at, `the commands of all steps together are over ${MAX_ALL_LINES / 1024 / 1024} MiB`)
        return []
      }
    }
  }
  return steps
}

/** The n-th of all choices, the last name changing first. */
function choiceOf({ matrix }: WorkflowJob, n: number): ReadonlyMap<string, string> {
  const chosen: [string, string][] = []
  let left = n
  for (const { name, values } of matrix.toReversed()) {
    chosen.unshift([name, values[left % values.length] as string])
    left = Math.floor(left / values.length)
  }
  return new Map(chosen)
}

function stepOf(job: WorkflowJob, choice: ReadonlyMap<string, string>, tell: Tell): PlannedStep {
  const fill = (template: Template) => substitute(template, choice, tell)
  const paths = (templates: readonly Template[], isOutput: boolean): PlannedPath[] => {
    const all = new Map<string, Place>()
    for (const template of templates) {
      const filled = fill(template)
      const path = normalPath(filled)
      if (path !== undefined && !(isOutput && path === '.')) all.set(path, template.at)
      else
        tell(
          'workflow/bad-path',
          template.at,
          `"${filled.slice(0, 80)}" is no path below the workflow's folder, of at most ${MAX_LEVELS} names`,
        )
    }
    return [...all].map(([path, at]) => ({ path, at })).sort((a, b) => (a.path < b.path ? -1 : 1))
  }
  const variables = job.environment.map(({ name, value }) => `export ${name}='${fill(value).replaceAll("'", String.raw`'\''`)}'\n`)
  const run = fill(job.run).trim()
  const choices = [...choice].map(([name, value]) => `${name}=${value}`).join(',')
  return {
    step: choices === '' ? job.name : `${job.name}[${choices}]`,
    job: job.name,
    at: job.at,
    // Of several lines the first that fails ends it, as make and others do.
    commandLine: `${variables.join('')}${run.includes('\n') ? 'set -e\n' : ''}${run}`,
    inputs: paths(job.inputs, false),
    outputs: paths(job.outputs, true),
    needs: [...new Set(job.needs.map(({ value }) => value))],
    on: fill({ ...job.on, placeOf: () => job.on.at }),
    network: job.network,
    again: job.again,
  }
}

/** `${{ matrix.size }}` becomes what is chosen. */
function substitute(template: Template, choice: ReadonlyMap<string, string>, tell: Tell): string {
  return template.value.replace(/\$\{\{([^{}]*)\}\}/g, (whole, inner: string) => {
    const name = /^\s*matrix\.([A-Za-z0-9_-]+)\s*$/.exec(inner)?.[1]
    const value = name === undefined ? undefined : choice.get(name)
    if (value !== undefined) return value
    const known = [...choice.keys()].map((one) => `matrix.${one}`).join(', ')
    tell(
      'workflow/unknown-value',
      template.placeOf(whole),
      `${whole.slice(0, 60)} is not known here; ${known ? `there is ${known}` : 'the job has no matrix'}`,
    )
    return ''
  })
}

/** Each path is put out by one step, and read only by those that need it: else what a step finds depends on luck. */
function checkPaths(steps: readonly PlannedStep[], before: ReadonlyMap<string, ReadonlySet<string>>, tell: Tell, planted?: string): void {
  const made = new PathIndex<PlannedStep>()
  for (const step of steps) {
    for (const { path, at } of step.outputs) {
      const [other] = planted === 'unchecked-overlap' ? [] : made.overlapping(path)
      if (other) {
        const hint = other.job === step.job ? 'name a value of the matrix in it' : 'give each its own'
        const whose =
          other.step === step.step ? `${step.step} puts out ${path} twice` : `${step.step} and ${other.step} both put out ${path}`
        tell('workflow/outputs-overlap', at, `${whose}; ${hint}`)
      }
      made.add(path, step)
    }
  }
  for (const step of steps) {
    for (const { path, at } of step.inputs) {
      const needed = before.get(step.job)
      const other = firstOf(made.overlapping(path), ({ job }) => !needed?.has(job))
      if (other?.job === step.job)
        tell('workflow/input-not-needed', at, `${path} is put out by ${step.job} itself, so it cannot be read by it`)
      else if (other)
        tell('workflow/input-not-needed', at, `${path} is put out by ${other.job}; ${step.job} reads it, so it must need ${other.job}`)
    }
  }
}

function firstOf<T>(all: Iterable<T>, is: (one: T) => boolean): T | undefined {
  for (const one of all) if (is(one)) return one
  return undefined
}

/** Inputs that no step puts out, neither as a whole nor in part: they must be there before anything runs. */
export function sourceInputs({ steps }: WorkflowPlan): PlannedPath[] {
  const made = new PathIndex<true>()
  for (const { outputs } of steps) for (const { path } of outputs) made.add(path, true)
  const sources = new Map<string, PlannedPath>()
  for (const { inputs } of steps) {
    for (const input of inputs) if (!sources.has(input.path) && made.overlapping(input.path).next().done) sources.set(input.path, input)
  }
  return [...sources.values()]
}

/** A problem for each of those that is not there, with its line; MAX_PROBLEMS at most. */
export function missingInputs(plan: WorkflowPlan, isThere: (path: string) => boolean): WorkflowProblem[] {
  const where = plan.dataset + (plan.folder === '.' ? '' : `/${plan.folder.slice(0, 100)}`)
  const missing = sourceInputs(plan).filter(({ path }) => !isThere(path))
  return missing.slice(0, MAX_PROBLEMS).map(({ path, at }) => ({
    ...{ code: 'workflow/missing-input', line: at.line, column: at.column },
    message: `${path.slice(0, 200)} is not in ${where}, and no job puts it out`,
  }))
}
