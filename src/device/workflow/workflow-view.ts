import { toHex, utf8 } from '../../base/bytes.ts'
import { defined } from '../../base/defined.ts'
import { sha256 } from '../../base/sha256.ts'
import type { PlannedStep, WorkflowPlan } from '../../jobs/workflow/plan-workflow.ts'
import type { StepInfo, WorkflowInfo } from '../../jobs/workflow/workflow-contract.ts'
import type { WorkflowRecord } from '../../jobs/workflow/workflow-record.ts'

const MAX_SHOWN_LINE = 400

/** The folder in which a step works, by its name: the same at each run, so that devices know its copies again. */
export const workOf = (workflow: string, step: string): string => toHex(sha256(utf8(`${workflow}/${step}`))).slice(0, 32)

/** What a file is called when it says no name: its own. */
export function nameOf(source: string, plan: Pick<WorkflowPlan, 'name'>): string {
  const file = source.split('/').at(-1) ?? source
  return (plan.name ?? (file.replace(/(\.workflow)?\.ya?ml$/, '') || file)).slice(0, 160)
}

type Run = Pick<WorkflowRecord, 'name' | 'source'> & Partial<Pick<WorkflowRecord, 'state' | 'startedAtMs' | 'endedAtMs'>>
type Standing = { readonly [K in keyof StepInfo]?: StepInfo[K] | undefined } & Pick<StepInfo, 'state'>

/** As displays see it; `standing` says how a step is. */
export function workflowInfoOf(
  workflow: string,
  { name, source, state, startedAtMs, endedAtMs }: Run,
  { dataset, folder, steps }: WorkflowPlan,
  standing: (step: PlannedStep) => Standing,
): WorkflowInfo {
  return {
    ...{ workflow, name, source, dataset, folder },
    ...defined({ state, startedAtMs, endedAtMs }),
    steps: steps.map((step) => ({
      step: step.step,
      job: step.job,
      line: step.at.line,
      needs: [...step.needs],
      commandLine: step.commandLine.slice(0, MAX_SHOWN_LINE),
      ...(defined(standing(step)) as Pick<StepInfo, 'state'>),
    })),
  }
}
