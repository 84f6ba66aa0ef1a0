import { create } from 'zustand'
import type { WorkflowInfo } from '../../jobs/workflow/workflow-contract.ts'

export interface WorkflowsSlice {
  /** Last begun first. */
  readonly workflows: readonly WorkflowInfo[]
  /** The device has been asked once. */
  readonly loaded: boolean
}

export const useWorkflows = create<WorkflowsSlice>(() => ({ workflows: [], loaded: false }))

/** `workflows` with a newer state of one, or with a new one in its place. Pure. */
export function withWorkflow(workflows: readonly WorkflowInfo[], info: WorkflowInfo): readonly WorkflowInfo[] {
  const others = workflows.filter(({ workflow }) => workflow !== info.workflow)
  const after = others.findIndex(({ startedAtMs = 0 }) => startedAtMs <= (info.startedAtMs ?? 0))
  return after < 0 ? [...others, info] : others.toSpliced(after, 0, info)
}
