import type { Disposable } from '../../../base/disposable.ts'

export interface KeptReading extends Disposable {
  /** Something changed. Changes that come together are read together, and none is left for the next rest to find. */
  readSoon(): void
  readNow(): void
}

/**
 * Reads at once, then again and again until disposed. One reading at a time: an answer that was asked for earlier is never
 * shown over a newer one.
 *
 * @param read  must not reject; resolves with how many ms to rest before the next one, undefined: until something changes
 * @param settleMs  how long after a change it is read
 */
export function keepReading(read: (signal: AbortSignal) => Promise<number | undefined>, settleMs: number): KeptReading {
  const leaving = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isReading = false
  /** Asked for while an earlier one was under way, whose answer may be older. */
  let isStale = false
  /** The timer that runs is that of a change: no other may put it off. */
  let isSoon = false
  const readIn = (waitMs: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => void now(), waitMs)
  }
  const now = async () => {
    clearTimeout(timer)
    isStale = isReading
    if (isReading || leaving.signal.aborted) return
    isReading = true
    isSoon = false
    const restMs = await read(leaving.signal)
    isReading = false
    if (leaving.signal.aborted) return
    if (isStale) readIn(settleMs)
    else if (!isSoon && restMs !== undefined) readIn(restMs)
  }
  void now()
  return {
    readNow: () => void now(),
    readSoon: () => {
      if (isSoon || leaving.signal.aborted) return // changes that never pause must not put it off for ever
      isSoon = true
      readIn(settleMs)
    },
    dispose: () => {
      leaving.abort()
      clearTimeout(timer)
    },
  }
}
