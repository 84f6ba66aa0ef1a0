import { setTimeout as sleep } from 'node:timers/promises'
import type { SupervisorClient } from './local-client.ts'

/** The supervisor answers a moment before it is gone itself: asking again this often is soon enough, and costs nothing. */
const LOOK_EVERY_MS = 10
/** It has nothing left to do by then; a process that lingers for so long is no reason to keep the person waiting. */
const GONE_PATIENCE_MS = 5_000

/**
 * Ends the device and everything it runs; resolves when the supervisor too is gone, also when it was already (rule DV33).
 *
 * @throws what it answered, when it is still there after that
 */
export async function endSupervisor(supervisor: SupervisorClient): Promise<void> {
  const pid = await supervisor.status({}).then(
    (status) => status.pid,
    () => undefined,
  )
  let failure: unknown
  await supervisor.stop({}).catch((error) => (failure = error)) // it may be gone already, or go before it could answer
  if (pid === undefined) return
  const untilMs = performance.now() + GONE_PATIENCE_MS
  const isLeft = () => isAlive(pid)
  while (isLeft() && performance.now() < untilMs) await sleep(LOOK_EVERY_MS)
  if (failure !== undefined && isLeft()) throw failure
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // ESRCH: there is no such process any more
  }
}
