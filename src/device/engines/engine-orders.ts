import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { Logger } from '../../base/logger.ts'
import type { Engine } from '../../jobs/engines/engine.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

/** Ends that could not be ordered are ordered again, each time after twice as long. */
const END_AGAIN_MS = 5_000
const MAX_END_AGAIN_MS = 300_000
const ENDS = 'engine-ends'
/** Attempts that may have been taken, with the time they were sent. */
const SUBMITS = 'engine-submits'
/** One that was sent and is not seen so long after was not taken. */
const UNCLEAR_MS = 120_000

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const bytesOf = (of: string): Uint8Array => new TextEncoder().encode(of)

/** Attempts whose end waits to be ordered. */
export const waitingEnds = (values: KeyValueStore): readonly string[] => values.entries(ENDS).map(([attempt]) => attempt)

export interface EngineOrdersOptions {
  readonly clock: Clock
  readonly log: Logger
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
  /**
   * The engine that an attempt was sent to, and what it is called there where that is known. `wait`: none here opens that place, and it
   * may come back; `never`: it will not.
   */
  engineOf(attempt: string, name: string): { readonly engine: Engine; readonly id?: string | undefined } | 'wait' | 'never'
  /** Its end is ordered: nothing is kept of it any more. */
  onDidEnd(attempt: string): void
}

/**
 * What engines were told and have not confirmed, kept in the device's store: jobs that they may have taken, and ends that they were not
 * told of yet (rule EN4). A timer runs only while an end waits for an engine that is here.
 */
export class EngineOrders {
  readonly #options: EngineOrdersOptions
  /** Sent, and not answered yet. */
  readonly #inFlight = new Map<string, AbortController>()
  #isEnding = false
  /** While an order waits to be given again. */
  #ending: Disposable | undefined
  #againMs = END_AGAIN_MS

  constructor(options: EngineOrdersOptions) {
    this.#options = options
  }

  /** The desk, or an engine, is here from now on: orders that could not be given before are. */
  follow(desk: OpenDesk): void {
    this.#soon(desk)
  }

  /** The desk closes: what is being sent stops, for it goes along with the engine's key; after the unlock it is looked for by its name. */
  close(): void {
    this.#ending?.dispose()
    this.#ending = undefined
    for (const [attempt, sending] of this.#inFlight) {
      if (this.#deskNow()) this.#noteSubmit(attempt)
      sending.abort(new Error('the desk was locked while it was sent'))
    }
  }

  /**
   * Whether it was taken is known when `send` has answered or was refused; after an error with a code of which that is not so, its end
   * can be ordered all the same, and so while it is sent.
   */
  async submit<T>(attempt: string, isUnclear: (error: unknown) => boolean, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const sending = new AbortController()
    this.#inFlight.set(attempt, sending)
    this.#noteSubmit(attempt)
    try {
      const taken = await send(sending.signal)
      this.settle(attempt)
      return taken
    } catch (error) {
      if (!isUnclear(error)) this.settle(attempt)
      else if (this.#deskNow()) this.#noteSubmit(attempt) // from now on: sending took as long as the link is slow
      throw error
    } finally {
      this.#inFlight.delete(attempt)
    }
  }

  /** Whether it was taken is known. */
  settle(attempt: string): void {
    this.#deskNow()?.values.delete(SUBMITS, attempt)
  }

  /** It was sent a moment ago, or is being sent, and whether the engine took it is not known. */
  isUnclear(attempt: string): boolean {
    if (this.#inFlight.has(attempt)) return true
    const { clock, desk } = this.#options
    const { values } = desk()
    const kept = values.get(SUBMITS, attempt)
    if (!kept) return false
    if (Math.abs(clock.nowMs() - Number(text(kept))) < UNCLEAR_MS) return true
    values.delete(SUBMITS, attempt)
    return false
  }

  /** Kept first: it is ended, whenever the engine answers. @throws EngineError  it did not answer now, or is not here */
  async end(name: string, attempt: string, stranded: () => Error): Promise<void> {
    this.#options.desk().values.put(ENDS, attempt, bytesOf(name))
    this.#inFlight.get(attempt)?.abort(new Error('it was ended while it was sent'))
    try {
      const there = this.#options.engineOf(attempt, name)
      if (typeof there === 'string') throw stranded()
      await this.#endOne(there, attempt)
    } finally {
      this.#againMs = END_AGAIN_MS
      this.#soon(this.#deskNow())
    }
  }

  #noteSubmit(attempt: string): void {
    const { clock, desk } = this.#options
    desk().values.put(SUBMITS, attempt, bytesOf(String(clock.nowMs())))
  }

  async #endOne({ engine, id }: { readonly engine: Engine; readonly id?: string | undefined }, attempt: string): Promise<void> {
    const isKnown = await engine.cancel({ name: attempt, ...(id !== undefined && { id }) }, new AbortController().signal)
    if (!isKnown && this.isUnclear(attempt)) return // it may still come: ordered again
    this.#drop(this.#options.desk().values, attempt)
  }

  #drop(values: KeyValueStore, attempt: string): void {
    values.delete(ENDS, attempt)
    values.delete(SUBMITS, attempt)
    this.#options.onDidEnd(attempt)
  }

  /** Once, and only while there is something to order. */
  #soon(desk: OpenDesk | undefined): void {
    if (!desk || this.#ending || this.#isEnding || !this.#left(desk.values).some(([, there]) => typeof there === 'object')) return
    this.#ending = this.#options.clock.after(this.#againMs, () => {
      this.#ending = undefined
      void this.#endLeft().then((isAny) => {
        this.#againMs = isAny ? END_AGAIN_MS : Math.min(MAX_END_AGAIN_MS, this.#againMs * 2)
        this.#soon(this.#deskNow())
      })
    })
  }

  #left(values: KeyValueStore) {
    return values.entries(ENDS).map(([attempt, name]) => [attempt, this.#options.engineOf(attempt, text(name))] as const)
  }

  /** @returns one could be given. Never rejects */
  async #endLeft(): Promise<boolean> {
    const values = this.#deskNow()?.values
    if (this.#isEnding || !values) return false
    this.#isEnding = true
    let isAny = false
    try {
      for (const [attempt, there] of this.#left(values)) {
        if (this.#deskNow()?.values !== values) return isAny // locked meanwhile
        if (there === 'never') this.#drop(values, attempt)
        if (typeof there === 'string') continue
        try {
          await this.#endOne(there, attempt)
          isAny = true
        } catch (error) {
          const why = { attempt, code: errorCode(error), why: errorMessage(error) }
          this.#options.log.warn('the end of a job on an engine could not be ordered; it is ordered again', why)
        }
      }
    } finally {
      this.#isEnding = false
    }
    return isAny
  }

  #deskNow(): OpenDesk | undefined {
    try {
      return this.#options.desk()
    } catch {
      return undefined // locked
    }
  }
}
