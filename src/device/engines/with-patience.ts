import type { Clock } from '../../base/clock.ts'

/** One answer of an engine may take so long. */
const PATIENCE_MS = 5_000

/** A signal for one call, which ends it when it takes too long. @param until  ends it, too */
export async function withPatience<T>(
  clock: Clock,
  work: (signal: AbortSignal) => Promise<T>,
  patienceMs = PATIENCE_MS,
  until?: AbortSignal,
): Promise<T> {
  const aborting = new AbortController()
  const timer = clock.after(patienceMs, () => aborting.abort(new Error(`no answer within ${patienceMs / 1_000} s`)))
  try {
    return await work(until ? AbortSignal.any([aborting.signal, until]) : aborting.signal)
  } finally {
    timer.dispose()
  }
}
