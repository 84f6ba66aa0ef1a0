import { create } from 'zustand'
import type { WorkflowInfo, WorkflowRow } from '../../jobs/workflow/workflow-contract.ts'

export interface WorkflowsSlice {
  /** Last begun first. */
  readonly workflows: readonly WorkflowRow[]
  /** With their steps: those that ran or were looked at since this display is here. */
  readonly graphs: ReadonlyMap<string, WorkflowInfo>
  /** The device has been asked once. */
  readonly loaded: boolean
}

export const useWorkflows = create<WorkflowsSlice>(() => ({ workflows: [], graphs: new Map(), loaded: false }))

/** `workflows` with a newer state of one, or with a new one in its place. Pure. */
export function withWorkflow(workflows: readonly WorkflowRow[], info: WorkflowRow): readonly WorkflowRow[] {
  const others = workflows.filter(({ workflow }) => workflow !== info.workflow)
  const after = others.findIndex(({ startedAtMs }) => startedAtMs <= info.startedAtMs)
  return after < 0 ? [...others, info] : others.toSpliced(after, 0, info)
}
