import * as z from 'zod'
import { RpcError } from './rpc-error.ts'

/**
 * Longest text in UTF-16 units. 24 Mi: a 16 MiB file in base64 fits in one answer; everything else is far smaller.
 * The sender checks as well, so that one answer that is too long fails alone.
 */
export const MAX_TEXT_LENGTH = 24 * 1024 * 1024
/** Longest binary message, its channel reference included. */
export const MAX_BYTES_LENGTH = 16 * 1024 * 1024
/** Deepest JSON nesting: contracts need 8; parsers downstream recurse, so depth is capped before anything reads it. */
export const MAX_JSON_DEPTH = 64

const id = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const name = z.string().min(1).max(64)
const code = z.string().min(1).max(120)

const wireMessage = z.discriminatedUnion('t', [
  z.object({ t: z.literal('call'), id, m: name, p: z.unknown() }),
  z.object({ t: z.literal('cancel'), id }),
  z.object({ t: z.literal('ok'), id, r: z.unknown() }),
  z.object({ t: z.literal('error'), id, code, message: z.string().max(8000) }),
  z.object({ t: z.literal('event'), n: name, p: z.unknown() }),
  z.object({ t: z.literal('ack'), c: id, b: id }),
  z.object({ t: z.literal('close'), c: id, reason: code }),
])
/** One text message (display-protocol.md). `c` is a channel reference: twice the id, plus one when the sender opened it. */
export type WireMessage = z.infer<typeof wireMessage>

/** @throws RpcError `rpc/too-large`, `rpc/malformed` */
export function parseWireMessage(text: string): WireMessage {
  if (text.length > MAX_TEXT_LENGTH)
    throw new RpcError('rpc/too-large', `a message of ${text.length} characters exceeds ${MAX_TEXT_LENGTH}`)
  if (isDeeperThan(text, MAX_JSON_DEPTH)) throw new RpcError('rpc/malformed', `a message is nested deeper than ${MAX_JSON_DEPTH}`)
  try {
    return wireMessage.parse(JSON.parse(text))
  } catch (cause) {
    throw new RpcError('rpc/malformed', 'a message does not follow display-protocol.md', { cause })
  }
}

/** @throws RpcError `rpc/too-large` */
export function formatWireMessage(message: WireMessage): string {
  const text = JSON.stringify(message)
  if (text.length > MAX_TEXT_LENGTH)
    throw new RpcError('rpc/too-large', `an answer of ${text.length} characters exceeds ${MAX_TEXT_LENGTH}`)
  return text
}

/** Counts brackets outside strings; does not recurse and does not judge whether it is JSON. */
function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0
  // Where the next of each lies: strings are long (a MiB of a file), and looked through once for each sign.
  let [quote, escape] = [0, 0]
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x22) {
      for (let at = i + 1; ; at = escape + 2) {
        if (quote < at) quote = nextOf(text, '"', at)
        if (escape < at) escape = nextOf(text, '\\', at)
        if (quote < escape || quote === text.length) break
      }
      i = quote
    } else if (unit === 0x5b || unit === 0x7b) {
      if (++depth > limit) return true
    } else if (unit === 0x5d || unit === 0x7d) depth--
  }
  return false
}

const nextOf = (text: string, sign: string, from: number): number => {
  const at = text.indexOf(sign, from)
  return at < 0 ? text.length : at
}

/** Channel reference, then the bytes. */
export function formatChannelBytes(reference: number, bytes: Uint8Array): Uint8Array {
  const head: number[] = []
  for (let rest = reference; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      head.push(rest)
      break
    }
    head.push((rest % 128) | 0x80)
  }
  const frame = new Uint8Array(head.length + bytes.length)
  frame.set(head)
  frame.set(bytes, head.length)
  return frame
}

/** @throws RpcError `rpc/too-large`, `rpc/malformed` */
export function parseChannelBytes(frame: Uint8Array): { reference: number; bytes: Uint8Array } {
  if (frame.length > MAX_BYTES_LENGTH) throw new RpcError('rpc/too-large', `a message of ${frame.length} bytes exceeds ${MAX_BYTES_LENGTH}`)
  let reference = 0
  let scale = 1
  for (let i = 0; i < Math.min(frame.length, 7); i++, scale *= 128) {
    const byte = frame[i] as number
    reference += (byte & 0x7f) * scale
    if (byte < 0x80) return { reference, bytes: frame.subarray(i + 1) }
  }
  throw new RpcError('rpc/malformed', 'a binary message has no channel reference')
}
