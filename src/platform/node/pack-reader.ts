import type { ChunkId, SealedChunk } from '../../files/chunk-id.ts'
import type { PackFile } from './pack-file.ts'
import { decodeRecordHead, RECORD_HEAD_BYTES } from './pack-record.ts'

/** Longest read of neighbours at once. */
const RUN_BYTES = 1024 * 1024
/** Between neighbours: what was dropped, or put in between, is read along. */
const GAP_BYTES = 64 * 1024
/** Buffers kept for reads of neighbours: more are made when more are under way. */
const KEPT_BUFFERS = 4

/** A chunk and where its record is believed to lie, with its head. */
export interface PlacedChunk {
  readonly id: ChunkId
  readonly pack: PackFile
  readonly offset: number
  readonly length: number
}

interface Run {
  readonly pack: PackFile
  readonly from: number
  end: number
  readonly chunks: PlacedChunk[]
}

/** Reads many chunks of packs, neighbours in one read, in the order in which they lie. */
export class PackReader {
  readonly #buffers: Buffer[] = []

  /** What is not where it is believed to be, or is of another length, is left out. Bytes given to `take` are good until it returns. */
  async read(wanted: readonly PlacedChunk[], take: (chunk: SealedChunk) => void): Promise<void> {
    await Promise.all(runsOf(wanted).map((run) => this.#readOne(run, take)))
  }

  async #readOne({ pack, from, end, chunks }: Run, take: (chunk: SealedChunk) => void): Promise<void> {
    const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(RUN_BYTES)
    try {
      const bytesRead = await pack.read(buffer, end - from, from)
      for (const { id, offset, length } of chunks) {
        const at = offset - from
        if (at + length > bytesRead) continue
        const record = decodeRecordHead(buffer.subarray(at, at + RECORD_HEAD_BYTES))
        if (record?.id !== id || record.kind !== 'chunk' || record.length !== length - RECORD_HEAD_BYTES) continue
        take({ id, epoch: record.epoch, bytes: buffer.subarray(at + RECORD_HEAD_BYTES, at + length) })
      }
    } finally {
      if (this.#buffers.length < KEPT_BUFFERS) this.#buffers.push(buffer)
    }
  }
}

function runsOf(wanted: readonly PlacedChunk[]): Run[] {
  const runs: Run[] = []
  for (const chunk of [...wanted].sort((a, b) => a.pack.number - b.pack.number || a.offset - b.offset)) {
    const { pack, offset, length } = chunk
    const end = offset + length
    const last = runs.at(-1)
    if (last?.pack === pack && offset - last.end <= GAP_BYTES && end - last.from <= RUN_BYTES) {
      last.chunks.push(chunk)
      last.end = Math.max(last.end, end)
    } else runs.push({ pack, from: offset, end, chunks: [chunk] })
  }
  return runs
}
