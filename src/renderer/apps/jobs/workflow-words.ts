import type { StepCounts, StepInfo, StepState, WorkflowInfo } from '../../../jobs/workflow/workflow-contract.ts'
import type { Meaning } from '../../ui/dot.tsx'

/* How workflows are told to a person. Pure. */

const STEP_WORDS: Readonly<Record<StepState, string>> = {
  waiting: 'Waiting',
  preparing: 'Laying out its files',
  running: 'Running',
  collecting: 'Taking its results in',
  done: 'Done',
  unchanged: 'Unchanged: not run',
  failed: 'Failed',
  skipped: 'Left out',
  cancelled: 'Cancelled',
}
export const stepWords = ({ state }: Pick<StepInfo, 'state'>): string => STEP_WORDS[state]

/** How a job with many steps stands, as its busiest or worst step. */
export function worstOf(steps: readonly StepInfo[]): StepState {
  const order: readonly StepState[] = [
    'failed',
    'running',
    'preparing',
    'collecting',
    'waiting',
    'cancelled',
    'skipped',
    'done',
    'unchanged',
  ]
  return order.find((state) => steps.some((step) => step.state === state)) ?? 'waiting'
}

export function workflowMark({ state }: Pick<WorkflowInfo, 'state'>): { readonly meaning: Meaning; readonly hollow: boolean } {
  if (state === 'running') return { meaning: 'moving', hollow: false }
  if (state === 'done') return { meaning: 'safe', hollow: false }
  return state === 'failed' ? { meaning: 'lost', hollow: false } : { meaning: 'neutral', hollow: true }
}

/** `3 of 8 done`, `8 done, 2 of them ran`, `1 failed, 4 left out`. */
export function countWords({ state, counts }: Pick<WorkflowInfo, 'state'> & { readonly counts: StepCounts }): string {
  const count = (...states: StepState[]) => states.reduce((sum, one) => sum + (counts[one] ?? 0), 0)
  const good = count('done', 'unchanged')
  if (state === 'running') return `${good} of ${count(...(Object.keys(counts) as StepState[]))} done`
  if (state === 'done') {
    const ran = count('done')
    return ran === 0 ? `${good} unchanged, nothing ran` : ran === good ? `${ran} ran` : `${ran} ran, ${good - ran} unchanged`
  }
  const parts = [
    [count('failed'), 'failed'],
    [count('skipped'), 'left out'],
    [count('cancelled'), 'cancelled'],
    [good, 'done'],
  ] as const
  return parts.flatMap(([n, word]) => (n > 0 ? `${n} ${word}` : [])).join(', ')
}

/** What tells a step from the others of its job: `200, png` of `resize[size=200,kind=png]`. */
export function choiceOf({ step, job }: Pick<StepInfo, 'step' | 'job'>): string {
  const inside = step.slice(job.length + 1, -1)
  return inside.replace(/(^|,)[A-Za-z0-9_-]+=/g, (_, comma: string) => (comma ? ', ' : ''))
}

export function lastedMs({ startedAtMs, endedAtMs }: Pick<StepInfo, 'startedAtMs' | 'endedAtMs'>, nowMs: number): number | undefined {
  return startedAtMs === undefined ? undefined : Math.max(0, (endedAtMs ?? nowMs) - startedAtMs)
}
