import { countSteps, type StepInfo, type WorkflowInfo, type WorkflowRow } from '../../jobs/workflow/workflow-contract.ts'

/** How workflows are told on a terminal. */

const plain = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- exactly those are taken out: a job's last line may hold them
  text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 300)

const took = (fromMs: number | undefined, toMs: number | undefined): string =>
  fromMs === undefined || toMs === undefined ? '' : `${((toMs - fromMs) / 1_000).toFixed(1)} s`

export function workflowLine(info: WorkflowInfo | WorkflowRow): string {
  const { workflow, name, state } = info
  const counts = 'counts' in info ? info.counts : countSteps(info.steps)
  const all = Object.values(counts).reduce((sum, one) => sum + one, 0)
  const left = counts.waiting ?? 0
  const words = state ?? (left === 0 ? 'nothing to run' : `${left} of ${all} would run`)
  return `${workflow.slice(0, 8)}  ${words.padEnd(9)}  ${plain(name)} (${all} steps)`
}

export function stepLine(
  { step, state, why, device, deviceJob, startedAtMs, endedAtMs, error }: StepInfo,
  nameOf: (id: string) => string,
): string {
  const facts = [
    error ? `${error.message} [${error.code}]` : undefined,
    state === 'done' ? took(startedAtMs, endedAtMs) : why,
    device === undefined ? undefined : `on ${nameOf(device)}`,
    error && deviceJob !== undefined ? `"elsewhere logs ${deviceJob.slice(0, 8)}" shows what it wrote` : undefined,
  ]
  return plain(`${state.padEnd(10)} ${step.padEnd(24)} ${facts.filter(Boolean).join('; ')}`).trimEnd()
}

export function summaryLine({ name, state, steps, startedAtMs, endedAtMs }: WorkflowInfo): string {
  const count = (wanted: StepInfo['state']) => steps.filter((step) => step.state === wanted).length
  const parts = (['done', 'unchanged', 'failed', 'skipped', 'cancelled'] as const).map((one) =>
    count(one) > 0 ? `${count(one)} ${one}` : undefined,
  )
  return `${plain(name)}: ${state}, ${parts.filter(Boolean).join(', ')}, ${took(startedAtMs, endedAtMs)}`
}
