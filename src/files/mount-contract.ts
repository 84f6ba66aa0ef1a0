import * as z from 'zod'
import { type Contract, method } from '../rpc/contract.ts'

const nothing = z.object({})
const status = z.object({
  /** `waiting`: it is mounted when the device is unlocked. `failed`: `message` says why, and what to do. */
  state: z.enum(['mounted', 'off', 'waiting', 'failed']),
  /** The folder of this machine, absolute. */
  at: z.string(),
  message: z.string().optional(),
  /** What is mounted, each by the name of its folder there. */
  folders: z
    .array(z.object({ dataset: z.string().max(24), name: z.string().max(100) }))
    .max(1_000)
    .optional(),
})

/** The folder at which the person's datasets are mounted on this device. */
export const mountContract = {
  mountStatus: method({ needs: 'files:read', parseInput: nothing.parse, parseOutput: status.parse }),
  /** Turns it on, from now on, at `at` when given. Rejects with `mount/…`. */
  mountDatasets: method({
    needs: 'files:run',
    parseInput: z.object({ at: z.string().max(4096).optional() }).parse,
    parseOutput: status.parse,
  }),
  /** Turns it off, from now on. Rejects with `mount/busy` while programs use it, unless forced. */
  unmountDatasets: method({ needs: 'files:run', parseInput: z.object({ force: z.boolean() }).parse, parseOutput: status.parse }),
} satisfies Contract

export type MountStatus = z.infer<typeof status>
