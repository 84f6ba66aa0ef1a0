import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import type { RtcCandidate, RtcConnection } from './rtc-stack.ts'
import type { SignalNote } from './signal-note.ts'

/** Host candidates come within a millisecond of each other; one note then carries them all. */
const GATHER_MS = 5
const MAX_IN_NOTE = 16

type Listed = Extract<SignalNote, { kind: 'candidates' }>['list'][number]

/** Collects what ICE finds and sends it in few notes, after the description they belong to. */
export class CandidateBatch implements Disposable {
  readonly #clock: Clock
  readonly #send: (list: Listed[]) => void
  readonly #found: Listed[] = []
  readonly #sent: Listed[] = []
  #isReleased = false
  #timer: Disposable | undefined

  constructor(clock: Clock, send: (list: Listed[]) => void) {
    this.#clock = clock
    this.#send = send
  }

  watch(on: 'live' | 'bulk', connection: RtcConnection): void {
    connection.onDidFindCandidate((candidate: RtcCandidate) => {
      this.#found.push({ on, candidate: candidate.candidate, mid: candidate.mid })
      this.#plan()
    })
  }

  /** The description has been sent: candidates may follow. */
  release(): void {
    this.#isReleased = true
    this.#plan()
  }

  /** All that was sent before may have gone astray. */
  again(): void {
    this.#found.unshift(...this.#sent.splice(0))
    this.#plan()
  }

  #plan(): void {
    if (!this.#isReleased || this.#timer !== undefined || this.#found.length === 0) return
    this.#timer = this.#clock.after(GATHER_MS, () => {
      this.#timer = undefined
      const list = this.#found.splice(0, MAX_IN_NOTE)
      this.#sent.push(...list)
      this.#send(list)
      this.#plan()
    })
  }

  dispose(): void {
    this.#timer?.dispose()
    this.#isReleased = false
  }
}
