import type { Clock } from '../../base/clock.ts'

/** A page that reloads is back within this. */
const RETURN_MS = 30_000

interface Returning {
  readonly handedOverTo: string | undefined
  readonly resumes: boolean
  readonly wallet: string | undefined
  readonly untilMs: number
}

/**
 * Displays that were sent away a moment ago and will be back with the cookie they had: where their desk went (so that the
 * lock screen can say it), or that they go on unlocked (their device has just joined another person's; the page must let go
 * of the old desk, the person must not be asked twice).
 */
export class ReturningDisplays {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Returning[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param how  `wallet`: the one that had opened it, without which it goes on no more */
  expect(
    entrance: string | undefined,
    { handedOverTo, resumes, wallet }: { readonly handedOverTo?: string; readonly resumes: boolean; readonly wallet?: string | undefined },
  ): void {
    if (entrance === undefined) return
    const untilMs = this.#clock.monotonicMs() + RETURN_MS
    this.#waiting.set(entrance, [...(this.#waiting.get(entrance) ?? []), { handedOverTo, resumes, wallet, untilMs }])
  }

  /** What the display that comes in by `entrance` left with; each is used once. */
  welcome(entrance: string | undefined): Returning | undefined {
    if (entrance === undefined) return undefined
    const nowMs = this.#clock.monotonicMs()
    const [first, ...rest] = (this.#waiting.get(entrance) ?? []).filter(({ untilMs }) => untilMs >= nowMs)
    if (rest.length > 0) this.#waiting.set(entrance, rest)
    else this.#waiting.delete(entrance)
    return first
  }
}
