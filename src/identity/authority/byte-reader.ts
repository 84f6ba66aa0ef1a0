import { toBase58 } from '../../base/base58.ts'
import { fromUtf8, toHex } from '../../base/bytes.ts'
import { malformedOperation } from './authority-error.ts'

/**
 * Reads bytes of the authority log with every length checked against what is there and against a cap. What it returns
 * are copies.
 *
 * @throws IdentityError `authority/malformed`
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #spelled = new Map<string, string>()
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  u8(): number {
    const value = this.#bytes[this.#position]
    if (value === undefined) throw malformedOperation('it ends early')
    this.#position++
    return value
  }

  /** lib0 varUint, at most `max` (default 2^53-1). */
  uint(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8()
      value += (byte & 0x7f) * factor
      if (value > max) throw malformedOperation('a number is out of range')
      if (byte < 0x80) return value
    }
  }

  raw(length: number): Uint8Array {
    const end = this.#position + length
    if (end > this.#bytes.length) throw malformedOperation('it ends early')
    const part = new Uint8Array(this.#bytes.subarray(this.#position, end)) // not slice(): a view on a Node Buffer
    this.#position = end
    return part
  }

  bytes(maxLength: number): Uint8Array {
    return this.raw(this.uint(maxLength))
  }

  hex(length: number): string {
    return toHex(this.raw(length))
  }

  /** A state names the same few keys thousands of times, and base58 is slow: each is spelled once. */
  base58(length: number): string {
    const bytes = this.raw(length)
    const key = String.fromCharCode(...bytes)
    let text = this.#spelled.get(key)
    if (text === undefined) this.#spelled.set(key, (text = toBase58(bytes)))
    return text
  }

  text(maxBytes: number): string {
    const bytes = this.bytes(maxBytes)
    try {
      return fromUtf8(bytes)
    } catch (cause) {
      throw malformedOperation('a text is not UTF-8', cause)
    }
  }

  list<T>(maxCount: number, read: () => T): T[] {
    return Array.from({ length: this.uint(maxCount) }, read)
  }

  end(): void {
    if (this.#position !== this.#bytes.length) throw malformedOperation('bytes are left over')
  }
}
