import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { concatBytes } from '../base/bytes.ts'
import { LinkError } from './link-error.ts'

/*
 * A message on a lane's channel is cut into frames (SY55):
 *   first frame   0x01, varuint length of the whole message, bytes
 *   others        0x00, bytes
 * The message ends when its length is reached. One message at a time on one lane.
 */

/** A more urgent lane waits for at most one of these (architecture, section 4). */
export const MAX_FRAME_BYTES = 16 * 1024
/** Longest message on any lane: a snapshot of a large document. Files and jobs send in parts of their own. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024
/** Longest head of a message that is handed over in two parts: it goes into its first frame. */
export const MAX_HEAD_BYTES = 1_024
const HEADER_BYTES = 6 // type byte and the longest varuint under 64 MiB, rounded up

const CONTINUES = Uint8Array.of(0)

function beginning(length: number): Uint8Array {
  const out = encoding.createEncoder()
  encoding.writeUint8(out, 1)
  encoding.writeVarUint(out, length)
  return encoding.toUint8Array(out)
}

/** Hands out a message's frames one by one, so that a long one is never held twice. */
export class FrameCutter {
  readonly #message: Uint8Array
  /** Of the message, before those; in its first frame. */
  readonly #head: Uint8Array
  #at = 0
  #begun = false

  /** @param head  at most MAX_HEAD_BYTES */
  constructor(message: Uint8Array, head: Uint8Array = new Uint8Array(0)) {
    this.#message = message
    this.#head = head
  }

  get isDone(): boolean {
    return this.#begun && this.#at >= this.#message.length
  }

  /** Bytes of the message not yet cut off. */
  get remainingBytes(): number {
    return this.#message.length - this.#at + (this.#begun ? 0 : this.#head.length)
  }

  next(): Uint8Array {
    const before = this.#begun ? CONTINUES : concatBytes(beginning(this.remainingBytes), this.#head)
    const part = this.#message.subarray(this.#at, this.#at + MAX_FRAME_BYTES - HEADER_BYTES - (this.#begun ? 0 : this.#head.length))
    const frame = new Uint8Array(before.length + part.length)
    frame.set(before)
    frame.set(part, before.length)
    this.#at += part.length
    this.#begun = true
    return frame
  }
}

/** Puts frames together again. Holds at most one unfinished message, never more than was announced. */
export class FrameJoiner {
  readonly #peer: string
  readonly #lane: string
  readonly #limit: number
  #parts: Uint8Array[] = []
  #have = 0
  #total: number | undefined

  constructor(peer: string, lane: string, limit = MAX_MESSAGE_BYTES) {
    this.#peer = peer
    this.#lane = lane
    this.#limit = limit
  }

  /**
   * @returns the whole message when this frame ends it
   * @throws LinkError `link/bad-frame`
   */
  add(frame: Uint8Array): Uint8Array | undefined {
    if (frame.length === 0 || frame.length > MAX_FRAME_BYTES) throw this.#bad(`a frame of ${frame.length} bytes`)
    const part = frame[0] === 1 ? this.#begin(frame) : frame[0] === 0 ? frame.subarray(1) : undefined
    if (part === undefined) throw this.#bad('an unknown frame type')
    if (this.#total === undefined) throw this.#bad('a frame that continues nothing')
    if (part.length === 0 && this.#total > 0) throw this.#bad('an empty frame')
    this.#have += part.length
    if (this.#have > this.#total) throw this.#bad('more bytes than announced')
    this.#parts.push(part)
    return this.#have === this.#total ? this.#finish() : undefined
  }

  #begin(frame: Uint8Array): Uint8Array {
    if (this.#total !== undefined) throw this.#bad('a message inside another')
    const input = decoding.createDecoder(frame)
    decoding.readUint8(input)
    try {
      this.#total = decoding.readVarUint(input)
    } catch {
      throw this.#bad('no readable length')
    }
    if (this.#total > this.#limit) throw this.#bad(`a message of ${this.#total} bytes, at most ${this.#limit}`)
    return frame.subarray(input.pos)
  }

  #finish(): Uint8Array {
    const message = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : joinParts(this.#parts, this.#have)
    this.#parts = []
    this.#have = 0
    this.#total = undefined
    return message
  }

  #bad(what: string): LinkError {
    return LinkError.badFrame(this.#peer, `${what} on lane ${this.#lane}`)
  }
}

function joinParts(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
