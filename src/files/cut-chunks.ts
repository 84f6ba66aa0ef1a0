import { utf8 } from '../base/bytes.ts'
import type { FilesCrypto } from './files-crypto.ts'

/** Sizes that content is cut to, in bytes. */
export interface CutSizes {
  readonly min: number
  readonly normal: number
  readonly max: number
}

/** FastCDC 16/64/256 KiB (ARCHITECTURE.md, section 4). */
export const CONTENT_CUT: CutSizes = { min: 16 * 1024, normal: 64 * 1024, max: 256 * 1024 }
/** Lists of chunks are cut finer: one changed chunk of a 1 GiB file re-sends one piece of its list, not 64 KiB of it. */
export const MANIFEST_CUT: CutSizes = { min: 4 * 1024, normal: 16 * 1024, max: 64 * 1024 }
/** A shorter file is one chunk. */
export const SINGLE_CHUNK_BYTES = 64 * 1024

/**
 * Where content is cut: FastCDC with normalised sizes (two more bits before the normal size, two fewer after it) over a gear
 * table made from the id key, so that cut places tell less about the content. Cuts depend only on the bytes since the last
 * cut: cutting can begin at any of them.
 */
export class ChunkCutter {
  readonly #gear: Int32Array

  constructor(crypto: FilesCrypto, idKey: Uint8Array) {
    const bytes = crypto.hkdf(idKey, utf8('elsewhere/gear/1'), 1024)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    this.#gear = Int32Array.from({ length: 256 }, (_, n) => view.getInt32(4 * n))
  }

  /**
   * Bytes of the first chunk of `bytes` from `from`. When fewer than `sizes.max` follow and no cut is found, all of them: ask
   * with more, or take it as the last.
   */
  next(bytes: Uint8Array, from: number, sizes: CutSizes = CONTENT_CUT): number {
    const gear = this.#gear
    const end = Math.min(bytes.length, from + sizes.max)
    if (end - from <= sizes.min) return end - from
    const bits = Math.log2(sizes.normal)
    const strict = -1 << (32 - (bits + 2))
    const loose = -1 << (32 - (bits - 2))
    const normal = Math.min(end, from + sizes.normal)
    let hash = 0
    let at = from + sizes.min
    for (; at < normal; at++) {
      hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0
      if ((hash & strict) === 0) return at + 1 - from
    }
    for (; at < end; at++) {
      hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0
      if ((hash & loose) === 0) return at + 1 - from
    }
    return end - from
  }
}
