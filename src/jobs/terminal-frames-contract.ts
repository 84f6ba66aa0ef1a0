import * as z from 'zod'
import { concatBytes, fromUtf8, utf8 } from '../base/bytes.ts'

/*
 * What travels in a terminal's channel: one kind byte, then the payload. `size` comes before every `screen`: a viewer
 * resizes, resets, then writes. A long screen goes on in `output` frames; frames may cut a UTF-8 character in two.
 */
const SCREEN = 0
const OUTPUT = 1
const SIZE_DOWN = 2
const EXIT = 3
const KEYS = 1
const SIZE_UP = 2

/** Longest paste a viewer may send in one frame. */
export const MAX_KEYS_BYTES = 1024 * 1024
/** Longest JSON of a size or exit frame: two or three short numbers. */
const MAX_JSON_BYTES = 256

const size = z.object({ columns: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(1000) })
const exit = z.object({ code: z.number().int(), signal: z.number().int().optional() })
export type TerminalSize = z.infer<typeof size>
export type TerminalExit = z.infer<typeof exit>

/** From the terminal to a viewer. */
export type DownFrame =
  | { readonly kind: 'screen'; readonly bytes: Uint8Array }
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  | ({ readonly kind: 'size' } & TerminalSize)
  | ({ readonly kind: 'exit' } & TerminalExit)

/** From a viewer to the terminal. */
export type UpFrame = { readonly kind: 'keys'; readonly bytes: Uint8Array } | ({ readonly kind: 'size' } & TerminalSize)

export function encodeDownFrame(frame: DownFrame): Uint8Array {
  switch (frame.kind) {
    case 'screen':
      return concatBytes(Uint8Array.of(SCREEN), frame.bytes)
    case 'output':
      return concatBytes(Uint8Array.of(OUTPUT), frame.bytes)
    case 'size':
      return json(SIZE_DOWN, { columns: frame.columns, rows: frame.rows })
    case 'exit':
      return json(EXIT, { code: frame.code, signal: frame.signal })
  }
}

/** Undefined: not a frame of this protocol. Never throws. The bytes are a view into `message`. */
export function decodeDownFrame(message: Uint8Array): DownFrame | undefined {
  const payload = message.subarray(1)
  switch (message[0]) {
    case SCREEN:
      return { kind: 'screen', bytes: payload }
    case OUTPUT:
      return { kind: 'output', bytes: payload }
    case SIZE_DOWN: {
      const parsed = parseJson(size, payload)
      return parsed && { kind: 'size', ...parsed }
    }
    case EXIT: {
      const parsed = parseJson(exit, payload)
      return parsed && { kind: 'exit', ...parsed }
    }
    default:
      return undefined
  }
}

export function encodeUpFrame(frame: UpFrame): Uint8Array {
  if (frame.kind === 'keys') return concatBytes(Uint8Array.of(KEYS), frame.bytes)
  return json(SIZE_UP, { columns: frame.columns, rows: frame.rows })
}

/** Undefined: not a frame of this protocol, or a paste over MAX_KEYS_BYTES. Never throws. */
export function decodeUpFrame(message: Uint8Array): UpFrame | undefined {
  const payload = message.subarray(1)
  switch (message[0]) {
    case KEYS:
      return payload.length <= MAX_KEYS_BYTES ? { kind: 'keys', bytes: payload } : undefined
    case SIZE_UP: {
      const parsed = parseJson(size, payload)
      return parsed && { kind: 'size', ...parsed }
    }
    default:
      return undefined
  }
}

function json(kind: number, value: object): Uint8Array {
  return concatBytes(Uint8Array.of(kind), utf8(JSON.stringify(value)))
}

function parseJson<T>(schema: z.ZodType<T>, bytes: Uint8Array): T | undefined {
  if (bytes.length > MAX_JSON_BYTES) return undefined
  let value: unknown
  try {
    value = JSON.parse(fromUtf8(bytes))
  } catch {
    return undefined // not UTF-8 or not JSON: the caller closes the channel and names the fault
  }
  const parsed = schema.safeParse(value)
  return parsed.success ? parsed.data : undefined
}
