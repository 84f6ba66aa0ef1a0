import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'
import { classification, jobPolicy } from './job-contract.ts'
import { learnedNote } from './seen-behaviour-contract.ts'

/** Longer lines are answered by their length; this only keeps a page from sending megabytes. */
const MAX_LINE = 256 * 1024
const text = z.string().max(512 * 1024)
const lines = z.record(z.string().max(256), z.string().max(64 * 1024))

const cost = z.object({ transferMs: z.number(), startMs: z.number(), workMs: z.number(), penaltyMs: z.number(), totalMs: z.number() })
export const placedCandidate = z.object({
  device: z.string(),
  name: z.string(),
  outcome: z.enum(['chosen', 'possible', 'no']),
  /** A few words for its tile. */
  why: z.string(),
  cost: cost.optional(),
})
export type PlacedRow = z.infer<typeof placedCandidate>

export const placementAnswer = z.object({
  classification,
  /** Where it would run; absent: nowhere. */
  device: z.string().optional(),
  reason: z.string(),
  table: z.array(placedCandidate),
  /** What its folder holds, as far as was looked; files that are elsewhere already are not subtracted. */
  folderBytes: z.number(),
  /** Ms of one reference core, from runs before; absent: not known. */
  workMs: z.number().optional(),
  /** What is known of the line from runs before, on any device of the person. */
  learned: learnedNote.optional(),
})
export type PlacementAnswer = z.infer<typeof placementAnswer>

/** What the asker read of a folder's own aliases. */
export const projectContext = z.object({
  scripts: lines.optional(),
  makefile: text.optional(),
  justfile: text.optional(),
  taskfile: text.optional(),
  dockerfile: text.optional(),
  compose: text.optional(),
  denoTasks: lines.optional(),
})
export type ProjectContext = z.infer<typeof projectContext>

export const placementContract = {
  /** What a command line is and where it would run, with every device's reason. Runs nothing. */
  explainPlacement: method({
    needs: 'desk:read',
    parseInput: z.object({
      commandLine: z.string().max(MAX_LINE),
      /** On the device that is asked. */
      folder: z.string().min(1).max(4_096),
      context: projectContext.optional(),
      policy: jobPolicy.partial().optional(),
    }).parse,
    parseOutput: placementAnswer.parse,
  }),
} satisfies Contract
