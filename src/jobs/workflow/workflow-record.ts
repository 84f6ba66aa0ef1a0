import * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { MAX_WORKFLOW_TEXT, stepCounts, stepError, stepState, workflowState } from './workflow-contract.ts'

/* What a device keeps of workflows, sealed JSON in its store. Format 1; golden/workflow-1.json. */

const format = z.literal(1)
const digest = z.string().max(32)
const pairs = z.array(z.tuple([z.string().max(8_192), digest])).max(65_536)

/** One workflow with its last run. */
export const workflowRecord = z.object({
  format,
  name: z.string().max(160),
  source: z.string().max(4_096),
  text: z.string().max(MAX_WORKFLOW_TEXT),
  steps: z.number().int().min(0).max(1_000),
  state: workflowState,
  isCancelled: z.boolean(),
  startedAtMs: z.number(),
  endedAtMs: z.number().optional(),
  /** Kept with its end, so that a list need not read its steps; absent: it runs, or ended with an earlier version. */
  counts: stepCounts.optional(),
})
export type WorkflowRecord = z.infer<typeof workflowRecord>

/** How one step of that run stands. Absent: it waits. */
export const stepRecord = z.object({
  format,
  state: stepState,
  why: z.string().max(400).optional(),
  /** What its result depends on, as it was when it began. */
  key: digest.optional(),
  inputs: pairs.optional(),
  needs: z
    .array(z.tuple([z.string().max(2_048), digest]))
    .max(1_000)
    .optional(),
  deviceJob: z.string().max(32).optional(),
  device: z.string().max(64).optional(),
  startedAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  error: stepError.optional(),
})
export type StepRecord = z.infer<typeof stepRecord>

/** What came of a step, by its key. */
export const resultRecord = z.object({ format, outputs: pairs, atMs: z.number() })
export type ResultRecord = z.infer<typeof resultRecord>

/** What a step was when it was done last. */
export const memoryRecord = z.object({
  format,
  line: digest,
  inputs: pairs,
  needs: z.array(z.tuple([z.string().max(2_048), digest])).max(1_000),
})
export type MemoryRecord = z.infer<typeof memoryRecord>

export const encodeRecord = (record: WorkflowRecord | StepRecord | ResultRecord | MemoryRecord): Uint8Array => utf8(JSON.stringify(record))

/** Undefined: not there, damaged, or written by a newer version: what it would have said is found again by running. */
export function decodeRecord<T>(schema: { parse(value: unknown): T }, bytes: Uint8Array | undefined): T | undefined {
  try {
    return bytes && schema.parse(JSON.parse(fromUtf8(bytes)))
  } catch {
    return undefined
  }
}
