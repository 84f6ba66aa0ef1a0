import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import { commandLine, parseProcStat } from '../../jobs/proc-stat.ts'
import type { LoadSample, MachineSample, ProcessReader, ProcessSample } from '../../jobs/process-table.ts'

/** The kernel's clock tick as user space sees it: 100 Hz on every Linux Node runs on. */
const TICK_MS = 10
const PAGE_BYTES = 4096

/** Processes from /proc on Linux; from `ps` elsewhere (there without sessions, and with processor time in whole seconds). */
export class SystemProcessReader implements ProcessReader {
  readonly #cores = Math.max(1, os.cpus().length)

  sample(): MachineSample {
    return { ...this.load(), processes: listProcesses() }
  }

  load(): LoadSample {
    const memoryTotalBytes = os.totalmem()
    return {
      atMs: performance.now(),
      cores: this.#cores,
      ...(processorTime(readProc('/proc/stat')) ?? processorTimeOfCores()),
      memoryBytes: memoryTotalBytes - availableMemory(),
      memoryTotalBytes,
      lastMinute: process.platform === 'win32' ? undefined : os.loadavg()[0],
    }
  }
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in ticks. Undefined off Linux. */
function processorTime(stat: string): { busyMs: number; totalMs: number } | undefined {
  const fields = /^cpu +([\d ]+)$/m.exec(stat)?.[1]?.split(' ').map(Number)
  if (!fields) return undefined
  const [user = 0, nice = 0, system = 0, idle = 0, , irq = 0, softirq = 0] = fields
  const busy = user + nice + system + irq + softirq
  return { busyMs: busy * TICK_MS, totalMs: (busy + idle) * TICK_MS }
}

/** Asks for each core: takes milliseconds where there are many. */
function processorTimeOfCores(): { busyMs: number; totalMs: number } {
  let [busyMs, totalMs] = [0, 0]
  for (const { times } of os.cpus()) {
    const used = times.user + times.nice + times.sys + times.irq
    busyMs += used
    totalMs += used + times.idle
  }
  return { busyMs, totalMs }
}

/** Every process this account may see. `commands` false: without their command lines, which are half of the work. */
export function listProcesses({ commands = true }: { readonly commands?: boolean } = {}): ProcessSample[] {
  if (process.platform !== 'linux') return listWithPs()
  const found: ProcessSample[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = parseProcStat(readProc(`/proc/${name}/stat`))
    if (!stat) continue
    found.push({
      pid: stat.pid,
      parentPid: stat.parentPid,
      sessionId: stat.sessionId,
      startedAt: stat.startTicks,
      command: commands ? commandLine(readProc(`/proc/${name}/cmdline`), stat.name) : '',
      cpuMs: stat.cpuTicks * TICK_MS,
      reapedCpuMs: Number.isFinite(stat.reapedTicks) ? stat.reapedTicks * TICK_MS : 0,
      memoryBytes: stat.residentPages * PAGE_BYTES,
      zombie: stat.state === 'Z' || stat.state === 'X',
    })
  }
  return found
}

/** Value of one variable in the environment a process was started with; undefined when unset or not ours to read. */
export function startVariable(pid: number, name: string): string | undefined {
  const entry = readProc(`/proc/${pid}/environ`)
    .split('\0')
    .find((line) => line.startsWith(`${name}=`))
  return entry?.slice(name.length + 1)
}

/** Empty when the process has ended or belongs to somebody else: both mean that there is nothing to read. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function availableMemory(): number {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readProc('/proc/meminfo'))?.[1]
  return kilobytes === undefined ? os.freemem() : Number(kilobytes) * 1024
}

function listWithPs(): ProcessSample[] {
  const text = execFileSync('ps', ['-axww', '-o', 'pid=,ppid=,rss=,time=,state=,lstart=,command='], {
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C' },
  })
  return text.split('\n').flatMap((line) => {
    const fields = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+([\d:.-]+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec(line)
    if (!fields) return []
    const [, pid, parentPid, rss, time, state, startedAt, command] = fields as unknown as string[]
    return [
      {
        pid: Number(pid),
        parentPid: Number(parentPid),
        sessionId: 0,
        startedAt: startedAt as string,
        command: commandLine(command as string, ''),
        cpuMs: timeMs(time as string),
        memoryBytes: Number(rss) * 1024,
        zombie: (state as string).startsWith('Z'),
      },
    ]
  })
}

/** ps writes [[days-]hours:]minutes:seconds. */
function timeMs(text: string): number {
  const [clock = '', days = '0'] = text.split('-').reverse()
  return clock.split(':').reduce((sum, part) => sum * 60 + Number(part), Number(days) * 24 * (clock.split(':').length > 2 ? 1 : 0)) * 1000
}
