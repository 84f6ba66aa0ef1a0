import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseProcStat } from '../../jobs/proc-stat.ts'
import type { ProcessSample } from '../../jobs/process-table.ts'

const POLL_MS = 25
/** After KILL only a process stuck in the kernel stays; we do not wait for its disk. */
const KILL_WAIT_MS = 2_000
/** Microseconds, unless nobody gives it the processor. */
const STOP_WAIT_MS = 50

/**
 * Ends processes: HUP (an interactive shell ignores TERM), TERM and CONT (a stopped one would not hear), then KILL for those
 * still there after `graceMs`. `find` is asked again each time, so that children born meanwhile are not missed and a
 * reused pid is never hit. Resolves with what is left: none, save what is stuck in the kernel.
 */
export async function endProcesses(find: () => readonly ProcessSample[], graceMs: number): Promise<readonly ProcessSample[]> {
  const living = () => find().filter(({ zombie }) => !zombie)
  let left: readonly ProcessSample[] = living()
  for (const { pid } of left) for (const signal of ['SIGHUP', 'SIGTERM', 'SIGCONT'] as const) sendSignal(pid, signal)
  left = await waitUntilNone(living, graceMs)
  const deadline = performance.now() + KILL_WAIT_MS
  while (left.length > 0 && performance.now() < deadline) {
    for (const { pid } of left) sendSignal(pid, 'SIGKILL')
    left = await waitUntilNone(living, POLL_MS)
  }
  return left
}

async function waitUntilNone(living: () => readonly ProcessSample[], forMs: number): Promise<readonly ProcessSample[]> {
  const deadline = performance.now() + forMs
  let left = living()
  while (left.length > 0 && performance.now() < deadline) {
    await delay(POLL_MS)
    left = living()
  }
  return left
}

/**
 * Ends processes with all that descends from them, at once. They are stopped first: bwrap that is ended between making its child and
 * letting it go leaves one that waits for ever.
 */
export function killTrees(roots: readonly number[], list: () => readonly ProcessSample[]): void {
  for (const pid of roots) stopNow(pid)
  const known = new Set(roots)
  const all = roots.length > 0 ? list() : []
  for (let before = 0; before !== known.size; ) {
    before = known.size
    for (const { pid, parentPid } of all) if (known.has(parentPid)) known.add(pid)
  }
  for (const pid of [...known].toReversed()) sendSignal(pid, 'SIGKILL')
}

/** Returns when it makes no child any more: a signal takes its time to arrive, and in a call of the kernel that call still ends. */
export function stopNow(pid: number): void {
  if (!sendSignal(pid, 'SIGSTOP')) return
  const untilMs = performance.now() + STOP_WAIT_MS
  while (performance.now() < untilMs && isRunning(pid));
}

/** False also where there is no /proc. */
function isRunning(pid: number): boolean {
  try {
    const state = parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.state
    return state !== undefined && !'TtZX'.includes(state)
  } catch {
    return false
  }
}

/** False: there is no such process any more, or it is not ours. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  if (pid <= 1) return false
  try {
    return process.kill(pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH' || code === 'EPERM') return false
    throw error
  }
}
