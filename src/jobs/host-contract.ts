import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'
import { projectContext } from './placement-contract.ts'
import { terminalInfo } from './terminal-contract.ts'

/*
 * What the device and the supervisor ask of the host process, over its 0600 socket: whoever can open it may do all of it.
 */

/** Longest last screen kept elsewhere, in UTF-16 units: 200 lines of 200 columns with colours fit. */
export const MAX_LAST_SCREEN_LENGTH = 64 * 1024

/** A terminal as its host knows it: the host does not know which device it belongs to. */
export const hostTerminal = terminalInfo.omit({ device: true })
export type HostTerminal = z.infer<typeof hostTerminal>

const columns = z.number().int().min(2).max(1000)
const rows = z.number().int().min(1).max(1000)
const terminalId = z.string().min(1).max(64)
const nothing = z.object({})

export const hostContract = {
  /** Errors: terminal/spawn-failed, terminal/too-many. A `cwd` that is not there any more becomes the home folder. */
  spawn: method({
    needs: 'host:run',
    parseInput: z.object({
      /** The tab that asks: while a terminal opened for it runs, that one is the answer. */
      tab: z.string().min(1).max(64).optional(),
      cwd: z.string().max(4096).optional(),
      command: z.array(z.string().max(4096)).min(1).max(64).optional(),
      /** For another person's device: the terminal says so as long as it is there. Not with `tab`. */
      guest: hostTerminal.shape.guest,
      columns,
      rows,
    }).parse,
    parseOutput: hostTerminal.parse,
  }),
  /** The channel carries terminal-frames-contract.ts. Errors: terminal/unknown. */
  attach: method({
    needs: 'host:run',
    parseInput: z.object({ terminalId, columns, rows }).parse,
    parseOutput: z.object({ channel: z.number().int(), terminal: hostTerminal }).parse,
  }),
  list: method({ needs: 'host:run', parseInput: nothing.parse, parseOutput: z.array(hostTerminal).parse }),
  /** Ends every program of the terminal and forgets it. Errors: terminal/unknown. */
  end: method({ needs: 'host:run', parseInput: z.object({ terminalId }).parse, parseOutput: nothing.parse }),
  /** What it shows now, with some lines above, as escape sequences; cut to MAX_LAST_SCREEN_LENGTH. Errors: terminal/unknown. */
  screen: method({
    needs: 'host:run',
    parseInput: z.object({ terminalId }).parse,
    parseOutput: z.object({ screen: z.string().max(MAX_LAST_SCREEN_LENGTH) }).parse,
  }),
  /** What a folder says of the aliases typed in it; what cannot be read is left out. */
  readProject: method({
    needs: 'host:run',
    parseInput: z.object({ folder: z.string().min(1).max(4096) }).parse,
    parseOutput: projectContext.parse,
  }),
  /** What a program of this machine is, as a shell in that folder would find it. Errors: program/not-found, program/changing, program/too-large. */
  identifyProgram: method({
    needs: 'host:run',
    parseInput: z.object({ program: z.string().min(1).max(4096), folder: z.string().min(1).max(4096) }).parse,
    parseOutput: z.object({ id: z.string().max(80) }).parse,
  }),
  /** A terminal in which the command line of this device runs with these words, or the one that runs for `tab`. Errors: terminal/spawn-failed, terminal/too-many. */
  spawnCommandLine: method({
    needs: 'host:run',
    parseInput: z.object({ words: z.array(z.string().max(256)).min(1).max(16), tab: z.string().min(1).max(64).optional(), columns, rows })
      .parse,
    parseOutput: hostTerminal.parse,
  }),
  /** Ends everything; resolves when no program is left. The supervisor's SIGTERM does the same. */
  stop: method({ needs: 'host:run', parseInput: nothing.parse, parseOutput: nothing.parse }),
  onDidChangeTerminal: event({ needs: 'host:run', parse: hostTerminal.parse }),
  /** What a terminal shows has changed: at most every 3 s per terminal, and once more when output stops. */
  onDidChangeScreen: event({ needs: 'host:run', parse: z.object({ terminalId }).parse }),
} satisfies Contract
