import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessSample } from '../../jobs/process-table.ts'

const POLL_MS = 25
/** After KILL only a process stuck in the kernel stays; we do not wait for its disk. */
const KILL_WAIT_MS = 2_000

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
