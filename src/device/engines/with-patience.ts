import type { Clock } from '../../base/clock.ts'

/** A signal for some work, which ends it when it takes longer than `ms` in all. @param until  ends it, too */
export async function withPatience<T>(
  clock: Clock,
  work: (signal: AbortSignal) => Promise<T>,
  ms: number,
  until?: AbortSignal,
): Promise<T> {
  const aborting = new AbortController()
  const timer = clock.after(ms, () => aborting.abort(new Error(`no answer within ${ms / 1_000} s`)))
  try {
    return await work(until ? AbortSignal.any([aborting.signal, until]) : aborting.signal)
  } finally {
    timer.dispose()
  }
}
