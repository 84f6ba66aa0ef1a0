import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'
import { learnedNote } from './seen-behaviour-contract.ts'
import { effects, jobLabel, jobPolicy } from './job-contract.ts'
import { terminalInfo } from './terminal-contract.ts'
import { projectContext } from './placement-contract.ts'

/* Jobs as displays and the command line see them, wherever they run. */

/** Jobs a device remembers; the oldest that are over make room. */
export const MAX_JOBS = 500
/** Bytes of a command line as jobs are listed with it; a longer one is cut. */
export const MAX_SHOWN_LINE = 2_048

const jobId = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{16,32}$/)

/**
 * waiting: not started, or its device is lost and it waits for it, for another one or for the person (`waitingFor` says which).
 * starting: its folder is sent, or its results come back. paused: held still, the owner of that machine is back.
 */
export const jobState = z.enum(['waiting', 'starting', 'running', 'paused', 'done', 'failed', 'cancelled'])
export type JobState = z.infer<typeof jobState>

/** One try on one device. */
export const jobAttempt = z.object({
  attempt: jobId,
  device: z.string().max(64),
  startedAtMs: z.number(),
  endedAtMs: z.number().optional(),
  /** Why it ended, when not by itself: `lease`, `cancelled`, `lost`, `grant`, `memory`, `disk`, `owner`, `moved`, `stopped`, `refused`. */
  ended: z.string().max(32).optional(),
})
export type JobAttempt = z.infer<typeof jobAttempt>

export const jobInfo = z.object({
  job: jobId,
  /** As typed; cut to MAX_SHOWN_LINE. */
  commandLine: z.string().max(MAX_SHOWN_LINE),
  label: jobLabel,
  effects,
  /** Where it was asked for. */
  folder: z.object({ device: z.string().max(64), path: z.string().max(4_096) }),
  state: jobState,
  /** In words, while it waits. */
  waitingFor: z.string().max(400).optional(),
  /** Where its newest attempt is, and why there, as placement said it. */
  device: z.string().max(64).optional(),
  why: z.string().max(400),
  attempts: z.array(jobAttempt).max(64),
  askedAtMs: z.number(),
  endedAtMs: z.number().optional(),
  exit: z.object({ code: z.number().int(), signal: z.string().max(16).optional() }).optional(),
  /** Why it could not be run, with a stable code. */
  error: z.object({ code: z.string().max(64), message: z.string().max(1_000) }).optional(),
  /** Output so far; of it, the first `droppedBytes` after the head are no longer kept. */
  outputBytes: z.number().int().min(0),
  droppedBytes: z.number().int().min(0),
  /** Newest line of output that says something, without escape sequences. */
  lastLine: z.string().max(200),
  /** 0..1 as its output says it, or against how long it took before; absent: not known. */
  progress: z.object({ fraction: z.number().min(0).max(1), from: z.enum(['output', 'history']) }).optional(),
  /** It stands still until somebody types: `waitingFor` says it in words. */
  waits: z.enum(['terminal', 'input']).optional(),
  /** It is a step of a workflow of this device. */
  workflow: z.object({ workflow: z.string().regex(/^[0-9a-f]{32}$/), step: z.string().max(2_048) }).optional(),
  /** It was started with an input, which a viewer sends. */
  takesInput: z.boolean().optional(),
  /** What was known of it when it was asked for. */
  learned: learnedNote.optional(),
  /** It showed to be something else than it was taken for, while it ran; `label` is what it is. */
  corrected: z.object({ was: jobLabel, why: z.string().max(200) }).optional(),
  /** Ports it listens on, over there. */
  ports: z.array(z.number().int().min(1).max(65_535)).max(64),
  /** Where those can be reached on this device's 127.0.0.1. */
  forwards: z
    .array(z.object({ port: z.number().int().min(1).max(65_535), here: z.number().int().min(1).max(65_535) }))
    .max(64)
    .optional(),
  /** Files that came back, and how many of them lie beside a newer one of ours. */
  results: z.object({ files: z.number().int().min(0), conflicts: z.number().int().min(0) }),
})
export type JobInfo = z.infer<typeof jobInfo>

const nothing = z.object({})
const ofJob = z.object({ job: jobId })

export const jobsContract = {
  /**
   * Classifies, places and starts a command line. Resolves when it is placed, before it runs. Its environment goes by an
   * allow-list. Errors: job/not-placed (nowhere suits; the message is placement's reason), job/too-many, job/device-away.
   */
  startJob: method({
    needs: 'desk:run',
    parseInput: z.object({
      commandLine: z.string().min(1).max(100_000),
      /** On the device that is asked. */
      folder: z.string().min(1).max(4_096),
      context: projectContext.optional(),
      policy: jobPolicy.partial().optional(),
      environment: z.record(z.string().min(1).max(256), z.string().max(32_768)).optional(),
      /** It may reach the network; services may without. */
      network: z.boolean().optional(),
      /** It reads its standard input, which a viewer sends; else that is empty. */
      input: z.boolean().default(false),
    }).parse,
    parseOutput: jobInfo.parse,
  }),
  /** Newest first. */
  listJobs: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: z.array(jobInfo).max(MAX_JOBS).parse }),
  /**
   * The job's output from an offset, then as it comes, to its end: frames of job-frames-contract.ts. Up: input and signals.
   * Errors: job/unknown.
   */
  openJobOutput: method({
    needs: 'desk:run',
    parseInput: ofJob.extend({ from: z.number().int().min(0).default(0) }).parse,
    parseOutput: z.object({ channel: z.number().int(), info: jobInfo }).parse,
  }),
  /**
   * A shell where it runs, in its sandbox: a terminal of that device, for attachTerminal; by the grant *shell* there. It ends with the job.
   * Errors: job/unknown, job/not-running, job/no-shell, job/device-away, grant/refused.
   */
  openJobShell: method({
    needs: 'desk:write',
    parseInput: ofJob.extend({ columns: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(1000) }).parse,
    parseOutput: terminalInfo.parse,
  }),
  /**
   * A terminal of this device that shows what the job writes, and writes what is typed into the job; it ends with the job.
   * While it runs it is the answer for that job. Errors: job/unknown, job/not-running, job/no-input (it was started without one).
   */
  openJobTerminal: method({
    needs: 'desk:write',
    parseInput: ofJob.extend({ columns: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(1000) }).parse,
    parseOutput: terminalInfo.parse,
  }),
  /** Ends it, wherever it is: TERM, then KILL. Resolves when the order is given; `onDidChangeJob` tells the end. Errors: job/unknown. */
  cancelJob: method({ needs: 'desk:run', parseInput: ofJob.parse, parseOutput: nothing.parse }),
  /**
   * Stops it where it is and starts it anew on that device; what came back of its files stays. Resolves when the order is given.
   * Errors: job/unknown, job/not-moved (the message says why not: it may not be tried twice, or that device cannot take it).
   */
  moveJob: method({ needs: 'desk:run', parseInput: ofJob.extend({ device: z.string().min(1).max(64) }).parse, parseOutput: jobInfo.parse }),
  /** The same command line in the same folder, placed anew. Errors: as startJob, job/unknown. */
  rerunJob: method({ needs: 'desk:run', parseInput: ofJob.parse, parseOutput: jobInfo.parse }),
  /** Removes one that is over from the history, with its output. Errors: job/unknown, job/still-runs. */
  forgetJob: method({ needs: 'desk:run', parseInput: ofJob.parse, parseOutput: nothing.parse }),
  onDidChangeJob: event({ needs: 'desk:read', parse: jobInfo.parse }),
  onDidForgetJob: event({ needs: 'desk:read', parse: ofJob.parse }),
} satisfies Contract
