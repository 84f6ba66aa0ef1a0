import * as z from 'zod'
import { event, method, type Contract } from '../../rpc/contract.ts'

/* Workflows as displays and the command line see them. A file's text goes with the call: whoever asks can read it, the device need not. */

/** Workflows a device remembers, each with its last run; the oldest that are over make room. */
export const MAX_WORKFLOWS = 100
const MAX_STEPS_SHOWN = 1_000

const workflowId = z.string().regex(/^[0-9a-f]{32}$/)
/** Characters of one file: nobody writes more by hand, and what a program writes is cut into several. Longer is `workflow/too-large`. */
export const MAX_WORKFLOW_TEXT = 128 * 1024
export const TEXT_TOO_LARGE = {
  code: 'workflow/too-large',
  line: 1,
  column: 1,
  message: `a workflow's file has at most ${MAX_WORKFLOW_TEXT / 1024} KiB; cut it into several`,
} as const
/** More than a file may have, so that it is the device that says so; this bounds the call. */
const text = z.string().max(8 * MAX_WORKFLOW_TEXT)
/** Where the file lies, as a person would say it: the same place is the same workflow. */
const source = z.string().min(1).max(4_096)

/**
 * waiting: for what it needs, or for room. preparing: its inputs are laid out. collecting: its outputs are taken into the dataset.
 * unchanged: it has not run, since what came of it before still holds. skipped: something it needs failed.
 */
export const stepState = z.enum(['waiting', 'preparing', 'running', 'collecting', 'done', 'unchanged', 'failed', 'skipped', 'cancelled'])
export type StepState = z.infer<typeof stepState>
export const isStepBusy = (state: StepState): boolean => state === 'preparing' || state === 'running' || state === 'collecting'

export const workflowState = z.enum(['running', 'done', 'failed', 'cancelled'])
export type WorkflowState = z.infer<typeof workflowState>

export const stepError = z.object({ code: z.string().max(64), message: z.string().max(1_000) })

export const stepInfo = z.object({
  /** `resize[size=200]`. */
  step: z.string().max(2_048),
  /** Its name in the file. */
  job: z.string().max(64),
  line: z.number().int().min(1),
  /** Names in the file. */
  needs: z.array(z.string().max(64)).max(256),
  /** Cut. */
  commandLine: z.string().max(400),
  state: stepState,
  /** Why it runs, is not run, or waits. */
  why: z.string().max(400).optional(),
  /** The job of this device that it became. */
  deviceJob: z.string().max(32).optional(),
  device: z.string().max(64).optional(),
  progress: z.number().min(0).max(1).optional(),
  startedAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  error: stepError.optional(),
})
export type StepInfo = z.infer<typeof stepInfo>

/** How many of its steps stand so; a state that none of them has is left out. */
export const stepCounts = z.partialRecord(stepState, z.number().int().min(1).max(MAX_STEPS_SHOWN))
export type StepCounts = z.infer<typeof stepCounts>

export function countSteps(steps: Iterable<Pick<StepInfo, 'state'>>): StepCounts {
  const counts: StepCounts = {}
  for (const { state } of steps) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

/** One of the list: what needs neither its file nor its steps to be read. */
export const workflowRow = z.object({
  workflow: workflowId,
  name: z.string().max(160),
  source,
  state: workflowState,
  startedAtMs: z.number(),
  endedAtMs: z.number().optional(),
  counts: stepCounts,
})
export type WorkflowRow = z.infer<typeof workflowRow>

/** With its graph. */
export const workflowInfo = z.object({
  workflow: workflowId,
  name: z.string().max(160),
  source,
  dataset: z.string().max(80),
  folder: z.string().max(4_096),
  /** Absent: it was looked at and has not run. */
  state: workflowState.optional(),
  startedAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  /** What a step needs stands before it. */
  steps: z.array(stepInfo).max(MAX_STEPS_SHOWN),
})
export type WorkflowInfo = z.infer<typeof workflowInfo>

const problem = z.object({
  code: z.string().max(64),
  message: z.string().max(400),
  line: z.number().int().min(1),
  column: z.number().int().min(1),
})

const nothing = z.object({})
const ofWorkflow = z.object({ workflow: workflowId })
const ofFile = z.object({ source, text })

export const workflowContract = {
  /**
   * What a file asks for, and what of it would run now; of one that runs, how it stands. With problems there is no `info`.
   * Errors: workflow/no-dataset, workflow/no-dataset-yet, dataset/locked.
   */
  checkWorkflow: method({
    needs: 'desk:read',
    parseInput: ofFile.parse,
    parseOutput: z.object({ problems: z.array(problem).max(100), info: workflowInfo.optional() }).parse,
  }),
  /**
   * Runs what is not as it would be after running it. Resolves when it has begun; one that runs the same text already is that one.
   * Errors: those of the first problem (workflow/cycle, workflow/missing-input, ...), workflow/runs-already (another text),
   * workflow/too-many, workflow/no-dataset, workflow/no-dataset-yet, dataset/locked.
   */
  runWorkflow: method({ needs: 'desk:run', parseInput: ofFile.parse, parseOutput: workflowInfo.parse }),
  /** The text of its last run, once more. Errors: as runWorkflow, workflow/unknown. */
  rerunWorkflow: method({ needs: 'desk:run', parseInput: ofWorkflow.parse, parseOutput: workflowInfo.parse }),
  /** Last begun first, without their steps. */
  listWorkflows: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: z.array(workflowRow).max(MAX_WORKFLOWS).parse }),
  /** One with all its steps. Errors: workflow/unknown, workflow/malformed (an earlier version read its file otherwise). */
  readWorkflow: method({ needs: 'desk:read', parseInput: ofWorkflow.parse, parseOutput: workflowInfo.parse }),
  /** What runs of it is ended, what waits does not begin. Resolves when the order is given. Errors: workflow/unknown. */
  cancelWorkflow: method({ needs: 'desk:run', parseInput: ofWorkflow.parse, parseOutput: nothing.parse }),
  /** Its files and results stay. Errors: workflow/unknown, workflow/runs-already. */
  forgetWorkflow: method({ needs: 'desk:run', parseInput: ofWorkflow.parse, parseOutput: nothing.parse }),
  onDidChangeWorkflow: event({ needs: 'desk:read', parse: workflowInfo.parse }),
  onDidForgetWorkflow: event({ needs: 'desk:read', parse: ofWorkflow.parse }),
} satisfies Contract
