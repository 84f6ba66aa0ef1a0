import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'
import { hostGuestJobs } from './guest-jobs-contract.ts'
import { hostTerminal } from './host-contract.ts'
import { programRights } from './program-rights-contract.ts'

/*
 * Attempts as the host process serves them to its own device, which passes on those that a linked device asks for (over the
 * jobs lane, after the grant check). Channels carry job-frames-contract.ts; those of folders, tree-frames.ts.
 */

export const attemptId = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{16,32}$/)
const word = z
  .string()
  .max(100_000)
  .refine((text) => !text.includes('\0'), 'a word of a command cannot hold a zero byte')
const path = word.min(1).max(4_096)
const channel = z.number().int()
const columns = z.number().int().min(2).max(1000)
const rows = z.number().int().min(1).max(1000)

/** What is run, and how. Everything an executor needs: it knows nothing of jobs, only of attempts. */
export const attemptRequest = z
  .object({
    attempt: attemptId,
    program: word.min(1).max(4_096),
    arguments: z.array(word).max(4_096),
    environment: z.record(z.string().min(1).max(256), word),
    /** Where the command was typed; inside, it lies at the same path. */
    folder: path,
    home: path,
    network: z.boolean(),
    /** It goes on until it is stopped: not held still while the owner of the machine is there. */
    service: z.boolean().default(false),
    memoryMiB: z.number().int().min(16).max(16_777_216).optional(),
    /** The person allowed, by name, that it runs there without a sandbox if there is none. */
    withoutSandbox: z.boolean(),
    /** What its line begins with: which program that is where it runs, its end says (rule JB109). */
    identify: word.min(1).max(4_096).optional(),
    /** It asks an engine for containers, which no sandbox allows: where the person allowed that, it has none. */
    containers: z.boolean().default(false),
    /** What it runs in, on an engine that runs images. */
    image: word.min(1).max(512).optional(),
  })
  .refine(
    ({ arguments: words, environment }) =>
      words.reduce((sum, { length }) => sum + length, 0) +
        Object.entries(environment).reduce((sum, [name, value]) => sum + name.length + value.length, 0) <=
      512 * 1024,
    'arguments and environment are over 512 KiB',
  )
export type AttemptRequest = z.infer<typeof attemptRequest>

export const attemptStatus = z.object({
  attempt: attemptId,
  state: z.enum(['preparing', 'running', 'paused', 'finishing', 'ended']),
  outputBytes: z.number().int().min(0),
})
export type AttemptStatus = z.infer<typeof attemptStatus>

/** Asked by one device, of the host of another (or of its own). */
export const placedAttempts = {
  /**
   * Receives the folder over `tree`, then runs. Errors: job/attempt-exists, job/too-many, job/no-sandbox, job/disk-full.
   */
  startPlaced: method({
    needs: 'host:run',
    parseInput: attemptRequest.parse,
    parseOutput: z.object({ channel, tree: channel }).parse,
  }),
  /** After a cut: output from `from`, and the folder's transfer where it was. Errors: job/unknown. */
  attachPlaced: method({
    needs: 'host:run',
    parseInput: z.object({ attempt: attemptId, from: z.number().int().min(0) }).parse,
    parseOutput: z.object({ channel, tree: channel }).parse,
  }),
  /** Ends it for good; one that nobody knows is no error. */
  endPlaced: method({
    needs: 'host:run',
    parseInput: z.object({ attempt: attemptId }).parse,
    parseOutput: z.object({}).parse,
  }),
} satisfies Contract

const port = z.number().int().min(1).max(65_535)

/** Asked by one device of another, on the ports lane, by the grant to reach shared ports. */
export const placedPorts = {
  /** A connection to a port that the attempt listens on. Errors: job/unknown, job/no-port. */
  connectPort: method({
    needs: 'host:run',
    parseInput: z.object({ attempt: attemptId, port }).parse,
    parseOutput: z.object({ channel }).parse,
  }),
} satisfies Contract

const asker = z.string().min(1).max(64)
const started = z.object({ channel, tree: channel })

export const attemptsContract = {
  /** Runs in the folder itself, as the person's own programs do. Errors: job/attempt-exists, job/too-many, job/spawn-failed. */
  startHere: method({
    needs: 'host:run',
    parseInput: attemptRequest.parse,
    parseOutput: z.object({ channel }).parse,
  }),
  attachHere: method({
    needs: 'host:run',
    parseInput: z.object({ attempt: attemptId, from: z.number().int().min(0) }).parse,
    parseOutput: z.object({ channel }).parse,
  }),
  /** As placedAttempts; `asker` is the linked device that proved itself. Only it can attach or end what it asked for. */
  startFor: method({
    needs: 'host:run',
    /**
     * `rights`: what grants to programs give that asker; `contact`: the person whose device it is, if that is a contact.
     * Errors: as startPlaced, and job/program-refused with its exit.
     */
    parseInput: z.object({ asker, contact: asker.optional(), request: attemptRequest, rights: programRights.optional() }).parse,
    parseOutput: started.parse,
  }),
  attachFor: method({
    needs: 'host:run',
    parseInput: z.object({ asker, attempt: attemptId, from: z.number().int().min(0) }).parse,
    /** `asShell`: it was allowed by the grant of a shell (network, no sandbox), and goes on by that only. */
    parseOutput: started.extend({
      asShell: z.boolean(),
      /** What it runs by, or may run by: it goes on while these are granted. */
      rights: programRights.optional(),
    }).parse,
  }),
  /** As placedPorts; without `asker`, of what runs here for this device. */
  connectFor: method({
    needs: 'host:run',
    parseInput: z.object({ asker: asker.optional(), attempt: attemptId, port }).parse,
    parseOutput: z.object({ channel }).parse,
  }),
  /** A shell where an attempt runs: a terminal of this host, that ends with it. Errors: job/unknown, job/not-running, job/no-shell. */
  openShell: method({
    needs: 'host:run',
    parseInput: z.object({ asker: asker.optional(), attempt: attemptId, columns, rows }).parse,
    parseOutput: hostTerminal.parse,
  }),
  /** `reason`: `cancelled`, `grant`, ...; with `asker`, only what that device asked for; with `grant`, only if it runs by that grant to a program. */
  endAttempt: method({
    needs: 'host:run',
    parseInput: z.object({
      attempt: attemptId,
      asker: asker.optional(),
      grant: z.string().min(1).max(64).optional(),
      reason: z.string().max(32),
    }).parse,
    parseOutput: z.object({}).parse,
  }),
  /** A display of this device had input: its owner is there. */
  /** Whether a display of this device is unlocked: its owner may be there, and wait for the machine. */
  tellDisplayOpen: method({ needs: 'host:run', parseInput: z.object({ isOpen: z.boolean() }).parse, parseOutput: z.object({}).parse }),
  touchOwner: method({ needs: 'host:run', parseInput: z.object({}).parse, parseOutput: z.object({}).parse }),
  /** The person's home folder on this machine, which a placed job has as its HOME. */
  jobHome: method({ needs: 'host:run', parseInput: z.object({}).parse, parseOutput: z.object({ home: path }).parse }),
  listAttempts: method({
    needs: 'host:run',
    parseInput: z.object({}).parse,
    parseOutput: z.array(attemptStatus.extend({ asker: asker.optional() })).max(1_000).parse,
  }),
  ...hostGuestJobs,
  /** The asking end of a folder: what is in it, and results back into it. Errors: job/folder-gone, job/folder-refused. */
  offerTree: method({
    needs: 'host:run',
    parseInput: z.object({ attempt: attemptId, folder: path, from: z.string().max(80) }).parse,
    parseOutput: z.object({ channel }).parse,
  }),
  onDidChangeTree: event({
    needs: 'host:run',
    parse: z.object({
      attempt: attemptId,
      sentBytes: z.number().min(0),
      wantedBytes: z.number().min(0),
      files: z.number().int().min(0),
      conflicts: z.number().int().min(0),
    }).parse,
  }),
} satisfies Contract
