import { Emitter } from '../../base/emitter.ts'
import { errorCode } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { encodeChunkFrame } from '../chunk-frame.ts'
import type { ChunkId, SealedChunk } from '../chunk-id.ts'
import type { ChunkFlow, ChunkPeer } from '../chunk-peer.ts'
import type { BucketContents } from './bucket-contents.ts'
import type { ChunkPlace } from './chunk-places.ts'
import type { BucketSeal } from './bucket-seal.ts'
import type { ObjectStore } from './object-store.ts'

export interface BucketPeerOptions {
  readonly objects: ObjectStore
  readonly seal: BucketSeal
  readonly contents: BucketContents
  readonly isGenuine: (chunk: SealedChunk) => boolean
  /** A pack did not hold what its index says. */
  readonly distrust: (pack: string) => void
  readonly failed: (error: unknown) => void
  /** Resolves when it is known what lies where; false: it was closed before. */
  readonly isReady: () => Promise<boolean>
  /** Others have the loop. Rejects when it is time to stop. */
  readonly pause: () => Promise<void>
  readonly logger: Logger
}

/** Read in one request, with what lies between. */
const MAX_RUN_BYTES = 4 * 1024 * 1024
const MAX_GAP_BYTES = 64 * 1024
const REQUESTS_AT_ONCE = 4

interface Run {
  readonly pack: string
  readonly offset: number
  end: number
  readonly places: ChunkPlace[]
}

/** The bucket as one more device that has chunks: asked when no linked device brings them (rule BK5). */
export class BucketPeer implements ChunkPeer {
  readonly device = 'bucket'
  readonly isLast = true
  readonly #options: BucketPeerOptions

  constructor(options: BucketPeerOptions) {
    this.#options = options
  }

  ask(ids: readonly ChunkId[], signal: AbortSignal): Promise<{ readonly flow: ChunkFlow; readonly more: readonly ChunkId[] }> {
    const received = new Emitter<Uint8Array>()
    const closed = new Emitter<{ readonly reason: string }>()
    const stop = new AbortController()
    signal.addEventListener('abort', () => stop.abort())
    const flow = { onDidReceive: received.event, onDidClose: closed.event, dispose: () => stop.abort() }
    const send = (id: ChunkId, chunk: SealedChunk | undefined) => {
      if (!stop.signal.aborted) received.fire(encodeChunkFrame(id, chunk))
    }
    // Whoever asks listens first.
    queueMicrotask(() =>
      queueMicrotask(
        () =>
          void this.#bring(ids, send, stop.signal).finally(() => {
            closed.fire({ reason: '' })
            received.dispose()
            closed.dispose()
          }),
      ),
    )
    return Promise.resolve({ flow, more: [] })
  }

  /** One chunk, checked; undefined: not there. @throws BucketError */
  async read(place: ChunkPlace, signal?: AbortSignal): Promise<SealedChunk | undefined> {
    const { objects, seal, isGenuine, distrust } = this.#options
    const bytes = await objects.get(seal.at('p', place.pack), place.offset, place.bytes, signal)
    const chunk = bytes && { id: place.id, epoch: place.epoch, bytes }
    if (chunk && bytes.length === place.bytes && isGenuine(chunk)) return chunk
    distrust(place.pack)
    return undefined
  }

  /** Which of them are there, and genuine? A pack that gives other bytes is distrusted, and no more of it is read. @throws BucketError */
  async prove(places: readonly ChunkPlace[], signal?: AbortSignal): Promise<ReadonlySet<ChunkId>> {
    const { objects, seal, isGenuine, distrust, pause } = this.#options
    const proven = new Set<ChunkId>()
    const wrong = new Set<string>()
    for (const { pack, offset, end, places: inRun } of runsOf(places)) {
      if (wrong.has(pack)) continue
      const bytes = await objects.get(seal.at('p', pack), offset, end - offset, signal)
      for (const { id, epoch, bytes: length, offset: at } of inRun) {
        const part = bytes?.subarray(at - offset, at - offset + length)
        if (part?.length === length && isGenuine({ id, epoch, bytes: part })) proven.add(id)
        else wrong.add(pack)
      }
      if (wrong.has(pack)) distrust(pack)
      await pause() // each was opened
    }
    return proven
  }

  async #bring(ids: readonly ChunkId[], send: (id: ChunkId, chunk: SealedChunk | undefined) => void, signal: AbortSignal): Promise<void> {
    if (!(await this.#options.isReady())) return
    const places: ChunkPlace[] = []
    for (const id of ids) {
      const place = this.#options.contents.placeOf(id)
      if (place) places.push(place)
      else send(id, undefined)
    }
    const runs = runsOf(places)
    const worker = async () => {
      for (let run = runs.shift(); run && !signal.aborted; run = runs.shift()) await this.#bringRun(run, send, signal)
    }
    await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker))
  }

  async #bringRun(run: Run, send: (id: ChunkId, chunk: SealedChunk | undefined) => void, signal: AbortSignal): Promise<void> {
    const { objects, seal, isGenuine, distrust, failed, logger } = this.#options
    let bytes: Uint8Array | undefined
    try {
      bytes = await objects.get(seal.at('p', run.pack), run.offset, run.end - run.offset, signal)
      if (!bytes) distrust(run.pack)
    } catch (error) {
      if (!signal.aborted) {
        failed(error)
        logger.debug('the bucket could not be asked for chunks', { code: errorCode(error) })
      }
    }
    for (const { id, epoch, offset, bytes: length } of run.places) {
      const from = offset - run.offset
      const chunk = bytes && bytes.length >= from + length ? { id, epoch, bytes: bytes.slice(from, from + length) } : undefined
      const isGood = chunk !== undefined && isGenuine(chunk)
      if (bytes && !isGood) distrust(run.pack)
      send(id, isGood ? chunk : undefined)
    }
  }
}

function runsOf(places: readonly ChunkPlace[]): Run[] {
  const runs: Run[] = []
  for (const place of places.toSorted((a, b) => (a.pack < b.pack ? -1 : a.pack > b.pack ? 1 : a.offset - b.offset))) {
    const last = runs.at(-1)
    const end = place.offset + place.bytes
    if (last && last.pack === place.pack && place.offset - last.end <= MAX_GAP_BYTES && end - last.offset <= MAX_RUN_BYTES) {
      last.end = Math.max(last.end, end)
      last.places.push(place)
    } else runs.push({ pack: place.pack, offset: place.offset, end, places: [place] })
  }
  return runs
}
