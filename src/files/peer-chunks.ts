import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { decodeChunkFrame } from './chunk-frame.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import { type ChunkPeer, MeasuredSource } from './chunk-peer.ts'
import { ContentError } from './content-error.ts'
import type { ChunkSource } from './content-reader.ts'
import { MAX_STRETCH_CHUNKS, MAX_WANTED_CHUNKS, type Stretch } from './file-peer-contract.ts'

/** A source that sends nothing for this long is joined by the next one (issue 4: under 500 ms). */
export const STALL_MS = 400
/** However much else it sends meanwhile: a chunk is asked of the next one after this, or LATE times what its queue takes. */
const LONGEST_MS = 4_000
const LATE = 3
/** And after this at the latest: what a device says its pace is may be long, and another one may be idle. */
const MOST_LATE_MS = 20_000
/**
 * When all who might have a chunk are silent for so long, it is not to be had now: a minute, for a chunk of 256 KiB takes 21 s on an
 * uplink of 0.1 Mbit/s. However much else they send: ten minutes, in which that brings a whole call.
 */
export const GIVE_UP_MS = 60_000
const LONGEST_ASKED_MS = 600_000
/** What came unasked for one by one, as part of a stretch, waits this long for its reader. */
const EARLY_KEPT_MS = 5_000

/** Without it each chunk that comes makes an error with its stack, for nobody. */
const DONE = 'it is here, or nobody wants it'

interface Early {
  readonly source: MeasuredSource
  readonly chunk: Promise<SealedChunk | undefined>
}

interface Wanted {
  take(chunk: SealedChunk | undefined): void
  readonly signal?: AbortSignal
}

/**
 * Chunks from linked devices: each of the one that would bring it first, by measured delay and rate and what it owes already, so
 * that several bring a file together; the next one beside it when nothing comes, or at once when it has not got it; when all are
 * silent on and on, it is not to be had. What is asked for in one turn of the loop goes in one call. What was not asked for ends
 * the call, and is no sign of life.
 */
export class PeerChunks implements ChunkSource, Disposable {
  readonly #owned = new DisposableStore()
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #sources = new Map<string, MeasuredSource>()
  readonly #waiting = new Map<MeasuredSource, Map<ChunkId, Wanted[]>>()
  /** What a device said it sends with a list, before anybody asked for it. */
  readonly #early = new Map<ChunkId, Early>()
  readonly #isGenuine: (chunk: SealedChunk) => boolean

  /** `isGenuine` opens a chunk: whoever sends another one is asked after the others from then on. */
  constructor(clock: Clock, logger: Logger, isGenuine: (chunk: SealedChunk) => boolean) {
    this.#clock = clock
    this.#logger = logger
    this.#isGenuine = isGenuine
  }

  add(peer: ChunkPeer): void {
    this.#sources.set(peer.device, new MeasuredSource(peer, this.#clock))
  }

  remove(peer: ChunkPeer): void {
    const source = this.#sources.get(peer.device)
    if (source?.peer !== peer) return
    this.#sources.delete(peer.device)
    const waiting = this.#waiting.get(source)
    if (!waiting) return
    this.#waiting.delete(source)
    const takers = [...waiting.values()].flat()
    waiting.clear() // it is not asked any more, so that each is told once
    for (const { take } of takers) take(undefined)
  }

  dispose(): void {
    for (const { peer } of [...this.#sources.values()]) this.remove(peer)
    this.#owned.dispose()
    this.#early.clear()
  }

  get isAlone(): boolean {
    return this.#sources.size === 0
  }

  /** What came from a device was not what it said: others first. */
  shun(device: string): void {
    this.#sources.get(device)?.shun()
  }

  async fetch(id: ChunkId, signal?: AbortSignal): Promise<SealedChunk | undefined> {
    const early = this.#early.get(id)
    this.#early.delete(id)
    return (early && (await this.#soon(early, signal))) ?? (await this.#fetch(id, signal))
  }

  /** These lists are wanted and then what they say lies in a stretch: one device is asked for all of it in one round trip. */
  fetchStretch(lists: readonly ChunkId[], stretch: Stretch, signal?: AbortSignal): void {
    const source = this.#best(new Set())
    if (!source || lists.length + MAX_STRETCH_CHUNKS > MAX_WANTED_CHUNKS || lists.some((id) => this.#early.has(id))) return
    const wanted = new Map<ChunkId, Wanted[]>()
    const expect = (id: ChunkId): void => {
      if (wanted.has(id) || this.#early.has(id)) return
      const chunk = new Promise<SealedChunk | undefined>((resolve) => {
        const take = (it: SealedChunk | undefined) => {
          if (!it) forget()
          resolve(it)
        }
        wanted.set(id, [{ take, ...(signal && { signal }) }])
      })
      const early = { source, chunk }
      const forget = () => this.#early.get(id) === early && this.#early.delete(id)
      this.#early.set(id, early)
      const timer = this.#owned.add(
        this.#clock.after(EARLY_KEPT_MS, () => {
          this.#owned.release(timer)
          forget()
        }),
      )
    }
    for (const id of lists) expect(id)
    void this.#send(source, wanted, { stretch, expect })
  }

  #fetch(id: ChunkId, signal?: AbortSignal): Promise<SealedChunk | undefined> {
    if (this.#sources.size === 0) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const stop = new AbortController()
      const asked = new Set<MeasuredSource>()
      /** Those that have not answered, and since when. */
      const silent = new Map<MeasuredSource, number>()
      let [open, isDone] = [0, false]
      let stall: ReturnType<Clock['after']> | undefined
      const end = () => {
        isDone = true
        stall?.dispose()
        signal?.removeEventListener('abort', cancel)
        stop.abort(DONE)
      }
      const cancel = () => {
        end()
        reject(signal?.reason)
      }
      const look = (source: MeasuredSource, askedMs: number, queue: number) => {
        const nowMs = this.#clock.monotonicMs()
        const quietMs = source.silentSinceMs + STALL_MS
        const lateMs = askedMs + lateAfterMs(source, queue)
        const waitMs = Math.min(quietMs, lateMs) - nowMs
        const again = (afterMs: number) => (stall = this.#clock.after(afterMs, () => look(source, askedMs, queue)))
        if (waitMs > 0) again(waitMs)
        else if (askNext()) {
          if (quietMs <= nowMs) source.shun()
        } else if (![...silent].every(([it, sinceMs]) => isGivenUp(it, sinceMs, nowMs)))
          again(STALL_MS) // another device may come meanwhile
        else {
          for (const it of silent.keys()) it.shun()
          end()
          resolve(undefined)
        }
      }
      const askNext = (): boolean => {
        const source = this.#best(asked)
        if (!source) return false
        stall?.dispose()
        open++
        asked.add(source)
        silent.set(source, this.#clock.monotonicMs())
        this.#ask(source, id, {
          signal: stop.signal,
          take: (chunk) => {
            open--
            silent.delete(source)
            if (isDone) return
            if (chunk) {
              end()
              resolve(chunk)
            } else if (!askNext() && open === 0) {
              end()
              resolve(undefined)
            }
          },
        })
        const [askedMs, queue] = [this.#clock.monotonicMs(), source.owed]
        stall = this.#clock.after(STALL_MS, () => look(source, askedMs, queue))
        return true
      }
      if (signal?.aborted) return cancel()
      signal?.addEventListener('abort', cancel)
      askNext()
    })
  }

  /** What is on its way, unless its source falls silent; then it is asked for as anything else. */
  #soon({ source, chunk }: Early, signal: AbortSignal | undefined): Promise<SealedChunk | undefined> {
    return new Promise((resolve, reject) => {
      let stall: ReturnType<Clock['after']> | undefined
      const lateMs = this.#clock.monotonicMs() + lateAfterMs(source, source.owed)
      const look = () => {
        const waitMs = Math.min(source.silentSinceMs + STALL_MS, lateMs) - this.#clock.monotonicMs()
        if (waitMs > 0) stall = this.#clock.after(waitMs, look)
        else end(undefined)
      }
      const cancel = () => {
        stall?.dispose()
        reject(signal?.reason)
      }
      const end = (it: SealedChunk | undefined) => {
        stall?.dispose()
        signal?.removeEventListener('abort', cancel)
        resolve(it)
      }
      if (signal?.aborted) return cancel()
      signal?.addEventListener('abort', cancel)
      look()
      void chunk.then(end)
    })
  }

  /** Who would bring a chunk first. */
  #best(without: ReadonlySet<MeasuredSource>): MeasuredSource | undefined {
    let best: MeasuredSource | undefined
    for (const source of this.#sources.values()) if (!without.has(source) && (!best || source.costMs < best.costMs)) best = source
    return best
  }

  #ask(source: MeasuredSource, id: ChunkId, wanted: Wanted): void {
    const waiting = this.#waiting.get(source) ?? new Map<ChunkId, Wanted[]>()
    const takers = waiting.get(id)
    if (!takers) source.owe(1)
    waiting.set(id, [...(takers ?? []), wanted])
    if (this.#waiting.has(source)) return
    this.#waiting.set(source, waiting)
    queueMicrotask(() => {
      const all = [...waiting]
      this.#waiting.delete(source)
      source.owe(-all.length) // `#send` counts them from here on
      for (let at = 0; at < all.length; at += MAX_WANTED_CHUNKS) void this.#send(source, new Map(all.slice(at, at + MAX_WANTED_CHUNKS)))
    })
  }

  async #send(
    source: MeasuredSource,
    wanted: Map<ChunkId, Wanted[]>,
    more?: { readonly stretch: Stretch; readonly expect: (id: ChunkId) => void },
  ): Promise<void> {
    const stop = new AbortController()
    const settle = (id: ChunkId, chunk: SealedChunk | undefined): void => {
      const takers = wanted.get(id)
      if (!takers) return
      wanted.delete(id)
      source.owe(-1)
      for (const { take } of takers) take(chunk)
    }
    const giveUp = () => {
      for (const id of [...wanted.keys()]) settle(id, undefined)
    }
    const isUnwanted = () => [...wanted.values()].every((takers) => takers.every(({ signal }) => signal?.aborted))
    for (const takers of wanted.values()) {
      for (const { signal } of takers) signal?.addEventListener('abort', () => wanted.size > 0 && isUnwanted() && stop.abort())
    }
    source.owe(wanted.size)
    try {
      const askedMs = this.#clock.monotonicMs()
      const { flow, more: named } = await source.peer.ask([...wanted.keys()], stop.signal, more?.stretch)
      const before = wanted.size
      const mayCome = new Set([...wanted.keys(), ...(more ? named : [])])
      if (more) for (const id of named.slice(0, MAX_STRETCH_CHUNKS)) more.expect(id)
      source.owe(wanted.size - before)
      let isFirst = true
      flow.onDidReceive((frame) => {
        try {
          const { id, chunk } = decodeChunkFrame(frame)
          if (!mayCome.has(id)) throw new ContentError('chunk/damaged', 'a chunk that nobody asked for')
          if (!wanted.has(id)) return // it came already
          if (isFirst) source.answered(this.#clock.monotonicMs() - askedMs)
          isFirst = false
          source.received(chunk ? frame.length : 0)
          if (chunk && !this.#isGenuine(chunk)) throw new ContentError('chunk/damaged', 'bytes that are not the chunk asked for')
          settle(id, chunk)
          if (wanted.size === 0) flow.dispose()
        } catch (error) {
          this.#logger.warn('a device sent no chunks', { device: source.peer.device, error: errorMessage(error) })
          source.shun()
          flow.dispose()
          giveUp()
        }
      })
      flow.onDidClose(giveUp)
      if (stop.signal.aborted) flow.dispose()
      else stop.signal.addEventListener('abort', () => flow.dispose())
    } catch (error) {
      if (!stop.signal.aborted) {
        this.#logger.debug('a device could not be asked for chunks', { device: source.peer.device, error: errorMessage(error) })
        source.shun()
      }
      giveUp()
    }
  }
}

/** From when on a chunk behind so many others of a source is asked of another one, too. */
const lateAfterMs = (source: MeasuredSource, queue: number): number =>
  Math.min(MOST_LATE_MS, Math.max(LONGEST_MS, LATE * source.takesMs(queue)))

const isGivenUp = (source: MeasuredSource, sinceMs: number, nowMs: number): boolean =>
  nowMs >= Math.min(Math.max(source.silentSinceMs, sinceMs) + GIVE_UP_MS, sinceMs + LONGEST_ASKED_MS)
