import { concatBytes, fromUtf8, utf8 } from '../../base/bytes.ts'
import { errorCode } from '../../base/errors.ts'
import type { ChunkId, SealedChunk } from '../chunk-id.ts'
import type { DatasetStore } from '../dataset-store.ts'
import { BUCKET_UPLOAD } from './bucket-contents.ts'
import type { BucketSeal } from './bucket-seal.ts'
import type { ObjectStore } from './object-store.ts'
import { MAX_PACKED_CHUNKS, type PackedChunk } from './pack-index.ts'

/** A part is sent when so much is together; S3 asks for 5 MiB. */
export const PART_BYTES = 8 * 1024 * 1024
/** A pack is closed when it has so much. */
export const PACK_BYTES = 64 * 1024 * 1024

interface SentPart {
  readonly proof: string
  readonly chunks: readonly PackedChunk[]
}

/** A pack that is on its way: what a start after a cut goes on with. */
interface Running {
  readonly name: string
  readonly upload: string
  readonly parts: readonly SentPart[]
}

export interface BucketSizes {
  readonly partBytes?: number
  readonly packBytes?: number
  /** Of changes that wait for others, kept in memory. */
  readonly waitingBytes?: number | undefined
  /** Leaves a step out, for the test that must notice. */
  readonly without?: 'read-back' | 'proof' | undefined
}

export interface BucketUploadOptions extends BucketSizes {
  readonly objects: ObjectStore
  readonly seal: BucketSeal
  readonly store: DatasetStore
  /** A chunk that is to be sent; undefined: nobody has it now. */
  readonly read: (id: ChunkId) => Promise<SealedChunk | undefined>
  /** How much was sent. */
  readonly sent: (chunks: readonly PackedChunk[]) => void
}

/** Instead of an upload's name: the pack is there, and only its index is not yet. */
const WHOLE = ''
/** What will not go better when it is tried again with the same parts. */
const ENDS_UPLOAD: ReadonlySet<string> = new Set(['bucket/upload-gone', 'bucket/nonsense', 'bucket/not-found'])
const bytesOf = (chunks: readonly PackedChunk[]): number => chunks.reduce((sum, { bytes }) => sum + bytes, 0)
const [SPACE, KEY] = [BUCKET_UPLOAD, 'running']

/**
 * Sends chunks as packs, those of more than a part in parts. Each part that the bucket took is kept in writing before the next is
 * sent: after any cut it goes on there, and no chunk of it is sent again (rule BK4).
 */
export class BucketUpload {
  readonly #options: BucketUploadOptions

  constructor(options: BucketUploadOptions) {
    this.#options = options
  }

  /** Chunks that lie in a pack which is not complete yet. */
  get underWay(): ReadonlySet<ChunkId> {
    return new Set(this.#running()?.parts.flatMap(({ chunks }) => chunks.map(({ id }) => id)))
  }

  /** Is it the pack that is under way? */
  isRunning(name: string): boolean {
    return this.#running()?.name === name
  }

  /** One pack of what `wanted` names; what it holds is taken out of it. undefined: there was nothing to send. @throws BucketError */
  async sendPack(wanted: Set<ChunkId>): Promise<{ readonly name: string; readonly chunks: readonly PackedChunk[] } | undefined> {
    const { objects, seal, packBytes = PACK_BYTES, partBytes = PART_BYTES } = this.#options
    let running = this.#running()
    for (const { chunks } of running?.parts ?? []) for (const { id } of chunks) wanted.delete(id)
    if (running?.upload === WHOLE) return { name: running.name, chunks: running.parts.flatMap(({ chunks }) => chunks) }
    const chunksOf = () => running?.parts.flatMap(({ chunks }) => chunks) ?? []
    for (;;) {
      const before = chunksOf()
      const bytes = bytesOf(before)
      const last = running?.parts.at(-1)
      const isLast = last !== undefined && bytesOf(last.chunks) < partBytes // only the last part of an upload may be short
      const part = bytes < packBytes && !isLast ? await this.#gather(wanted, MAX_PACKED_CHUNKS - before.length) : undefined
      if (!part) break
      if (!running) {
        const name = seal.newName()
        if (wanted.size === 0) {
          await objects.put(seal.at('p', name), part.bytes)
          this.#keep({ name, upload: WHOLE, parts: [{ proof: '', chunks: part.chunks }] })
          this.#options.sent(part.chunks)
          return { name, chunks: part.chunks }
        }
        running = { name, upload: await objects.beginUpload(seal.at('p', name)), parts: [] }
        this.#keep(running)
      }
      const { name, upload, parts } = running
      const proof = await this.#guarded(() => objects.putPart(seal.at('p', name), upload, parts.length + 1, part.bytes))
      running = { name, upload, parts: [...parts, { proof, chunks: part.chunks }] }
      this.#keep(running)
      this.#options.sent(part.chunks)
    }
    if (!running || running.parts.length === 0) {
      if (running) await this.abandon()
      return undefined
    }
    const { name, parts } = running
    await this.#complete(running)
    this.#keep({ name, upload: WHOLE, parts })
    return { name, chunks: chunksOf() }
  }

  /** The pack that `sendPack` named is known for good. */
  done(): void {
    this.#options.store.putValue(SPACE, KEY, undefined)
  }

  /** Gives up what is under way. */
  async abandon(): Promise<void> {
    const running = this.#running()
    this.done()
    if (running && running.upload !== WHOLE)
      await this.#options.objects.abandonUpload(this.#options.seal.at('p', running.name), running.upload).catch(() => {})
  }

  /** A cut may have come between the end of an upload and its answer. */
  async #complete({ name, upload, parts }: Running): Promise<void> {
    const { objects, seal } = this.#options
    const key = seal.at('p', name)
    const bytes = bytesOf(parts.flatMap(({ chunks }) => chunks))
    try {
      await objects.completeUpload(
        key,
        upload,
        parts.map(({ proof }) => proof),
      )
    } catch (error) {
      if (!ENDS_UPLOAD.has(errorCode(error))) throw error
      if ((await objects.list(key)).get(key) === bytes) return
      await this.abandon()
      throw error
    }
  }

  /** The bucket forgot the upload (a rule of its own ends those that are old): it begins anew. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (errorCode(error) === 'bucket/upload-gone') this.done()
      throw error
    }
  }

  async #gather(wanted: Set<ChunkId>, atMost: number): Promise<{ bytes: Uint8Array; chunks: PackedChunk[] } | undefined> {
    const { read, partBytes = PART_BYTES } = this.#options
    const found: SealedChunk[] = []
    let bytes = 0
    for (const id of wanted) {
      if (bytes >= partBytes || found.length >= atMost) break
      wanted.delete(id)
      const chunk = await read(id)
      if (!chunk) continue
      found.push(chunk)
      bytes += chunk.bytes.length
    }
    if (found.length === 0) return undefined
    const chunks = found.map(({ id, epoch, bytes: { length } }) => ({ id, epoch, bytes: length }))
    return { bytes: concatBytes(...found.map((chunk) => chunk.bytes)), chunks }
  }

  #running(): Running | undefined {
    const value = this.#options.store.value(SPACE, KEY)
    return value && (JSON.parse(fromUtf8(value)) as Running)
  }

  #keep(running: Running): void {
    this.#options.store.putValue(SPACE, KEY, utf8(JSON.stringify(running)))
  }
}
