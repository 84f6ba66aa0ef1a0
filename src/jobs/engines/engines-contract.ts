import * as z from 'zod'
import { method, type Contract } from '../../rpc/contract.ts'

/* Engines of this device as displays and the command line see them. Their tokens go in and never come out. */

/** What jobs name an engine by, where they name a device else. */
export const ENGINE_PREFIX = 'engine:'
export const MAX_ENGINES = 16
export const isEngine = (device: string): boolean => device.startsWith(ENGINE_PREFIX)

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'letters, digits, dots, - and _, at most 40')

const visible = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\x21-\x7e]+$/)
/** Of its HTTP interface, without a path. */
const url = z.string().max(2_048)
/** As registries name them, with a digest where that is to be the very one. */
export const imageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,500}$/, 'a name of an image')

const slurmSettings = z.object({
  name,
  kind: z.literal('slurm'),
  url,
  user: visible(64),
  /** A folder that lies at the same path there, below this account's home: jobs work in it. */
  shared: z.string().min(1).max(4_096),
  partition: z.string().min(1).max(64).optional(),
})
/** It sees no folder of ours: what is in it goes along, and what came of it comes back. */
const bacalhauSettings = z.object({
  name,
  kind: z.literal('bacalhau'),
  url,
  /** For jobs that name none. */
  image: imageName.optional(),
  namespace: visible(64).optional(),
})
export const engineSettings = z.discriminatedUnion('kind', [slurmSettings, bacalhauSettings])
export type EngineSettings = z.infer<typeof engineSettings>

/** Kept with its token, which is empty for one that asks for none. */
export const keptEngine = z.discriminatedUnion('kind', [
  slurmSettings.extend({ format: z.literal(1), token: z.string().max(8_192) }),
  bacalhauSettings.extend({ format: z.literal(1), token: z.string().max(8_192) }),
])

const told = {
  /** `engine:NAME`. */
  engine: z.string().max(64),
  /** unasked: not since the desk was opened. */
  state: z.enum(['ready', 'away', 'refused', 'unasked']),
  /** How it is, or why it cannot be used. */
  why: z.string().max(600),
  cores: z.number().int().min(0).optional(),
  idleCores: z.number().int().min(0).optional(),
  queued: z.number().int().min(0).optional(),
  runs: z.array(z.string().max(40)).max(8).optional(),
  /** Jobs that run there and would not be followed any more without it; absent: not looked. */
  jobs: z.number().int().min(0).optional(),
}
export const engineRow = z.discriminatedUnion('kind', [slurmSettings.extend(told), bacalhauSettings.extend(told)])
export type EngineRow = z.infer<typeof engineRow>

/** Where it stands, for people. Pure. */
export const standWords = (stand: { readonly url: string; readonly namespace?: string | undefined }): string =>
  stand.namespace === undefined ? stand.url : `${stand.url}, namespace ${stand.namespace}`

const nothing = z.object({})

export const enginesContract = {
  /** With `ask` they are asked how they are, and one that does not answer in 3 s is away; without, as they were when asked last, at once. */
  listEngines: method({
    needs: 'desk:read',
    parseInput: z.object({ ask: z.boolean() }).parse,
    parseOutput: z.array(engineRow).max(MAX_ENGINES).parse,
  }),
  /**
   * Kept when it has answered. One of that name is replaced; what runs where that stood is followed there. Errors: engine/bad-address, engine/bad-folder, engine/unreachable,
   * engine/refused, engine/nonsense, engine/too-many.
   */
  addEngine: method({
    needs: 'desk:write',
    parseInput: z.discriminatedUnion('kind', [
      slurmSettings.extend({ token: visible(8_192) }),
      bacalhauSettings.extend({ token: visible(8_192).or(z.literal('')) }),
    ]).parse,
    parseOutput: engineRow.parse,
  }),
  /**
   * Its key is forgotten. Jobs on it go on there, and are not heard of any more until it is added again: with some `force` is needed.
   * Errors: engine/unknown, engine/in-use.
   */
  removeEngine: method({
    needs: 'desk:write',
    parseInput: z.object({ name, force: z.boolean().optional() }).parse,
    parseOutput: nothing.parse,
  }),
} satisfies Contract
