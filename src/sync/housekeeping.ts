import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'

/** Replayed at a start after a crash at most; at 40 us each, 20 ms. */
const STATE_EVERY = 512
const STATE_EVERY_BYTES = 1 << 20
/** Quiet time before a cached state or a snapshot is written: never in the middle of a drag. */
const QUIET_MS = 1_000

export interface HousekeepingCounts {
  readonly snapshotEvery: number
  /** Envelopes that the load had to replay. */
  readonly replayed: number
  /** Counted over restarts. */
  readonly sinceSnapshot: number
}

/**
 * Counts what came into a document's log and says when its cached state (SY37) and its snapshot (SY39) are due. Has a timer
 * only while one of them is.
 */
export class Housekeeping implements Disposable {
  readonly #clock: Clock
  readonly #snapshotEvery: number
  readonly #keepHouse: (isSnapshotDue: boolean) => void
  #envelopes: number
  #bytes = 0
  #sinceSnapshot: number
  #timer: Disposable | undefined

  constructor(clock: Clock, counts: HousekeepingCounts, keepHouse: (isSnapshotDue: boolean) => void) {
    this.#clock = clock
    this.#snapshotEvery = counts.snapshotEvery
    this.#keepHouse = keepHouse
    this.#envelopes = counts.replayed
    this.#sinceSnapshot = counts.sinceSnapshot
  }

  get sinceSnapshot(): number {
    return this.#sinceSnapshot
  }

  /** Something is in the log that the cached state lacks. */
  get isStateStale(): boolean {
    return this.#envelopes > 0
  }

  noteEnvelope(bytes: number): void {
    this.#envelopes++
    this.#bytes += bytes
    this.#sinceSnapshot++
    if (this.#envelopes < STATE_EVERY && this.#bytes < STATE_EVERY_BYTES && !this.#isSnapshotDue) return
    this.#timer ??= this.#clock.after(QUIET_MS, () => {
      this.#timer = undefined
      this.#keepHouse(this.#isSnapshotDue)
    })
  }

  noteState(): void {
    this.#envelopes = 0
    this.#bytes = 0
  }

  noteSnapshot(): void {
    this.#sinceSnapshot = 0
  }

  dispose(): void {
    this.#timer?.dispose()
  }

  get #isSnapshotDue(): boolean {
    return this.#sinceSnapshot >= this.#snapshotEvery
  }
}
