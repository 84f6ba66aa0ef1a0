import { type Disposable, toDisposable } from './disposable.ts'

/** Time as a dependency, so that tests can own it (R23). */
export interface Clock {
  /** Milliseconds since the Unix epoch. Other machines' clocks lie; never order events by it alone. */
  nowMs(): number
  /** Milliseconds that never run backwards; for measuring only. */
  monotonicMs(): number
  /** Calls once after `delayMs`; disposing cancels. */
  after(delayMs: number, callback: () => void): Disposable
  /** Calls every `periodMs`; disposing stops. */
  every(periodMs: number, callback: () => void): Disposable
}

/** The platform's clock. Works in Node and in browsers. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return toDisposable(() => clearTimeout(timer))
  },
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs)
    return toDisposable(() => clearInterval(timer))
  },
}

/** Resolves after `delayMs`; rejects with the signal's reason when aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      timer.dispose()
      reject(signal?.reason)
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}
