import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseProcStat } from '../../jobs/proc-stat.ts'
import { sendSignal } from './end-processes.ts'

const PREFIX = 'elsewhere-'
const ROOTS = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids', '/sys/fs/cgroup']
/** Between making a group and entering it nothing runs in it. */
const YOUNG_MS = 60_000

/** A process that is stuck in the kernel holds its group: after these it stays, empty. */
const REMOVE_TRIES = 50
const REMOVE_AGAIN_MS = 200

/** More processes no sensible build has; a fork bomb stops there. */
export const MAX_JOB_PROCESSES = 512

/**
 * Before the sandbox is made. $1: how many cgroups follow; then they; then the command. Shells name the limit of processes
 * differently.
 */
export const ENTER_SCRIPT = `
groups=$1; shift
while [ "$groups" -gt 0 ]; do echo $$ 2>/dev/null >"$1/cgroup.procs"; shift; groups=$((groups - 1)); done
ulimit -c 0 2>/dev/null
ulimit -u 4096 2>/dev/null || ulimit -p 4096 2>/dev/null
exec "$@"
`

/**
 * In the sandbox, before the program: it waits for a word on descriptor 4, which may say that its session is to weigh least. That end is
 * closed without one when whoever started it is gone.
 */
export const GATE_SCRIPT = `
IFS= read -r word <&4 || exit 125
case "$word" in
go) ;;
lowest) echo 19 2>/dev/null >/proc/self/autogroup ;;
*) exit 125 ;;
esac
exec 4<&- "$@"
`
/** The same in one that was made before its job was known: what it is to run is the next line, quoted. */
export const WAITING_GATE_SCRIPT = GATE_SCRIPT.replace('exec 4', 'IFS= read -r word <&4 || exit 125\neval "set -- $word"\nexec 4')
export const GATE_WORDS = { start: 'go\n', startLowest: 'lowest\n' } as const

/** A shell reads it byte by byte: a millisecond for so much. */
const MAX_GATE_LINE = 4_096
/** What a shell reads as these words. Undefined: too long, or not every shell takes it as it stands (bash, control characters). */
export function gateLine(words: readonly string[]): string | undefined {
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  return line.length > MAX_GATE_LINE || /\p{Cc}/u.test(line) ? undefined : `${line}\n`
}

/** Runs a command only when nobody else wants the processor, and then the disk (the kernel derives that). */
export const IDLE_PRIORITY = ['chrt', '-i', '0'] as const

/** Control groups of one attempt that limit memory and processes, where this account may make some (cgroup v1 or v2). */
export class JobCgroups {
  readonly folders: readonly string[]

  constructor(name: string, memoryMiB: number) {
    const memoryBytes = String(memoryMiB * 1024 ** 2)
    const v1: readonly [string, Readonly<Record<string, string>>][] = [
      ['/sys/fs/cgroup/memory', { 'memory.limit_in_bytes': memoryBytes, 'memory.memsw.limit_in_bytes': memoryBytes }],
      ['/sys/fs/cgroup/pids', { 'pids.max': String(MAX_JOB_PROCESSES) }],
    ]
    const v2: readonly [string, Readonly<Record<string, string>>][] = [
      ['/sys/fs/cgroup', { 'memory.max': memoryBytes, 'memory.swap.max': '0', 'pids.max': String(MAX_JOB_PROCESSES) }],
    ]
    const wanted = existsSync('/sys/fs/cgroup/cgroup.controllers') ? v2 : v1
    this.folders = wanted.flatMap(([root, limits]) => make(path.join(root, `${PREFIX}${name}`), limits))
  }

  /** Ends what is still in them and removes them, now or within the seconds that the kernel may take over it. */
  remove(tries = 0): void {
    if (!this.tryRemove() && tries < REMOVE_TRIES) setTimeout(() => this.remove(tries + 1), REMOVE_AGAIN_MS).unref()
  }

  /** Ends what is still in them; false: it is not gone yet. bwrap that is ended as it starts leaves a child that waits for it for ever. */
  tryRemove(): boolean {
    const held = this.folders.filter(isHeld)
    for (const folder of held) for (const pid of processesIn(folder)) sendSignal(pid, 'SIGKILL')
    return held.length === 0
  }
}

/**
 * Removes groups in which nothing runs and nothing was begun for a while, and ends what waits in them for a bwrap that is gone: of hosts
 * that were killed. Called when a host starts.
 */
export function removeLeftGroups(nowMs: number, roots: readonly string[] = ROOTS): void {
  for (const root of roots) {
    for (const name of namesIn(root)) {
      const folder = path.join(root, name)
      if (!name.startsWith(PREFIX) || nowMs - (madeMs(folder) ?? nowMs) < YOUNG_MS) continue
      for (const pid of processesIn(folder)) if (isOrphan(pid)) sendSignal(pid, 'SIGKILL')
      isHeld(folder) // one with processes stays
    }
  }
}

/** Removed, unless something runs in it. */
function isHeld(folder: string): boolean {
  try {
    rmdirSync(folder)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EBUSY'
  }
}

const processesIn = (folder: string): readonly number[] => textOf(path.join(folder, 'cgroup.procs')).split('\n').filter(Boolean).map(Number)

/** Empty: gone meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** The child of a bwrap that has ended. Of a job that runs bwrap's parent is a host, and that of its child bwrap. */
function isOrphan(pid: number): boolean {
  const { parentPid, name } = parseProcStat(textOf(`/proc/${pid}/stat`)) ?? {}
  return parentPid === 1 && name === 'bwrap'
}

function namesIn(root: string): readonly string[] {
  try {
    return readdirSync(root)
  } catch {
    return [] // this kernel has the other kind
  }
}

function madeMs(folder: string): number | undefined {
  return statSync(folder, { throwIfNoEntry: false })?.mtimeMs
}

/** Not allowed (no root, no delegation): none, and the limits are kept by looking instead. */
function make(folder: string, limits: Readonly<Record<string, string>>): string[] {
  try {
    mkdirSync(folder)
  } catch {
    return []
  }
  let held = 0
  for (const [name, value] of Object.entries(limits)) {
    try {
      writeFileSync(path.join(folder, name), value)
      held += 1
    } catch {
      // this kernel counts no swap, or the controller is not given to us
    }
  }
  if (held > 0) return [folder]
  rmdirSync(folder)
  return []
}
