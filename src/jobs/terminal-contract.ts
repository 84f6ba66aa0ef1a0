import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'

const columns = z.number().int().min(2).max(1000)
const rows = z.number().int().min(1).max(1000)
const where = { device: z.string(), terminalId: z.string() }
const nothing = z.object({})

export const terminalInfo = z.object({
  ...where,
  title: z.string(),
  cwd: z.string(),
  /** Process id of the shell on its device. */
  pid: z.number().int(),
  /** Name of the program in the foreground, e.g. `vim`; the shell itself when idle. */
  foreground: z.string(),
  columns,
  rows,
  startedAtMs: z.number(),
  exit: z.object({ code: z.number().int(), signal: z.number().int().optional() }).optional(),
  /** Another person's device that opened it, by a grant. */
  guest: z.object({ person: z.string().min(32).max(44), device: z.string().min(32).max(44) }).optional(),
})
export type TerminalInfo = z.infer<typeof terminalInfo>

/**
 * Terminals live in the host process of the device where they were started; calls for another device are forwarded over
 * its link (needs grant `shell` there). Errors: terminal/unknown, terminal/device-away, terminal/spawn-failed, grant/refused.
 */
export const terminalContract = {
  openTerminal: method({
    needs: 'desk:write',
    parseInput: z.object({
      device: z.string(),
      /** The tab that asks. Two displays that show the same new tab both ask: the tab gets one terminal. */
      tab: z.string().min(1).max(64).optional(),
      cwd: z.string().max(4096).optional(),
      command: z.array(z.string().max(4096)).max(64).optional(),
      columns,
      rows,
    }).parse,
    parseOutput: terminalInfo.parse,
  }),
  /**
   * Channel framing: one kind byte, then: down 0 = screen and scrollback as escape sequences (UTF-8), 1 = output bytes,
   * 2 = JSON {columns, rows} (size changed), 3 = JSON exit; up 1 = keys (UTF-8), 2 = JSON {columns, rows} (sent when
   * typed in: size follows the display typed in last).
   */
  attachTerminal: method({
    needs: 'desk:write',
    parseInput: z.object({ ...where, columns, rows }).parse,
    parseOutput: z.object({ channel: z.number().int(), info: terminalInfo }).parse,
  }),
  /** The sealed last screen kept here of a terminal whose device is away: escape sequences, or none kept. */
  lastScreen: method({
    needs: 'desk:read',
    parseInput: z.object(where).parse,
    parseOutput: z.object({ screen: z.string(), atMs: z.number() }).nullable().parse,
  }),
  listTerminals: method({
    needs: 'desk:read',
    parseInput: z.object({ device: z.string() }).parse,
    parseOutput: z.array(terminalInfo).parse,
  }),
  endTerminal: method({ needs: 'desk:write', parseInput: z.object(where).parse, parseOutput: nothing.parse }),
  onDidChangeTerminal: event({ needs: 'desk:read', parse: terminalInfo.parse }),
} satisfies Contract

export const processRow = z.object({
  device: z.string(),
  pid: z.number().int(),
  parentPid: z.number().int(),
  command: z.string(),
  /** Fraction of one core over the last sample, 0..n. */
  cpu: z.number(),
  memoryBytes: z.number(),
  terminalId: z.string().optional(),
})
export type ProcessRow = z.infer<typeof processRow>
export const machineLoad = z.object({
  device: z.string(),
  cores: z.number().int(),
  /** 0..1 of all cores. */
  cpu: z.number(),
  memoryBytes: z.number(),
  memoryTotalBytes: z.number(),
})
export type MachineLoad = z.infer<typeof machineLoad>

/** Programs on this and every linked device. */
export const tasksContract = {
  /** Processes of the person on one device (what Elsewhere runs and their children). */
  listProcesses: method({
    needs: 'desk:read',
    parseInput: z.object({ device: z.string() }).parse,
    parseOutput: z.object({ load: machineLoad, processes: z.array(processRow) }).parse,
  }),
  /** Sends TERM (or KILL) to a process that listProcesses names. Errors: task/unknown, task/refused. */
  endProcess: method({
    needs: 'desk:write',
    parseInput: z.object({ device: z.string(), pid: z.number().int(), force: z.boolean() }).parse,
    parseOutput: nothing.parse,
  }),
} satisfies Contract
