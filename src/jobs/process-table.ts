import type { ProcessRow } from './terminal-contract.ts'

/** One process at one moment, as the system tells it. */
export interface ProcessSample {
  readonly pid: number
  readonly parentPid: number
  /** Session id: the pid of its leader; a terminal's programs share their shell's. */
  readonly sessionId: number
  /** Tells two processes of one pid apart: clock ticks since boot, or any text that differs. */
  readonly startedAt: string
  readonly command: string
  /** Processor time used so far, in ms. */
  readonly cpuMs: number
  /** The same of its children that have ended; absent where the system does not tell. */
  readonly reapedCpuMs?: number
  readonly memoryBytes: number
  /** Dead and not yet fetched by its parent: it holds nothing and cannot be ended. */
  readonly zombie: boolean
}

/** The whole machine at one moment, without its processes: cheap to read. */
export interface LoadSample {
  readonly atMs: number
  readonly cores: number
  /** Processor time of all cores so far, in ms: used, and used plus idle. */
  readonly busyMs: number
  readonly totalMs: number
  readonly memoryBytes: number
  readonly memoryTotalBytes: number
  /** How many processes the system itself counted as running, on average over the last minute; undefined: it does not count. */
  readonly lastMinute: number | undefined
}

export interface MachineSample extends LoadSample {
  readonly processes: readonly ProcessSample[]
}

/** Where samples come from: /proc on Linux, ps elsewhere. */
export interface ProcessReader {
  sample(): MachineSample
  load(): LoadSample
}

/**
 * The processes under `roots` (their descendants, and whoever shares a session with a root), the roots included.
 * Bounded by what the system lists; a parent loop, which a hostile listing could hold, ends.
 */
export function processTree(processes: readonly ProcessSample[], roots: ReadonlySet<number>): ProcessSample[] {
  const children = new Map<number, ProcessSample[]>()
  for (const process of processes) {
    const siblings = children.get(process.parentPid)
    if (siblings) siblings.push(process)
    else children.set(process.parentPid, [process])
  }
  const found = new Set<ProcessSample>()
  const waiting = processes.filter(({ pid, sessionId }) => roots.has(pid) || roots.has(sessionId))
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (found.has(next)) continue
    found.add(next)
    waiting.push(...(children.get(next.pid) ?? []))
  }
  return processes.filter((process) => found.has(process))
}

/** A shell and the terminal it runs in. */
export interface TerminalRoot {
  readonly pid: number
  readonly terminalId: string
}

/**
 * Rows for Tasks (JB14): what lies under `roots`, with processor use between two samples. A process that began in
 * between is measured from its start. `terminals` name the terminal a process runs in.
 */
export function processRows(
  before: MachineSample,
  after: MachineSample,
  roots: ReadonlySet<number>,
  terminals: readonly TerminalRoot[],
): Omit<ProcessRow, 'device'>[] {
  const spanMs = after.atMs - before.atMs
  const earlier = new Map(before.processes.map((process) => [identity(process), process.cpuMs]))
  const terminalOf = new Map<ProcessSample, string>()
  for (const { pid, terminalId } of terminals) {
    for (const process of processTree(after.processes, new Set([pid]))) terminalOf.set(process, terminalId)
  }
  return processTree(after.processes, new Set([...roots, ...terminals.map(({ pid }) => pid)]))
    .filter(({ zombie }) => !zombie)
    .map((process) => {
      const usedMs = process.cpuMs - (earlier.get(identity(process)) ?? 0)
      const terminalId = terminalOf.get(process)
      return {
        pid: process.pid,
        parentPid: process.parentPid,
        command: process.command,
        cpu: spanMs > 0 ? Math.max(0, usedMs) / spanMs : 0,
        memoryBytes: process.memoryBytes,
        ...(terminalId === undefined ? {} : { terminalId }),
      }
    })
}

/** Share of all cores in use between two samples, 0..1. */
export function machineCpu(before: LoadSample, after: LoadSample): number {
  const total = after.totalMs - before.totalMs
  return total > 0 ? Math.min(1, Math.max(0, (after.busyMs - before.busyMs) / total)) : 0
}

const identity = ({ pid, startedAt }: ProcessSample): string => `${pid}@${startedAt}`
