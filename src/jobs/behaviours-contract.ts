import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'
import { classification } from './job-contract.ts'
import { projectContext } from './placement-contract.ts'
import { behaviourKey, learnedNote } from './seen-behaviour-contract.ts'

/* What was learned of commands when they ran, as displays and the command line see it. */

export const behaviourRow = z.object({
  key: behaviourKey,
  /** Of the program; by its bytes where they are known. */
  name: z.string().max(256),
  program: z.string().max(80).optional(),
  /** The line with numbers, paths and hashes folded. */
  shape: z.string().max(400),
  words: z.string().max(400),
  times: z.number(),
  well: z.number(),
  badly: z.number(),
  listened: z.number(),
  terminal: z.number(),
  input: z.number(),
  ports: z.array(z.number()).max(8),
  files: z.number().optional(),
  cpuMs: z.number().optional(),
  tookMs: z.number().optional(),
  atMs: z.number(),
  /** Ids of those that saw it. */
  devices: z.array(z.string().max(64)).max(64),
})
export type BehaviourRow = z.infer<typeof behaviourRow>

export const behavioursContract = {
  /** Of all devices, newest first. */
  listBehaviours: method({ needs: 'desk:read', parseInput: z.object({}).parse, parseOutput: z.array(behaviourRow).max(1_000).parse }),
  /** On every device: the next run is the first again. Errors: job/no-behaviour. */
  forgetBehaviour: method({ needs: 'desk:write', parseInput: z.object({ key: behaviourKey }).parse, parseOutput: z.object({}).parse }),
  /** What a line is taken for, with what is known of it. Runs nothing and asks no other device. */
  recallBehaviour: method({
    needs: 'desk:read',
    parseInput: z.object({
      commandLine: z.string().max(256 * 1024),
      /** On the device that is asked. */
      folder: z.string().min(1).max(4_096),
      context: projectContext.optional(),
    }).parse,
    parseOutput: z.object({ classification, learned: learnedNote.optional() }).parse,
  }),
} satisfies Contract
