import * as z from 'zod'
import { concatBytes, fromUtf8, utf8 } from '../base/bytes.ts'
import { seenBehaviour } from './seen-behaviour-contract.ts'

/*
 * What travels in the channel of an attempt (between the device that asked and the host that runs it) and in that of a
 * viewer (between a display and its device): one kind byte, then the payload. Output is one sequence of bytes of both
 * streams; `offset` is how many came before, so that nothing is shown twice after a cut.
 */
const OUTPUT = 0
const STATE = 1
const EXIT = 2
const INPUT_TAKEN = 3
const INPUT = 16
const INPUT_END = 17
const SIGNAL = 18
const RENEW = 19
const KEPT = 20

/** Longest piece of output or input in one frame. */
export const MAX_PIECE_BYTES = 64 * 1024
/** Input under way that its program has not taken yet. */
export const INPUT_WINDOW_BYTES = 256 * 1024
const MAX_JSON_BYTES = 8 * 1024
const MAX_OFFSET = Number.MAX_SAFE_INTEGER

export const JOB_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGKILL', 'SIGUSR1', 'SIGUSR2'] as const
const signalName = z.enum(JOB_SIGNALS)
export type JobSignal = z.infer<typeof signalName>

const state = z.object({
  state: z.enum(['preparing', 'running', 'paused', 'finishing']),
  ports: z.array(z.number().int().min(1).max(65_535)).max(64),
  /** It stands still until somebody types. */
  waits: z.enum(['terminal', 'input']).optional(),
  /** It drew on the whole screen, as what is read in a terminal does. */
  screen: z.boolean().optional(),
})
const exit = z.object({
  code: z.number().int().min(-1).max(255),
  signal: z.string().max(16).optional(),
  /** When it did not end by itself. */
  ended: z.string().max(32).optional(),
  /** Why it could not be begun. */
  error: z.object({ code: z.string().max(64), message: z.string().max(1_000) }).optional(),
  /** Processor time of it and its children; 0 where not known. */
  cpuMs: z.number().min(0),
  /** What the program is there that its line begins with, as that device says; absent: it was over too soon, or cannot be told. */
  program: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
  /** What it did while it ran; absent: an older executor, or it did not run. */
  seen: seenBehaviour.optional(),
})
export type AttemptState = z.infer<typeof state>
export type AttemptExit = z.infer<typeof exit>
export type OutputStream = 'out' | 'err'

/** From what runs to who looks on. */
export type JobDownFrame =
  | { readonly kind: 'output'; readonly stream: OutputStream; readonly offset: number; readonly bytes: Uint8Array }
  | ({ readonly kind: 'state' } & AttemptState)
  | ({ readonly kind: 'exit' } & AttemptExit)
  /**
   * Input the program has taken, all together: at most INPUT_WINDOW_BYTES more may be under way. The first one of a channel is what
   * the executor has received: the asker goes on from there.
   */
  | { readonly kind: 'input-taken'; readonly bytes: number }

/** From who looks on to what runs. `renew` and `kept` are the asking device's alone: the lease, and output it has kept. */
export type JobUpFrame =
  | { readonly kind: 'input'; readonly bytes: Uint8Array }
  | { readonly kind: 'input-end' }
  | { readonly kind: 'signal'; readonly signal: JobSignal }
  | { readonly kind: 'renew' }
  | { readonly kind: 'kept'; readonly offset: number }

export function encodeJobDown(frame: JobDownFrame): Uint8Array {
  if (frame.kind === 'output') return concatBytes(outputHead(frame), frame.bytes)
  if (frame.kind === 'input-taken') return offsetFrame(INPUT_TAKEN, frame.bytes)
  const { kind, ...rest } = frame
  return concatBytes(Uint8Array.of(kind === 'state' ? STATE : EXIT), utf8(JSON.stringify(rest)))
}

/** Undefined: not a frame of this protocol. Never throws. Bytes are a view into `message`. */
export function decodeJobDown(message: Uint8Array): JobDownFrame | undefined {
  switch (message[0]) {
    case OUTPUT: {
      if (message.length < 10 || message.length > 10 + MAX_PIECE_BYTES || (message[1] as number) > 1) return undefined
      const offset = readOffset(message, 2)
      return offset === undefined
        ? undefined
        : { kind: 'output', stream: message[1] === 1 ? 'err' : 'out', offset, bytes: message.subarray(10) }
    }
    case STATE: {
      const parsed = parseJson(state, message.subarray(1))
      return parsed && { kind: 'state', ...parsed }
    }
    case EXIT: {
      const parsed = parseJson(exit, message.subarray(1))
      return parsed && { kind: 'exit', ...parsed }
    }
    case INPUT_TAKEN: {
      const bytes = message.length === 9 ? readOffset(message, 1) : undefined
      return bytes === undefined ? undefined : { kind: 'input-taken', bytes }
    }
    default:
      return undefined
  }
}

export function encodeJobUp(frame: JobUpFrame): Uint8Array {
  switch (frame.kind) {
    case 'input':
      return concatBytes(Uint8Array.of(INPUT), frame.bytes)
    case 'input-end':
      return Uint8Array.of(INPUT_END)
    case 'signal':
      return Uint8Array.of(SIGNAL, JOB_SIGNALS.indexOf(frame.signal))
    case 'renew':
      return Uint8Array.of(RENEW)
    case 'kept':
      return offsetFrame(KEPT, frame.offset)
  }
}

/** Undefined: not a frame of this protocol. Never throws. */
export function decodeJobUp(message: Uint8Array): JobUpFrame | undefined {
  switch (message[0]) {
    case INPUT:
      return message.length > 1 && message.length <= 1 + MAX_PIECE_BYTES ? { kind: 'input', bytes: message.subarray(1) } : undefined
    case INPUT_END:
      return message.length === 1 ? { kind: 'input-end' } : undefined
    case SIGNAL: {
      const signal = JOB_SIGNALS[message[1] ?? -1]
      return signal !== undefined && message.length === 2 ? { kind: 'signal', signal } : undefined
    }
    case RENEW:
      return message.length === 1 ? { kind: 'renew' } : undefined
    case KEPT: {
      const offset = message.length === 9 ? readOffset(message, 1) : undefined
      return offset === undefined ? undefined : { kind: 'kept', offset }
    }
    default:
      return undefined
  }
}

/** What goes before the bytes in a frame of output. */
export function outputHead({ stream, offset }: { readonly stream: OutputStream; readonly offset: number }): Uint8Array {
  const head = new Uint8Array(10)
  head[0] = OUTPUT
  head[1] = stream === 'err' ? 1 : 0
  writeOffset(head, 2, offset)
  return head
}

function offsetFrame(kind: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(9)
  bytes[0] = kind
  writeOffset(bytes, 1, offset)
  return bytes
}

function writeOffset(into: Uint8Array, at: number, offset: number): void {
  new DataView(into.buffer, into.byteOffset).setBigUint64(at, BigInt(offset))
}

function readOffset(from: Uint8Array, at: number): number | undefined {
  const offset = new DataView(from.buffer, from.byteOffset, from.byteLength).getBigUint64(at)
  return offset <= BigInt(MAX_OFFSET) ? Number(offset) : undefined
}

function parseJson<T>(schema: z.ZodType<T>, bytes: Uint8Array): T | undefined {
  if (bytes.length > MAX_JSON_BYTES) return undefined
  let value: unknown
  try {
    value = JSON.parse(fromUtf8(bytes))
  } catch {
    return undefined // not UTF-8 or not JSON
  }
  const parsed = schema.safeParse(value)
  return parsed.success ? parsed.data : undefined
}
