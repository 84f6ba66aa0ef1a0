import { concatBytes, fromHex, fromUtf8, toHex, utf8 } from '../base/bytes.ts'
import { MAX_SEALED_CHUNK_BYTES } from './chunk-cipher.ts'
import { CHUNK_FRAME_HEAD_BYTES } from './chunk-frame.ts'
import type { ChunkId } from './chunk-id.ts'
import { ContentError } from './content-error.ts'
import { MAX_STRETCH_CHUNKS, MAX_WANTED_CHUNKS, type Stretch } from './file-peer-contract.ts'

/*
 * What crosses a direct connection, both ways: u32 length of what follows, u8 kind, fields in network order.
 *   1 want    u32 request, u8 1 with a stretch (f64 offset, u32 length) or 0, u8 length and text of the dataset, ids
 *   2 more    u32 request, ids that follow unasked: the answer to a stretch
 *   3 part    u32 request, u16 message, u32 bytes of the whole message, u32 offset of this part in it, bytes
 *   4 end     u32 request, u32 messages: nothing comes beyond these, which other connections may still bring
 *   5 cancel  u32 request: nothing more is wanted
 *   6 got     u32 bytes of frames taken in since the last such frame
 * Messages of a request are chunk frames, as on a link; their parts come by all connections, everything else by the first, in order.
 */
export type DirectFrame =
  | {
      readonly kind: 'want'
      readonly request: number
      readonly dataset: string
      readonly ids: readonly ChunkId[]
      readonly stretch?: Stretch
    }
  | { readonly kind: 'more'; readonly request: number; readonly ids: readonly ChunkId[] }
  | {
      readonly kind: 'part'
      readonly request: number
      readonly message: number
      readonly total: number
      readonly at: number
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'end'; readonly request: number; readonly messages: number }
  | { readonly kind: 'cancel'; readonly request: number }
  | { readonly kind: 'got'; readonly bytes: number }

/** Four TLS records: what is longer begins a fifth. */
const MAX_FRAME_BYTES = 64 * 1024
const LENGTH_BYTES = 4
const PART_HEAD_BYTES = 15
/** Bytes of a message in one part: one TLS record, so few that the connections share even one chunk. */
export const PART_BYTES = 16 * 1024 - LENGTH_BYTES - PART_HEAD_BYTES
/** Where much is on its way, each of the connections has enough of it: a quarter of the calls. */
export const LONG_PART_BYTES = MAX_FRAME_BYTES - LENGTH_BYTES - PART_HEAD_BYTES
const MAX_MESSAGE_BYTES = CHUNK_FRAME_HEAD_BYTES + MAX_SEALED_CHUNK_BYTES
const KINDS = ['want', 'more', 'part', 'end', 'cancel', 'got'] as const
const PART = KINDS.indexOf('part') + 1
const ID_BYTES = 32

export function encodeDirectFrame(frame: DirectFrame): Uint8Array {
  if (frame.kind === 'part') return encodePart(frame)
  const body = bodyOf(frame)
  const bytes = new Uint8Array(LENGTH_BYTES + 1 + body.length)
  new DataView(bytes.buffer).setUint32(0, 1 + body.length)
  bytes[LENGTH_BYTES] = KINDS.indexOf(frame.kind) + 1
  bytes.set(body, LENGTH_BYTES + 1)
  return bytes
}

/** Copied once: there are thousands in a second. */
function encodePart({ request, message, total, at, bytes }: DirectFrame & { kind: 'part' }): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + PART_HEAD_BYTES + bytes.length)
  const view = new DataView(frame.buffer)
  view.setUint32(0, PART_HEAD_BYTES + bytes.length)
  frame[LENGTH_BYTES] = PART
  view.setUint32(5, request)
  view.setUint16(9, message)
  view.setUint32(11, total)
  view.setUint32(15, at)
  frame.set(bytes, LENGTH_BYTES + PART_HEAD_BYTES)
  return frame
}

function bodyOf(frame: Exclude<DirectFrame, { kind: 'part' }>): Uint8Array {
  switch (frame.kind) {
    case 'want': {
      const name = utf8(frame.dataset)
      const head = new Uint8Array(frame.stretch ? 18 : 6)
      const view = new DataView(head.buffer)
      view.setUint32(0, frame.request)
      head[4] = frame.stretch ? 1 : 0
      if (frame.stretch) {
        view.setFloat64(5, frame.stretch.offset)
        view.setUint32(13, frame.stretch.length)
      }
      head[head.length - 1] = name.length
      return concatBytes(head, name, ...frame.ids.map(fromHex))
    }
    case 'more':
      return concatBytes(numbers(frame.request), ...frame.ids.map(fromHex))
    case 'got':
      return numbers(frame.bytes)
    case 'end':
      return concatBytes(numbers(frame.request), numbers(frame.messages))
    default:
      return numbers(frame.request)
  }
}

function numbers(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** Of anything but a part. @throws ContentError `content/malformed` */
function decodeBody(bytes: Uint8Array): DirectFrame {
  const kind = KINDS[(bytes[0] ?? 0) - 1]
  const body = bytes.subarray(1)
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const request = body.length >= 4 ? view.getUint32(0) : undefined
  if (kind === undefined || kind === 'part' || request === undefined) throw malformed()
  switch (kind) {
    case 'want': {
      const head = body[4] === 1 ? 18 : 6
      if (body.length < head || (body[4] as number) > 1) throw malformed()
      const idsAt = head + (body[head - 1] as number)
      const stretch = body[4] === 1 ? { offset: view.getFloat64(5), length: view.getUint32(13) } : undefined
      if (stretch && !(Number.isSafeInteger(stretch.offset) && stretch.offset >= 0 && stretch.length >= 1 && stretch.length <= 2 ** 24))
        throw malformed()
      const ids = idsOf(body.subarray(idsAt), MAX_WANTED_CHUNKS)
      if (ids.length === 0 || idsAt > body.length) throw malformed()
      return { kind, request, dataset: textOf(body.subarray(head, idsAt)), ids, ...(stretch && { stretch }) }
    }
    case 'more':
      return { kind, request, ids: idsOf(body.subarray(4), MAX_STRETCH_CHUNKS) }
    case 'got':
      if (body.length !== 4) throw malformed()
      return { kind, bytes: request }
    case 'end':
      if (body.length !== 8) throw malformed()
      return { kind, request, messages: view.getUint32(4) }
    default:
      if (body.length !== 4) throw malformed()
      return { kind, request }
  }
}

function idsOf(bytes: Uint8Array, most: number): ChunkId[] {
  if (bytes.length % ID_BYTES !== 0 || bytes.length > most * ID_BYTES) throw malformed()
  return Array.from({ length: bytes.length / ID_BYTES }, (_, n) => toHex(bytes.subarray(n * ID_BYTES, (n + 1) * ID_BYTES)) as ChunkId)
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch {
    throw malformed()
  }
}

const malformed = () =>
  new ContentError('content/malformed', 'a linked device sent something over its direct connection that cannot be read')

interface OpenPart {
  readonly request: number
  readonly message: number
  readonly total: number
  at: number
  left: number
}

/**
 * Cuts a stream into frames. Keeps less than one frame that is no part; what says it is longer ends it. A part is given on as it comes, in
 * as many as that takes: nothing of it is put together here.
 */
export class DirectFrameReader {
  #rest: Uint8Array = new Uint8Array(0)
  /** What is to come of a part. */
  #part: OpenPart | undefined

  /** The frames that are whole now; a part's bytes are the stream's again after the next call. @throws ContentError `content/malformed` */
  take(bytes: Uint8Array): DirectFrame[] {
    const frames: DirectFrame[] = []
    let all = this.#rest.length === 0 ? bytes : concatBytes(this.#rest, bytes)
    for (;;) {
      if (this.#part) all = this.#takePart(this.#part, all, frames)
      if (all.length < LENGTH_BYTES) break
      const view = new DataView(all.buffer, all.byteOffset, all.length)
      const length = view.getUint32(0)
      if (length < 1 || length > MAX_FRAME_BYTES - LENGTH_BYTES) throw malformed()
      if (all.length === LENGTH_BYTES) break
      if (all[LENGTH_BYTES] === PART) {
        if (length <= PART_HEAD_BYTES) throw malformed() // a part has at least one byte
        if (all.length < LENGTH_BYTES + PART_HEAD_BYTES) break
        const [total, at, left] = [view.getUint32(11), view.getUint32(15), length - PART_HEAD_BYTES]
        if (total > MAX_MESSAGE_BYTES || at + left > total) throw malformed()
        this.#part = { request: view.getUint32(5), message: view.getUint16(9), total, at, left }
        all = all.subarray(LENGTH_BYTES + PART_HEAD_BYTES)
      } else {
        if (all.length < LENGTH_BYTES + length) break
        frames.push(decodeBody(all.subarray(LENGTH_BYTES, LENGTH_BYTES + length)))
        all = all.subarray(LENGTH_BYTES + length)
      }
    }
    this.#rest = all.slice()
    return frames
  }

  #takePart(part: OpenPart, all: Uint8Array, frames: DirectFrame[]): Uint8Array {
    const bytes = all.subarray(0, part.left)
    if (bytes.length === 0) return all
    const { request, message, total, at } = part
    frames.push({ kind: 'part', request, message, total, at, bytes })
    part.at += bytes.length
    part.left -= bytes.length
    if (part.left === 0) this.#part = undefined
    return all.subarray(bytes.length)
  }
}
