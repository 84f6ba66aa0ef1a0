import type { Clock } from '../../base/clock.ts'
import type { ChunkId, SealedChunk } from '../chunk-id.ts'
import type { ChunkStore } from '../chunk-store.ts'
import type { PeerChunks } from '../peer-chunks.ts'
import { type BucketContents, type KnownPack, NOT_TOLD } from './bucket-contents.ts'
import { type BucketReadBack, wrongBytes } from './bucket-read-back.ts'
import type { BucketSeal } from './bucket-seal.ts'
import { BucketUpload, type BucketUploadOptions, PACK_BYTES } from './bucket-upload.ts'
import type { LiveChunks } from './live-chunks.ts'
import type { ObjectStore } from './object-store.ts'
import { MAX_PACKED_CHUNKS, type PackedChunk } from './pack-index.ts'
import { smallOnes } from './small-ones.ts'

export interface BucketSenderParts extends Omit<BucketUploadOptions, 'read' | 'sent'> {
  readonly objects: ObjectStore
  readonly seal: BucketSeal
  readonly contents: BucketContents
  readonly readBack: BucketReadBack
  readonly chunks: ChunkStore
  readonly source: PeerChunks
  readonly isGenuine: (chunk: SealedChunk) => boolean
  readonly clock: Clock
  /** What is to go is less. */
  readonly changed: () => void
  /** Throws when it is time to stop. */
  readonly check: () => void
}

const PEER_MS = 30_000
/** So long a device has to send what it wrote before others do. */
export const OTHERS_MS = 60_000

/** Sends the chunks that a bucket has not, in packs, each read back before its index says what is in it (rules BK4, BK6). */
export class BucketSender {
  readonly #parts: BucketSenderParts
  readonly #upload: BucketUpload
  /** Since when chunks are missing that another device wrote. */
  readonly #waitedFor = new Map<ChunkId, number>()
  #todo = { chunks: 0, bytes: 0, away: 0 }
  #sentBytes = 0

  constructor(parts: BucketSenderParts) {
    this.#parts = parts
    this.#upload = new BucketUpload({ ...parts, read: (id) => this.#read(id), sent: (chunks) => this.#noteSent(chunks) })
  }

  get upload(): BucketUpload {
    return this.#upload
  }

  /** Still to be sent, and what nobody has now. */
  get todo(): { readonly chunks: number; readonly bytes: number; readonly away: number } {
    return this.#todo
  }

  get sentBytes(): number {
    return this.#sentBytes
  }

  /** @returns whether something waits for the device that wrote it @throws BucketError */
  async send({ ids: live, own }: LiveChunks): Promise<boolean> {
    const { contents, chunks, changed } = this.#parts
    await this.#tellMarks()
    const missing = [...live].filter((id) => !contents.holds(id))
    const wanted = new Set(missing.filter((id) => own.has(id) || this.#isDue(id)))
    for (const id of this.#waitedFor.keys()) if (!live.has(id) || contents.holds(id)) this.#waitedFor.delete(id)
    const isWaiting = wanted.size < missing.length
    const underWay = this.#upload.underWay
    this.#todo = { chunks: 0, bytes: 0, away: 0 }
    for (const id of wanted) {
      if (underWay.has(id)) continue
      this.#todo.chunks++
      this.#todo.bytes += chunks.bytesOf(id)
    }
    changed()
    while (await this.#sendPack(wanted)) changed()
    this.#todo = { chunks: 0, bytes: 0, away: [...live].filter((id) => !contents.holds(id)).length }
    return isWaiting
  }

  /**
   * Makes one pack of many small ones that this device put (rule BK9). It is read back as any; then it is the one that all devices
   * count, and tidying marks the others, whose bytes stay for an hour more. @throws BucketError
   */
  async merge(live: ReadonlySet<ChunkId>): Promise<void> {
    const { contents, packBytes = PACK_BYTES } = this.#parts
    const own = [...contents.packs.values()].filter(
      ({ name }) => contents.isOwn(name) && contents.isRead(name) && !contents.marks.has(name),
    )
    const shareOf = ({ bytes, chunks }: KnownPack) => Math.max(bytes / packBytes, chunks.length / MAX_PACKED_CHUNKS)
    const ids = smallOnes(own, shareOf).flatMap(({ name, chunks }) =>
      chunks.flatMap(({ id }) => (live.has(id) && contents.placeOf(id)?.pack === name ? [id] : [])),
    )
    const wanted = new Set(ids)
    while (wanted.size > 0 && (await this.#sendPack(wanted))) this.#parts.changed()
  }

  async #tellMarks(): Promise<void> {
    const { objects, seal, contents, clock } = this.#parts
    for (const [name, sinceMs] of [...contents.marks]) {
      if (sinceMs !== NOT_TOLD) continue
      await objects.put(seal.at('d', name), new Uint8Array(1))
      contents.mark(name, clock.nowMs())
    }
  }

  /** False: there is nothing left that can be sent. */
  async #sendPack(wanted: Set<ChunkId>): Promise<boolean> {
    const { objects, seal, contents, readBack, check } = this.#parts
    const pack = await this.#upload.sendPack(wanted)
    if (!pack) return false
    check()
    if (!(await readBack.isGood(pack.name, pack.chunks))) {
      await objects.remove(seal.at('p', pack.name)) // nobody knows of it yet
      contents.forget(pack.name)
      this.#upload.done()
      throw wrongBytes()
    }
    await readBack.putIndex(pack.name, pack.chunks)
    contents.addOwnPack(pack.name, pack.chunks)
    this.#upload.done()
    return true
  }

  /** What another device wrote it most likely sends itself. */
  #isDue(id: ChunkId): boolean {
    const nowMs = this.#parts.clock.nowMs()
    const sinceMs = this.#waitedFor.get(id) ?? nowMs
    this.#waitedFor.set(id, sinceMs)
    return nowMs - sinceMs >= OTHERS_MS
  }

  #noteSent(chunks: readonly PackedChunk[]): void {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
    this.#sentBytes += bytes
    const { chunks: count, bytes: left, away } = this.#todo
    this.#todo = { chunks: Math.max(0, count - chunks.length), bytes: Math.max(0, left - bytes), away }
    this.#parts.changed()
    this.#parts.check()
  }

  /** Of this device, else of a linked one, else out of a pack that is to go. */
  async #read(id: ChunkId): Promise<SealedChunk | undefined> {
    const { chunks, source, contents, isGenuine, check } = this.#parts
    check()
    const held = await chunks.get(id)
    if (held && isGenuine(held)) return held
    if (source.isAlone && !contents.placeOf(id)) return undefined
    return source.fetch(id, AbortSignal.timeout(PEER_MS)).catch(() => undefined)
  }
}
