import type { Clock } from '../base/clock.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { decodeChunkFrame } from './chunk-frame.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import { ContentError } from './content-error.ts'
import type { ChunkSource } from './content-reader.ts'
import { MAX_WANTED_CHUNKS } from './file-peer-contract.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'

/** A linked device that can be asked for chunks. */
export interface ChunkPeer {
  readonly device: string
  /** Opens a channel on which the chunks come. */
  ask(ids: readonly ChunkId[], signal: AbortSignal): Promise<ByteChannel>
}

/** A source that sends nothing for this long is joined by the next one (issue 4: under 500 ms). */
const STALL_MS = 400
/** Weight of the newest measurement. */
const SMOOTHING = 0.3
/** A device that failed is asked after the others for this long. */
const SHUN_MS = 5_000

interface Source {
  readonly peer: ChunkPeer
  /** Smoothed ms from asking to the first byte. */
  delayMs: number
  shunnedUntilMs: number
  waiting: Map<ChunkId, Wanted>
  isScheduled: boolean
}

interface Wanted {
  take(chunk: SealedChunk | undefined): void
  readonly signal: AbortSignal
}

/**
 * Chunks from linked devices: the one that answered fastest first, the next one beside it when nothing comes, or at once when
 * it has not got it. What is asked for in one turn of the loop goes in one call. What is not the chunk that was asked for counts as nothing.
 */
export class PeerChunks implements ChunkSource {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #sources = new Map<string, Source>()

  readonly #isGenuine: (chunk: SealedChunk) => boolean

  /** `isGenuine` opens a chunk: whoever sends another one is asked after the others from then on. */
  constructor(clock: Clock, logger: Logger, isGenuine: (chunk: SealedChunk) => boolean) {
    this.#clock = clock
    this.#logger = logger
    this.#isGenuine = isGenuine
  }

  add(peer: ChunkPeer): void {
    this.#sources.set(peer.device, { peer, delayMs: 0, shunnedUntilMs: 0, waiting: new Map(), isScheduled: false })
  }

  remove(peer: ChunkPeer): void {
    const source = this.#sources.get(peer.device)
    if (source?.peer !== peer) return
    this.#sources.delete(peer.device)
    for (const wanted of source.waiting.values()) wanted.take(undefined)
  }

  get isAlone(): boolean {
    return this.#sources.size === 0
  }

  /** What came from a device was not what it said: others first. */
  shun(device: string): void {
    const source = this.#sources.get(device)
    if (source) source.shunnedUntilMs = this.#clock.nowMs() + SHUN_MS
  }

  fetch(id: ChunkId, signal?: AbortSignal): Promise<SealedChunk | undefined> {
    const order = this.#order()
    if (order.length === 0) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const stop = new AbortController()
      let [next, open, isDone] = [0, 0, false]
      let stall: ReturnType<Clock['after']> | undefined
      const end = () => {
        isDone = true
        stall?.dispose()
        signal?.removeEventListener('abort', cancel)
        stop.abort()
      }
      const cancel = () => {
        end()
        reject(signal?.reason)
      }
      const askNext = () => {
        stall?.dispose()
        const source = order[next++]
        if (!source) return
        open++
        if (next < order.length) stall = this.#clock.after(STALL_MS, askNext)
        this.#ask(source, id, {
          signal: stop.signal,
          take: (chunk) => {
            open--
            if (isDone) return
            if (chunk) {
              end()
              resolve(chunk)
            } else if (next < order.length) askNext()
            else if (open === 0) {
              end()
              resolve(undefined)
            }
          },
        })
      }
      if (signal?.aborted) return cancel()
      signal?.addEventListener('abort', cancel)
      askNext()
    })
  }

  #order(): Source[] {
    const nowMs = this.#clock.nowMs()
    const rank = (source: Source) => (source.shunnedUntilMs > nowMs ? 1e9 : 0) + source.delayMs
    return [...this.#sources.values()].sort((a, b) => rank(a) - rank(b))
  }

  #ask(source: Source, id: ChunkId, wanted: Wanted): void {
    const other = source.waiting.get(id)
    source.waiting.set(id, other ? { signal: wanted.signal, take: (chunk) => [other, wanted].map(({ take }) => take(chunk)) } : wanted)
    if (source.isScheduled) return
    source.isScheduled = true
    queueMicrotask(() => {
      source.isScheduled = false
      const all = [...source.waiting]
      source.waiting = new Map()
      for (let at = 0; at < all.length; at += MAX_WANTED_CHUNKS) void this.#send(source, new Map(all.slice(at, at + MAX_WANTED_CHUNKS)))
    })
  }

  async #send(source: Source, wanted: Map<ChunkId, Wanted>): Promise<void> {
    const stop = new AbortController()
    const giveUp = () => {
      for (const { take } of wanted.values()) take(undefined)
      wanted.clear()
    }
    try {
      const askedMs = this.#clock.monotonicMs()
      const channel = await source.peer.ask([...wanted.keys()], stop.signal)
      let isFirst = true
      channel.onDidReceive((frame) => {
        try {
          const { id, chunk } = decodeChunkFrame(frame)
          if (isFirst) source.delayMs += SMOOTHING * (this.#clock.monotonicMs() - askedMs - source.delayMs)
          isFirst = false
          if (chunk && wanted.has(id) && !this.#isGenuine(chunk))
            throw new ContentError('chunk/damaged', 'bytes that are not the chunk asked for')
          wanted.get(id)?.take(chunk)
          wanted.delete(id)
          if (wanted.size === 0) channel.dispose()
        } catch (error) {
          this.#logger.warn('a device sent no chunks', { device: source.peer.device, error: errorMessage(error) })
          this.shun(source.peer.device)
          channel.dispose()
          giveUp()
        }
      })
      channel.onDidClose(giveUp)
    } catch (error) {
      this.#logger.debug('a device could not be asked for chunks', { device: source.peer.device, error: errorMessage(error) })
      this.shun(source.peer.device)
      giveUp()
    }
  }
}
