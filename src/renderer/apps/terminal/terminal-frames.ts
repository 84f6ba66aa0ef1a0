import * as z from 'zod'

/** Kinds of the terminal channel (see src/jobs/terminal-contract.ts). */
const DOWN_SCREEN = 0
const DOWN_OUTPUT = 1
const DOWN_SIZE = 2
const DOWN_EXIT = 3
const UP_KEYS = 1
const UP_SIZE = 2

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** What the device of the terminal says. */
export type TerminalFrame =
  | { readonly type: 'screen'; readonly data: string }
  | { readonly type: 'output'; readonly data: Uint8Array }
  | ({ readonly type: 'size' } & TerminalSize)
  | { readonly type: 'exit'; readonly code: number; readonly signal?: number | undefined }

const size = z.object({ columns: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(1000) })
const exit = z.object({ code: z.number().int(), signal: z.number().int().optional() })
/** Control frames are tiny; a larger one is not ours. */
const MAX_CONTROL_BYTES = 1024

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Reads one message of the channel; undefined when it is malformed or of a kind a newer device added. */
export function readTerminalFrame(bytes: Uint8Array): TerminalFrame | undefined {
  const body = bytes.subarray(1)
  switch (bytes[0]) {
    case DOWN_SCREEN:
      return { type: 'screen', data: decoder.decode(body) }
    case DOWN_OUTPUT:
      return { type: 'output', data: body }
    case DOWN_SIZE: {
      const read = size.safeParse(readJson(body))
      return read.success ? { type: 'size', ...read.data } : undefined
    }
    case DOWN_EXIT: {
      const read = exit.safeParse(readJson(body))
      return read.success ? { type: 'exit', ...read.data } : undefined
    }
    default:
      return undefined
  }
}

function readJson(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_CONTROL_BYTES) return undefined
  try {
    return JSON.parse(decoder.decode(bytes)) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Keys as the program reads them. */
export const keysFrame = (keys: string): Uint8Array => frame(UP_KEYS, keys)

/** Bytes a mouse report may hold that are not UTF-8 (xterm's `onBinary`: one character, one byte). */
export function binaryKeysFrame(latin1: string): Uint8Array {
  const bytes = new Uint8Array(latin1.length + 1)
  bytes[0] = UP_KEYS
  for (let i = 0; i < latin1.length; i++) bytes[i + 1] = latin1.charCodeAt(i) & 0xff
  return bytes
}

/** "This display is typed in: use its size." */
export const sizeFrame = ({ columns, rows }: TerminalSize): Uint8Array => frame(UP_SIZE, JSON.stringify({ columns, rows }))

function frame(kind: number, text: string): Uint8Array {
  const body = encoder.encode(text)
  const bytes = new Uint8Array(body.length + 1)
  bytes[0] = kind
  bytes.set(body, 1)
  return bytes
}
