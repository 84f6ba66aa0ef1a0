import { fromUtf8 } from '../base/bytes.ts'
import { SyncError, malformed } from './sync-error.ts'

/**
 * Reads lib0's encoding with every length checked against what is really there and against a cap.
 *
 * lib0's own `readVarUint8Array` makes its view over the whole underlying buffer, so a forged length can reach beyond the
 * message; this one cannot. What it returns are copies: a small part never keeps a large message alive.
 *
 * @throws SyncError `sync/malformed` (short, not UTF-8, number too large), `sync/too-large` (over a cap)
 */
export class BoundedReader {
  readonly #bytes: Uint8Array
  readonly #what: string
  #position = 0

  /** `what` names the thing being read, for messages: "an envelope". */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#what = what
  }

  get position(): number {
    return this.#position
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length
  }

  u8(): number {
    const value = this.#bytes[this.#position]
    if (value === undefined) throw malformed(this.#what)
    this.#position++
    return value
  }

  /** lib0 varUint, at most Number.MAX_SAFE_INTEGER and at most `max`. */
  uint(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.u8()
      value += (byte & 0x7f) * factor
      if (value > Number.MAX_SAFE_INTEGER) throw malformed(this.#what)
      if (byte < 0x80) break
      factor *= 128
      if (factor > Number.MAX_SAFE_INTEGER) throw malformed(this.#what)
    }
    if (value > max) throw new SyncError('sync/too-large', `${this.#what} holds ${value} where at most ${max} is allowed: it was dropped`)
    return value
  }

  raw(length: number): Uint8Array {
    const end = this.#position + length
    if (end > this.#bytes.length) throw malformed(this.#what)
    // not slice(): on a Node Buffer that would be a view
    const part = new Uint8Array(this.#bytes.subarray(this.#position, end))
    this.#position = end
    return part
  }

  /** As `bytes`, not copied: good for as long as the message is kept anyway. */
  view(maxLength: number): Uint8Array {
    const length = this.uint(maxLength)
    const end = this.#position + length
    if (end > this.#bytes.length) throw malformed(this.#what)
    const part = this.#bytes.subarray(this.#position, end)
    this.#position = end
    return part
  }

  bytes(maxLength: number): Uint8Array {
    return this.raw(this.uint(maxLength))
  }

  text(maxBytes: number): string {
    try {
      return fromUtf8(this.bytes(maxBytes))
    } catch (error) {
      if (error instanceof SyncError) throw error
      throw malformed(this.#what, error)
    }
  }

  /** @throws SyncError `sync/malformed`  bytes are left over */
  end(): void {
    if (!this.isAtEnd) throw malformed(this.#what)
  }
}
