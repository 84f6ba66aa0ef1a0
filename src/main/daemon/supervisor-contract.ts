import * as z from 'zod'
import { method, type Contract } from '../../rpc/contract.ts'

/*
 * What `elsewhere` asks of the supervisor over its 0600 socket: whoever can open it may do all of it.
 */

const nothing = z.object({})

export const displayHost = z.enum(['auto', 'electron', 'browser', 'none'])
export type DisplayHost = z.infer<typeof displayHost>

export const processState = z.object({
  name: z.string(),
  pid: z.number().int().optional(),
  state: z.enum(['starting', 'ready', 'waiting', 'stopped']),
  restarts: z.number().int(),
})

export const supervisorContract = {
  status: method({
    needs: 'supervisor:read',
    parseInput: nothing.parse,
    parseOutput: z.object({
      pid: z.number().int(),
      processes: z.array(processState),
      /** Programs in the foreground of terminals, shells aside: what ending would end with it. */
      programs: z.array(z.string()),
    }).parse,
  }),
  /**
   * Opens a display of this device. `environment` carries what a window needs of the caller's session (DISPLAY and the
   * like). With no program to show it, `url` opens one, once. Errors: start/process-failed.
   */
  openDisplay: method({
    needs: 'supervisor:run',
    parseInput: z.object({ host: displayHost, environment: z.record(z.string().max(64), z.string().max(4096)) }).parse,
    parseOutput: z.object({
      kind: z.enum(['electron', 'browser', 'none']),
      program: z.string().optional(),
      url: z.string().optional(),
      /** Why it is not a window, in one sentence. */
      reason: z.string().optional(),
    }).parse,
  }),
  /** Ends displays, device, files and host; answers before the supervisor itself ends. */
  stop: method({ needs: 'supervisor:run', parseInput: nothing.parse, parseOutput: nothing.parse }),
} satisfies Contract
