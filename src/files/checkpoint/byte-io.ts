import { concatBytes, fromHex, fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import { ContentError } from '../content-error.ts'

/** Says why a checkpoint, or a page of one, is of no use. */
export const badCheckpoint = (why: string) =>
  new ContentError('checkpoint/malformed', `a checkpoint of files cannot be used: ${why}; it is left out, and another device is asked`)

/** Bytes that grow: numbers as LEB128, texts and hex with their lengths. */
export class ByteSink {
  #bytes: Uint8Array = new Uint8Array(256)
  #length = 0

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    this.#grow(1)
    this.#bytes[this.#length++] = value
  }

  /** A whole number from 0 to 2^53 - 1. */
  uint(value: number): void {
    this.#grow(8)
    let left = value
    for (; left >= 128; left = Math.floor(left / 128)) this.#bytes[this.#length++] = (left % 128) | 128
    this.#bytes[this.#length++] = left
  }

  /** As `uint`, below zero too. */
  int(value: number): void {
    this.uint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  raw(bytes: Uint8Array): void {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  hex(hex: string): void {
    this.raw(fromHex(hex))
  }

  text(text: string): void {
    const bytes = utf8(text)
    this.uint(bytes.length)
    this.raw(bytes)
  }

  /** What was written; the sink's no more. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #grow(by: number): void {
    if (this.#length + by <= this.#bytes.length) return
    this.#bytes = concatBytes(this.#bytes, new Uint8Array(Math.max(by, this.#bytes.length)))
  }
}

/** Reads what a ByteSink wrote. Everything throws ContentError `checkpoint/malformed` where the bytes end or are none of ours. */
export class ByteSource {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  byte(): number {
    if (this.left < 1) throw badCheckpoint('it is cut off')
    return this.#bytes[this.#at++] as number
  }

  uint(most = Number.MAX_SAFE_INTEGER): number {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (value > most) throw badCheckpoint('a number in it is too large')
      if (byte < 128) {
        if (byte === 0 && scale > 1) throw badCheckpoint('a number in it is written in two ways')
        return value
      }
      scale *= 128
      if (scale > 2 ** 56) throw badCheckpoint('a number in it is too large')
    }
  }

  int(): number {
    const value = this.uint()
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  raw(length: number): Uint8Array {
    if (length > this.left) throw badCheckpoint('it is cut off')
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }

  hex(bytes: number): string {
    return toHex(this.raw(bytes))
  }

  text(mostBytes: number): string {
    try {
      return fromUtf8(this.raw(this.uint(mostBytes)))
    } catch (error) {
      if (error instanceof ContentError) throw error
      throw badCheckpoint('a text in it is no text')
    }
  }

  end(): void {
    if (this.left > 0) throw badCheckpoint('there is more in it than it says')
  }
}
