import type { Node } from 'yaml'
import { type Located, YamlReader } from './read-yaml.ts'
import type { Place, WorkflowProblem } from './workflow-error.ts'

/* A workflow's file as it is written (rules WF1, WF2): jobs by name, nothing expanded or checked against each other yet. */

export const MAX_WORKFLOW_JOBS = 256
const MAX_AXES = 6
const MAX_AXIS_VALUES = 256
const MAX_PATHS = 256
const MAX_VARIABLES = 64
const MAX_PARALLEL = 64
/** As a job takes them. */
const MAX_LINE = 64 * 1024
const MAX_VALUE = 8 * 1024
const MAX_NAME = 80

/** A text with `${{ matrix.size }}` in it. */
export interface Template extends Located<string> {
  /** Where something of the text stands: a block of many lines has many. */
  placeOf(part: string): Place
}

export interface WorkflowAxis {
  readonly name: string
  readonly values: readonly string[]
}

export interface WorkflowJob {
  readonly name: string
  readonly at: Place
  readonly run: Template
  readonly needs: readonly Located<string>[]
  readonly matrix: readonly WorkflowAxis[]
  readonly inputs: readonly Template[]
  readonly outputs: readonly Template[]
  readonly environment: readonly { readonly name: string; readonly value: Template }[]
  /** `best`, `here`, or a device by its name. */
  readonly on: Located<string>
  readonly network: boolean
  /** Begun anew elsewhere when its device is lost (rule JB44). */
  readonly again: boolean
}

export interface WorkflowFile {
  readonly name: string | undefined
  readonly dataset: Located<string>
  /** In the dataset; every path starts there. */
  readonly folder: Located<string>
  /** Jobs at once; undefined: as many as this device has cores. */
  readonly parallel: number | undefined
  readonly jobs: readonly WorkflowJob[]
}

const START: Place = { line: 1, column: 1 }
const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/
const NAME_WORDS = 'letters, digits, - and _, beginning with a letter'

/** Reads a workflow's file; with problems it is not to be used. Pure, never throws. */
export function parseWorkflow(text: string): { readonly file: WorkflowFile; readonly problems: readonly WorkflowProblem[] } {
  const yaml = new YamlReader(text)
  let name: string | undefined
  let dataset: Located<string> = { value: 'Home', at: START }
  let folder: Located<string> = { value: '.', at: START }
  let parallel: number | undefined
  let jobs: WorkflowJob[] | undefined
  if (yaml.problems.length === 0) {
    for (const { key, at, value } of yaml.entries(yaml.root, 'a workflow', START)) {
      if (key === 'name') name = yaml.text(value, 'name', at)?.value.slice(0, MAX_NAME)
      else if (key === 'dataset') dataset = yaml.text(value, 'dataset', at) ?? dataset
      else if (key === 'folder') folder = yaml.text(value, 'folder', at) ?? folder
      else if (key === 'parallel') parallel = readParallel(yaml, value, at)
      else if (key === 'jobs') jobs = readJobs(yaml, value, at)
      else yaml.problem('workflow/unknown-key', at, `a workflow has no "${shown(key)}"; it has name, dataset, folder, parallel and jobs`)
    }
    if (!jobs && yaml.problems.length === 0) yaml.problem('workflow/malformed', START, 'it has no jobs; "jobs:" names them')
  }
  return { file: { name, dataset, folder, parallel, jobs: jobs ?? [] }, problems: yaml.problems }
}

function readParallel(yaml: YamlReader, value: Node | null, at: Place): number | undefined {
  const read = yaml.text(value, 'parallel', at)
  if (!read) return undefined
  const count = Number(read.value)
  if (Number.isInteger(count) && count >= 1 && count <= MAX_PARALLEL) return count
  yaml.problem('workflow/malformed', read.at, `parallel is a number from 1 to ${MAX_PARALLEL}`)
  return undefined
}

function readJobs(yaml: YamlReader, value: Node | null, at: Place): WorkflowJob[] {
  const entries = yaml.entries(value, 'jobs', at)
  if (entries.length === 0 && yaml.problems.length === 0) yaml.problem('workflow/malformed', at, 'there is no job in it')
  if (entries.length > MAX_WORKFLOW_JOBS) {
    yaml.problem('workflow/too-large', at, `a workflow has at most ${MAX_WORKFLOW_JOBS} jobs; a matrix makes many of one`)
    return []
  }
  return entries.flatMap((entry) => {
    if (NAME.test(entry.key)) return readJob(yaml, entry.key, entry.value, entry.at) ?? []
    yaml.problem('workflow/malformed', entry.at, `"${shown(entry.key)}" cannot be a job's name: ${NAME_WORDS}`)
    return []
  })
}

function readJob(yaml: YamlReader, name: string, value: Node | null, at: Place): WorkflowJob | undefined {
  const template = (node: Node | null, what: string, place: Place, most: number): Template | undefined => {
    const text = yaml.text(node, what, place)
    if (!text || text.value.length <= most) return text && { ...text, placeOf: (part) => yaml.placeWithin(node, part, place) }
    yaml.problem('workflow/too-large', text.at, `${what} has at most ${most} characters`)
    return undefined
  }
  const paths = (node: Node | null, what: string, place: Place): Template[] =>
    yaml.texts(node, what, place, MAX_PATHS).map((text) => ({ ...text, placeOf: () => text.at }))
  let run: Template | undefined
  let job: Omit<WorkflowJob, 'run'> = {
    ...{ name, at, needs: [], matrix: [], inputs: [], outputs: [], environment: [] },
    ...{ on: { value: 'best', at }, network: false, again: true },
  }
  for (const entry of yaml.entries(value, `the job ${name}`, at)) {
    const { key } = entry
    const of: readonly [Node | null, string, Place] = [entry.value, `${key} of ${name}`, entry.at]
    if (key === 'run') run = template(...of, MAX_LINE)
    else if (key === 'needs') job = { ...job, needs: yaml.texts(...of, MAX_WORKFLOW_JOBS) }
    else if (key === 'matrix') job = { ...job, matrix: readMatrix(yaml, ...of) }
    else if (key === 'inputs') job = { ...job, inputs: paths(...of) }
    else if (key === 'outputs') job = { ...job, outputs: paths(...of) }
    else if (key === 'env') job = { ...job, environment: readEnvironment(yaml, ...of, template) }
    else if (key === 'on') job = { ...job, on: yaml.text(...of) ?? job.on }
    else if (key === 'network') job = { ...job, network: yaml.flag(...of) }
    else if (key === 'again') job = { ...job, again: yaml.flag(...of) }
    else {
      const known = 'run, needs, matrix, inputs, outputs, env, on, network and again'
      yaml.problem('workflow/unknown-key', entry.at, `a job has no "${shown(key)}"; it has ${known}`)
    }
  }
  if (run?.value.trim() !== undefined && run.value.trim() !== '') return { ...job, run }
  yaml.problem('workflow/malformed', run?.at ?? at, `${name} has nothing to run; "run:" is its command`)
  return undefined
}

function readMatrix(yaml: YamlReader, value: Node | null, what: string, at: Place): WorkflowAxis[] {
  const axes = yaml.entries(value, what, at)
  if (axes.length > MAX_AXES) yaml.problem('workflow/too-large', at, `a matrix has at most ${MAX_AXES} names`)
  return axes.slice(0, MAX_AXES).map((axis) => {
    if (!NAME.test(axis.key))
      yaml.problem('workflow/malformed', axis.at, `"${shown(axis.key)}" cannot be a name in a matrix: ${NAME_WORDS}`)
    const all = yaml.texts(axis.value, `${axis.key} of ${what}`, axis.at, MAX_AXIS_VALUES)
    const values = all.map((one) => one.value)
    // oxlint-disable-next-line no-control-regex -- they would break the names of steps
    const bad = all.find((one, n) => values.indexOf(one.value) !== n || one.value.length > 200 || /[\u0000-\u001f]/.test(one.value))
    if (bad) yaml.problem('workflow/malformed', bad.at, `the values of ${axis.key} are short texts of one line, each once`)
    else if (values.length === 0) yaml.problem('workflow/malformed', axis.at, `${axis.key} has no value`)
    return { name: axis.key, values }
  })
}

function readEnvironment(
  yaml: YamlReader,
  value: Node | null,
  what: string,
  at: Place,
  template: (node: Node | null, what: string, place: Place, most: number) => Template | undefined,
): WorkflowJob['environment'] {
  const entries = yaml.entries(value, what, at)
  if (entries.length > MAX_VARIABLES) yaml.problem('workflow/too-large', at, `a job has at most ${MAX_VARIABLES} variables`)
  return entries.slice(0, MAX_VARIABLES).flatMap((entry) => {
    if (!VARIABLE.test(entry.key)) yaml.problem('workflow/malformed', entry.at, `"${shown(entry.key)}" cannot be a variable's name`)
    const text = template(entry.value, `${entry.key} of ${what}`, entry.at, MAX_VALUE)
    return text ? [{ name: entry.key, value: text }] : []
  })
}

const shown = (text: string): string => (text.length > 40 ? `${text.slice(0, 39)}…` : text)
