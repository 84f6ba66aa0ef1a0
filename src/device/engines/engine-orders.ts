import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import type { Engine } from '../../jobs/engines/engine.ts'
import { withPatience } from './with-patience.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

/** Ends that could not be ordered are ordered again. */
const END_AGAIN_MS = 5_000
const ENDS = 'engine-ends'
/** Attempts that may have been taken, with the time they were sent. */
const SUBMITS = 'engine-submits'
/** One that was sent and is not seen so long after was not taken. */
const UNCLEAR_MS = 120_000

export interface EngineOrdersOptions {
  readonly clock: Clock
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
  /** By its name; undefined: there is none any more. */
  engine(name: string): Engine | undefined
}

/**
 * What engines were told and have not confirmed, kept in the device's store: jobs that they may have taken, and ends that they were not
 * told of yet (rule EN4). A timer runs only while an end waits.
 */
export class EngineOrders {
  readonly #options: EngineOrdersOptions
  #isEnding = false
  /** While an order waits to be given again. */
  #ending: Disposable | undefined

  constructor(options: EngineOrdersOptions) {
    this.#options = options
  }

  /** The desk has just been opened: orders that could not be given before are. */
  follow(desk: OpenDesk): void {
    this.#endSoon(desk)
  }

  close(): void {
    this.#ending?.dispose()
    this.#ending = undefined
  }

  /** It is about to be sent. */
  noteSubmit(attempt: string): void {
    const { clock, desk } = this.#options
    desk().values.put(SUBMITS, attempt, new TextEncoder().encode(String(clock.nowMs())))
  }

  /** Whether it was taken is known. */
  settle(attempt: string): void {
    this.#deskNow()?.values.delete(SUBMITS, attempt)
  }

  /** It was sent a moment ago, and whether the engine took it is not known. */
  isUnclear(attempt: string): boolean {
    const { clock, desk } = this.#options
    const { values } = desk()
    const kept = values.get(SUBMITS, attempt)
    if (!kept) return false
    if (Math.abs(clock.nowMs() - Number(new TextDecoder().decode(kept))) < UNCLEAR_MS) return true
    values.delete(SUBMITS, attempt)
    return false
  }

  /** Kept first: it is ended, whenever the engine answers. @throws EngineError  it did not answer now */
  async end(name: string, engine: Engine, attempt: string): Promise<void> {
    this.#options.desk().values.put(ENDS, attempt, new TextEncoder().encode(name))
    try {
      await this.#endOne(engine, attempt)
    } finally {
      this.#endSoon(this.#deskNow())
    }
  }

  async #endOne(engine: Engine, attempt: string): Promise<void> {
    const { clock, desk } = this.#options
    const job = await withPatience(clock, (signal) => engine.find(attempt, signal))
    if (job && job.state !== 'ended') await withPatience(clock, (signal) => engine.cancel(job.id, signal))
    if (!job && this.isUnclear(attempt)) return // it may still come: ordered again
    desk().values.delete(ENDS, attempt)
    desk().values.delete(SUBMITS, attempt)
  }

  /** Once, and only while there is something to order. */
  #endSoon(desk: OpenDesk | undefined): void {
    if (!desk || this.#ending || this.#isEnding || desk.values.entries(ENDS).length === 0) return
    this.#ending = this.#options.clock.after(END_AGAIN_MS, () => {
      this.#ending = undefined
      void this.#endLeft().finally(() => this.#endSoon(this.#deskNow()))
    })
  }

  async #endLeft(): Promise<void> {
    const values = this.#deskNow()?.values
    if (this.#isEnding || !values) return
    this.#isEnding = true
    try {
      for (const [attempt, name] of values.entries(ENDS)) {
        if (this.#deskNow()?.values !== values) return // locked meanwhile
        const engine = this.#options.engine(new TextDecoder().decode(name))
        if (!engine) values.delete(ENDS, attempt)
        else await this.#endOne(engine, attempt).catch(() => undefined) // it does not answer yet
      }
    } finally {
      this.#isEnding = false
    }
  }

  #deskNow(): OpenDesk | undefined {
    try {
      return this.#options.desk()
    } catch {
      return undefined // locked
    }
  }
}
