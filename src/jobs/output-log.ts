import { concatBytes } from '../base/bytes.ts'
import { MAX_PIECE_BYTES, type OutputStream } from './job-frames-contract.ts'

/** Output that its asker has not kept yet; above it the program is held until some is. 1 MiB: 40 ms of a fast link. */
export const OUTPUT_HIGH_BYTES = 1024 * 1024

export interface OutputPiece {
  readonly stream: OutputStream
  /** Bytes of both streams before this one. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * Output of one attempt, from where its asker has kept it to its end (rule JB45). Holds the bytes; bounded by whoever writes,
 * which stops at OUTPUT_HIGH_BYTES.
 */
export class OutputLog {
  #pieces: OutputPiece[] = []
  #end = 0
  #keptTo = 0

  /** Bytes so far. */
  get end(): number {
    return this.#end
  }

  get heldBytes(): number {
    return this.#end - this.#keptTo
  }

  /** Takes the bytes over. */
  append(stream: OutputStream, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MAX_PIECE_BYTES) {
      const piece = bytes.subarray(at, at + MAX_PIECE_BYTES)
      this.#pieces.push({ stream, offset: this.#end, bytes: piece })
      this.#end += piece.length
    }
  }

  /** The asker has kept everything before `offset`. One that was never written counts as the end. */
  keep(offset: number): void {
    const to = Math.min(offset, this.#end)
    if (to <= this.#keptTo) return
    this.#keptTo = to
    const first = this.#pieces.findIndex((piece) => piece.offset + piece.bytes.length > to)
    this.#pieces = first === -1 ? [] : this.#pieces.slice(first)
  }

  /** What one frame takes of one stream from `offset` on; undefined at the end. What is no longer held is skipped. */
  pieceAt(offset: number): OutputPiece | undefined {
    const from = Math.max(offset, this.#keptTo)
    let low = 0
    let high = this.#pieces.length
    while (low < high) {
      const middle = (low + high) >> 1
      const { offset: start, bytes } = this.#pieces[middle] as OutputPiece
      if (start + bytes.length <= from) low = middle + 1
      else high = middle
    }
    const piece = this.#pieces[low]
    if (!piece) return undefined
    const bytes = this.#joined(low, from - piece.offset)
    return { stream: piece.stream, offset: from, bytes }
  }

  /** What waits goes in few large frames, not in as many as it was written in. */
  #joined(at: number, skipped: number): Uint8Array {
    const { stream, bytes } = this.#pieces[at] as OutputPiece
    const parts = [bytes.subarray(Math.max(0, skipped))]
    let length = parts[0]?.length ?? 0
    for (let next = at + 1; next < this.#pieces.length; next++) {
      const { stream: nextStream, bytes: more } = this.#pieces[next] as OutputPiece
      if (nextStream !== stream || length + more.length > MAX_PIECE_BYTES) break
      parts.push(more)
      length += more.length
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts)
  }
}
