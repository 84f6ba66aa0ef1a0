import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { LinkError } from './link-error.ts'

/*
 * What two devices say on channel 0 of a link's first connection (SPEC-links.md, SY53). One message = one type byte and
 * its fields; integers are lib0 varuints. Everything here is read from somebody who may not have proved anything yet.
 */

/** Versions of this conversation that this build speaks. A recording of each is replayed in CI, for ever. */
export const MIN_LINK_VERSION = 1
/** 2: small messages of the live lanes are said a second time on channel 5 (SY67). 3: a proof covers what its device knows (SY70). */
export const MAX_LINK_VERSION = 3

export const NONCE_BYTES = 32
export const SIGNATURE_BYTES = 64
export const KEY_BYTES = 32
/** What a device knows of who belongs, as identity writes it: opaque here. */
export const HEAD_BYTES = 40
/** Longest message on channel 0: a note with two descriptions and their candidates. */
export const MAX_WIRE_BYTES = 48 * 1024
const MAX_URLS = 8
const MAX_TEXT_BYTES = 512

/** The second connection is made anew over the first: `bytes` is a SignalNote. */
export type WireMessage =
  | { readonly type: 'hello'; readonly min: number; readonly max: number; readonly nonce: Uint8Array }
  /** `head` from version 3 on. */
  | { readonly type: 'proof'; readonly device: Uint8Array; readonly signature: Uint8Array; readonly head?: Uint8Array }
  | { readonly type: 'ready' }
  | { readonly type: 'ping'; readonly n: number }
  | { readonly type: 'pong'; readonly n: number }
  /** `bytes` received so far on the windowed lanes of that connection, counted from its beginning. */
  | { readonly type: 'ack'; readonly connection: 'live' | 'bulk'; readonly bytes: number }
  | { readonly type: 'note'; readonly bytes: Uint8Array }
  /** Where this device's own rendezvous can be reached. */
  | { readonly type: 'meet'; readonly urls: readonly string[] }
  | { readonly type: 'bye'; readonly code: string }

const MAGIC = 0x456c7377 // "Elsw": whoever connects by mistake is told apart from whoever is out of date
const TYPES = ['hello', 'proof', 'ready', 'ping', 'pong', 'ack', 'note', 'meet', 'bye'] as const

export function encodeWire(message: WireMessage): Uint8Array {
  const out = encoding.createEncoder()
  encoding.writeUint8(out, TYPES.indexOf(message.type) + 1)
  switch (message.type) {
    case 'hello':
      encoding.writeUint32BigEndian(out, MAGIC)
      encoding.writeVarUint(out, message.min)
      encoding.writeVarUint(out, message.max)
      encoding.writeUint8Array(out, message.nonce)
      break
    case 'proof':
      encoding.writeUint8Array(out, message.device)
      encoding.writeUint8Array(out, message.signature)
      if (message.head) encoding.writeUint8Array(out, message.head)
      break
    case 'ping':
    case 'pong':
      encoding.writeVarUint(out, message.n)
      break
    case 'ack':
      encoding.writeUint8(out, message.connection === 'live' ? 0 : 1)
      encoding.writeVarUint(out, message.bytes)
      break
    case 'note':
      encoding.writeUint8Array(out, message.bytes)
      break
    case 'meet':
      encoding.writeVarUint(out, message.urls.length)
      for (const url of message.urls) encoding.writeVarString(out, url)
      break
    case 'bye':
      encoding.writeVarString(out, message.code)
      break
  }
  return encoding.toUint8Array(out)
}

/** @throws LinkError `link/bad-frame`  not one of ours; `from` names the peer, if it is known */
export function decodeWire(bytes: Uint8Array, from: string): WireMessage {
  if (bytes.length > MAX_WIRE_BYTES) throw LinkError.badFrame(from, `${bytes.length} bytes on channel 0`)
  const input = decoding.createDecoder(bytes)
  let message: WireMessage
  try {
    message = readWire(input)
  } catch (cause) {
    throw new LinkError('link/bad-frame', LinkError.badFrame(from, 'unreadable on channel 0').message, { cause })
  }
  if (decoding.hasContent(input)) throw LinkError.badFrame(from, `bytes left over after ${message.type}`)
  return message
}

function readWire(input: decoding.Decoder): WireMessage {
  const type = TYPES[decoding.readUint8(input) - 1]
  switch (type) {
    case 'hello': {
      if (decoding.readUint32BigEndian(input) !== MAGIC) throw new RangeError('not a link hello')
      const min = decoding.readVarUint(input)
      const max = decoding.readVarUint(input)
      return { type, min, max, nonce: readBytes(input, NONCE_BYTES) }
    }
    case 'proof': {
      const proof = { type, device: readBytes(input, KEY_BYTES), signature: readBytes(input, SIGNATURE_BYTES) } as const
      return remaining(input) === 0 ? proof : { ...proof, head: readBytes(input, HEAD_BYTES) }
    }
    case 'ready':
      return { type }
    case 'ping':
    case 'pong':
      return { type, n: decoding.readVarUint(input) }
    case 'ack': {
      const connection = decoding.readUint8(input)
      if (connection > 1) throw new RangeError('no such connection')
      return { type, connection: connection === 0 ? 'live' : 'bulk', bytes: decoding.readVarUint(input) }
    }
    case 'note':
      return { type, bytes: readBytes(input, remaining(input)) }
    case 'meet': {
      const count = decoding.readVarUint(input)
      if (count > MAX_URLS) throw new RangeError('too many addresses')
      return { type, urls: Array.from({ length: count }, () => readText(input)) }
    }
    case 'bye':
      return { type, code: readText(input) }
    default:
      throw new RangeError('unknown type')
  }
}

const remaining = (input: decoding.Decoder): number => input.arr.length - input.pos

/** lib0 would hand out a shorter array at the end of its input. */
function readBytes(input: decoding.Decoder, length: number): Uint8Array {
  if (remaining(input) < length) throw new RangeError('ends too early')
  return decoding.readUint8Array(input, length).slice()
}

function readText(input: decoding.Decoder): string {
  const length = decoding.readVarUint(input)
  if (length > MAX_TEXT_BYTES) throw new RangeError('text too long')
  return new TextDecoder('utf-8', { fatal: true }).decode(readBytes(input, length))
}
