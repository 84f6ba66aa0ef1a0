import { toHex, utf8 } from '../../base/bytes.ts'
import { sha256 } from '../../base/sha256.ts'
import { joinPath } from './workflow-path.ts'
import type { PlannedStep, WorkflowPlan } from './plan-workflow.ts'

/*
 * What a step's result depends on (rule WF7). Two steps with one key would do the same: the result of one is that of the other.
 * Not in it: the device, its system and what is installed there; a step that depends on those must say so in its command.
 */

/** `[path, digest]`; the digest of what is not there is `missing`. */
export type Fingerprints = readonly (readonly [path: string, digest: string])[]

export interface StepIngredients {
  /** Of its inputs, as they are now. */
  readonly inputs: Fingerprints
  /** Of each step that it needs: what came of it. */
  readonly needs: readonly (readonly [step: string, result: string])[]
}

/** The first 32 hex digits are as good a name as all. */
const digestOf = (value: unknown): string => toHex(sha256(utf8(JSON.stringify(value)))).slice(0, 32)

export function stepKey(plan: Pick<WorkflowPlan, 'dataset' | 'folder'>, step: PlannedStep, { inputs, needs }: StepIngredients): string {
  const outputs = step.outputs.map(({ path }) => path)
  const at = [plan.dataset, plan.folder]
  return digestOf(['elsewhere/step/1', at, step.commandLine, step.network, outputs, sorted(inputs), sorted(needs)])
}

/** What came of a step, for those that need it: its outputs; of one that puts out nothing, that it was done at all. */
export const resultOf = (key: string, outputs: Fingerprints): string => (outputs.length > 0 ? digestOf(sorted(outputs)) : key)

export const lineDigest = ({ commandLine, network }: PlannedStep): string => digestOf([commandLine, network])

const sorted = <T extends readonly [string, string]>(pairs: readonly T[]): T[] => pairs.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

/** What a step was when it was done last in this workflow: for saying why it runs again. */
export interface StepMemory extends StepIngredients {
  readonly line: string
}

/** Why a step runs, in a few words for a person. */
export function whyItRuns(step: PlannedStep, now: StepIngredients, last: StepMemory | undefined): string {
  if (!last) return 'not run before'
  if (last.line !== lineDigest(step)) return 'its command is another'
  const before = new Map(last.inputs)
  const changed = now.inputs.filter(([path, digest]) => before.get(path) !== digest).map(([path]) => path)
  if (changed.length > 0) return changed.length === 1 ? `${changed[0]} changed` : `${changed[0]} and ${changed.length - 1} more changed`
  const results = new Map(last.needs)
  const need = now.needs.find(([name, result]) => results.get(name) !== result)?.[0]
  if (need !== undefined) return `what ${need} put out is another`
  const names = new Set(step.outputs.map(({ path }) => path))
  return names.size > 0 ? 'what it put out is not as it left it' : 'what it reads is named otherwise'
}

/** Where an input or output of the workflow lies in its dataset, from the top. */
export const datasetPath = ({ folder }: Pick<WorkflowPlan, 'folder'>, path: string): string => {
  const joined = joinPath(folder, path)
  return joined === '.' ? '/' : `/${joined}`
}
