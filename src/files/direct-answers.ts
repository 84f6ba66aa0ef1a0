import type { Disposable } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { ChunkId } from './chunk-id.ts'
import { ContentError } from './content-error.ts'
import type { DirectFrame } from './direct-frame.ts'
import type { Stretch } from './file-peer-contract.ts'

/** Calls that wait to be answered, at most; a device that asks for more at once is none of ours. */
export const MAX_REQUESTS = 256
/** Chunks read from the disk before they can be sent. */
const READ_AHEAD = 4
/** With more calls than these, each is read only when its turn comes. */
const MANY_REQUESTS = 16

interface Request {
  readonly request: number
  readonly ids: readonly ChunkId[]
  frame(id: ChunkId): Promise<Uint8Array>
  readonly reading: Promise<Uint8Array>[]
  next: number
  sent: number
}

/** What is sent for a call: the chunks of a stretch first to be named. @throws ContentError `dataset/locked` */
export type AnswerCall = (
  dataset: string,
  ids: readonly ChunkId[],
  stretch: Stretch | undefined,
) => Promise<{ readonly more: readonly ChunkId[]; frame(id: ChunkId): Promise<Uint8Array> }>

export interface DirectAnswersOptions {
  readonly answer: AnswerCall
  readonly logger: Logger
  /** May a part be sent now? */
  readonly room: () => boolean
  /** Bytes of the next part. */
  readonly partBytes: () => number
  readonly send: (frame: DirectFrame) => void
}

/** What the other side asked for over a direct path, sent a chunk of each call in turn, as fast as there is room. */
export class DirectAnswers implements Disposable {
  readonly #options: DirectAnswersOptions
  readonly #requests = new Map<number, Request | undefined>()
  /** Cancelled, but still at work on the disk: they count. */
  #ending = 0
  #lastRequest = -1
  #isRunning = false
  #isDisposed = false
  #wake: (() => void) | undefined

  constructor(options: DirectAnswersOptions) {
    this.#options = options
  }

  /** @throws ContentError `content/malformed` */
  add({ request, dataset, ids, stretch }: DirectFrame & { kind: 'want' }): void {
    if (request <= this.#lastRequest || this.#requests.size >= MAX_REQUESTS)
      throw new ContentError('content/malformed', 'a linked device asked for too much at once')
    this.#lastRequest = request
    if (this.#requests.size + this.#ending >= MAX_REQUESTS) return this.#options.send({ kind: 'end', request, messages: 0 })
    this.#requests.set(request, undefined)
    const isWanted = () => {
      if (this.#isDisposed || this.#requests.has(request)) return !this.#isDisposed
      this.#ending--
      return false
    }
    this.#options.answer(dataset, ids, stretch).then(
      ({ more, frame }) => {
        if (!isWanted()) return
        if (stretch) this.#options.send({ kind: 'more', request, ids: more })
        this.#requests.set(request, { request, ids: [...ids, ...more], frame, reading: [], next: 0, sent: 0 })
        void this.#run()
      },
      () => isWanted() && this.#end(request), // it is not open here: nothing comes
    )
  }

  cancel(request: number): void {
    if (!this.#requests.has(request)) return
    const one = this.#requests.get(request)
    this.#requests.delete(request)
    this.#ending++ // until the answer is there, or what it reads
    if (one) void Promise.allSettled(one.reading).then(() => this.#ending--)
  }

  /** There may be room. */
  go(): void {
    if (this.#wake && this.#options.room()) this.#wake()
  }

  dispose(): void {
    this.#isDisposed = true
    this.#requests.clear()
    this.#wake?.()
  }

  #end(request: number): void {
    const messages = this.#requests.get(request)?.sent ?? 0
    if (this.#requests.delete(request) && !this.#isDisposed) this.#options.send({ kind: 'end', request, messages })
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    for (let one = this.#ready(); one; one = this.#ready()) {
      try {
        await this.#sendChunk(one)
      } catch (error) {
        this.#options.logger.warn('chunks could not be sent', { error: errorMessage(error) })
        this.#end(one.request)
      }
      if (this.#requests.get(one.request) !== one) continue
      this.#requests.delete(one.request)
      this.#requests.set(one.request, one) // the others first
      if (one.sent >= one.ids.length) this.#end(one.request)
    }
    this.#isRunning = false
  }

  #ready(): Request | undefined {
    for (const one of this.#requests.values()) if (one) return one
    return undefined
  }

  async #sendChunk(one: Request): Promise<void> {
    const depth = this.#requests.size > MANY_REQUESTS ? 1 : READ_AHEAD
    for (; one.reading.length < depth && one.next < one.ids.length; one.next++) {
      const frame = one.frame(one.ids[one.next] as ChunkId)
      frame.catch(() => {}) // who waits for it hears why
      one.reading.push(frame)
    }
    const frame = await (one.reading.shift() as Promise<Uint8Array>)
    const message = one.sent++
    for (let at = 0; at < frame.length; ) {
      while (!this.#options.room() && !this.#isDisposed) await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = undefined
      if (this.#isDisposed || this.#requests.get(one.request) !== one) return
      const bytes = frame.subarray(at, at + this.#options.partBytes())
      this.#options.send({ kind: 'part', request: one.request, message, total: frame.length, at, bytes })
      at += bytes.length
    }
  }
}
