import { isStepBusy, type StepState, type WorkflowState } from './workflow-contract.ts'
import type { WorkflowPlan } from './plan-workflow.ts'

/* What is to be done now: pure, from the plan and how each step stands (rules WF5, WF6). */

export interface NextSteps {
  /** In the order of the plan, no more than there is room for. */
  readonly start: readonly string[]
  /** They will not run: something they need did not come to be. */
  readonly skip: readonly { readonly step: string; readonly because: string }[]
  /** Nothing is left. */
  readonly end: Exclude<WorkflowState, 'running'> | undefined
}

const GOOD: ReadonlySet<StepState> = new Set(['done', 'unchanged'])

export const isStepOver = (state: StepState): boolean => state !== 'waiting' && !isStepBusy(state)

/**
 * @param stateOf      of each step of the plan
 * @param parallel     steps that may be busy at once, at least 1
 * @param isCancelled  what waits does not begin any more
 */
export function nextSteps(
  { steps }: WorkflowPlan,
  stateOf: (step: string) => StepState,
  parallel: number,
  isCancelled: boolean,
): NextSteps {
  const unmet = new Map<string, string | undefined>()
  const lost = new Map<string, string>()
  let busy = 0
  for (const { step, job } of steps) {
    const state = stateOf(step)
    if (isStepBusy(state)) busy++
    if (!GOOD.has(state)) unmet.set(job, step)
    if ((state === 'failed' || state === 'skipped') && !lost.has(job)) lost.set(job, step)
  }
  const start: string[] = []
  const skip: { step: string; because: string }[] = []
  let waits = 0
  for (const { step, job, needs } of steps) {
    if (stateOf(step) !== 'waiting') continue
    const broken = needs.find((need) => lost.has(need))
    if (broken !== undefined) {
      skip.push({ step, because: lost.get(broken) as string })
      if (!lost.has(job)) lost.set(job, step)
    } else {
      waits++
      if (!isCancelled && !needs.some((need) => unmet.has(need)) && busy + start.length < parallel) start.push(step)
    }
  }
  const isOver = busy === 0 && skip.length === 0 && (waits === 0 || isCancelled)
  return { start, skip, end: !isOver ? undefined : isCancelled ? 'cancelled' : lost.size > 0 ? 'failed' : 'done' }
}
