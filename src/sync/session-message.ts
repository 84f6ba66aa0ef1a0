import { encoding } from './lib0.ts'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import type { DocId } from '../base/ids.ts'
import { BoundedReader } from './bounded-reader.ts'
import { checkState, MAX_AWARENESS_ENTRIES, MAX_AWARENESS_STATE_BYTES } from './awareness-cut.ts'
import { MAX_CLIENT_NUMBER, START_BYTES, type ClientName, type StartId } from './client-ids.ts'
import { MAX_DOC_BYTES, MAX_ENVELOPE_BYTES } from './envelope.ts'
import { readFrontier, writeFrontier, type Frontier } from './frontier.ts'
import { MAX_SNAPSHOT_BYTES } from './snapshot.ts'
import { SyncError } from './sync-error.ts'
import { MAX_TOMBSTONE_BYTES } from './tombstone.ts'

/** What we speak on the session lane, and the oldest that we still read. */
export const SESSION_PROTOCOL = 1
export const OLDEST_SESSION_PROTOCOL = 1

/** First byte of every message. 0 to 4 are y-webrtc's own frame types and never cross a link. */
export const MESSAGE_BYTES = {
  hello: 0x10,
  have: 0x11,
  envelopes: 0x12,
  snapshot: 0x13,
  awareness: 0x14,
  dropped: 0x15,
  copied: 0x16,
} as const
export type MessageKind = keyof typeof MESSAGE_BYTES

/** What a display's awareness looks like between devices: named by (start, n), so that nobody can speak for another's display. */
export interface NamedAwareness extends ClientName {
  readonly clock: number
  readonly json: string
}

export type SessionMessage =
  | { readonly kind: 'hello'; readonly protocol: number; readonly oldest: number }
  /** I hold this much of `doc`; send me the rest, now and from now on. */
  | { readonly kind: 'have'; readonly doc: DocId; readonly epoch: number; readonly frontier: Frontier }
  /** In causal order. `isLast`: you now have all I have. May be empty then. */
  | { readonly kind: 'envelopes'; readonly doc: DocId; readonly isLast: boolean; readonly envelopes: readonly Uint8Array[] }
  | { readonly kind: 'snapshot'; readonly doc: DocId; readonly snapshot: Uint8Array }
  | { readonly kind: 'awareness'; readonly doc: DocId; readonly entries: readonly NamedAwareness[] }
  | { readonly kind: 'dropped'; readonly tombstone: Uint8Array }
  /** Proof that a data folder was copied: two envelopes of one name. `first` may be empty. */
  | { readonly kind: 'copied'; readonly doc: DocId; readonly first: Uint8Array; readonly second: Uint8Array }

/** Envelopes in one message; a page is cut by bytes long before. */
const MAX_PAGE_ENVELOPES = 10_000

export function encodeMessage(message: SessionMessage): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, MESSAGE_BYTES[message.kind])
  if ('doc' in message) encoding.writeVarString(encoder, message.doc)
  switch (message.kind) {
    case 'hello':
      encoding.writeVarUint(encoder, message.protocol)
      encoding.writeVarUint(encoder, message.oldest)
      break
    case 'have':
      encoding.writeVarUint(encoder, message.epoch)
      writeFrontier(encoder, message.frontier)
      break
    case 'envelopes':
      encoding.writeUint8(encoder, message.isLast ? 1 : 0)
      encoding.writeVarUint(encoder, message.envelopes.length)
      for (const bytes of message.envelopes) encoding.writeVarUint8Array(encoder, bytes)
      break
    case 'snapshot':
      encoding.writeVarUint8Array(encoder, message.snapshot)
      break
    case 'awareness':
      encoding.writeVarUint(encoder, message.entries.length)
      for (const { start, n, clock, json } of message.entries) {
        encoding.writeUint8Array(encoder, fromHex(start))
        encoding.writeVarUint(encoder, n)
        encoding.writeVarUint(encoder, clock)
        encoding.writeVarUint8Array(encoder, utf8(json))
      }
      break
    case 'dropped':
      encoding.writeVarUint8Array(encoder, message.tombstone)
      break
    case 'copied':
      encoding.writeVarUint8Array(encoder, message.first)
      encoding.writeVarUint8Array(encoder, message.second)
      break
  }
  return encoding.toUint8Array(encoder)
}

/**
 * Reads one message of a peer. A hello may have parts behind the ones we know (a newer peer's); nothing else may.
 *
 * @throws SyncError `sync/malformed`, `sync/too-large`; code `link/forbidden-frame` for a frame of y-webrtc's own
 */
export function decodeMessage(bytes: Uint8Array): SessionMessage {
  const reader = new BoundedReader(bytes, 'a message on the session lane')
  const type = reader.u8()
  if (type === MESSAGE_BYTES.hello) return { kind: 'hello', protocol: reader.uint(1_000_000), oldest: reader.uint(1_000_000) }
  const message = readBody(reader, type)
  reader.end()
  return message
}

function readBody(reader: BoundedReader, type: number): SessionMessage {
  if (type === MESSAGE_BYTES.dropped) return { kind: 'dropped', tombstone: reader.bytes(MAX_TOMBSTONE_BYTES) }
  if (type < MESSAGE_BYTES.have || type > MESSAGE_BYTES.copied) {
    throw new SyncError('sync/malformed', `a message of unknown type ${type} came on the session lane: the link is closed`)
  }
  const doc = reader.text(MAX_DOC_BYTES) as DocId
  switch (type) {
    case MESSAGE_BYTES.have:
      return { kind: 'have', doc, epoch: reader.uint(), frontier: readFrontier(reader) }
    case MESSAGE_BYTES.envelopes: {
      const isLast = reader.u8() === 1
      const envelopes = Array.from({ length: reader.uint(MAX_PAGE_ENVELOPES) }, () => reader.bytes(MAX_ENVELOPE_BYTES))
      return { kind: 'envelopes', doc, isLast, envelopes }
    }
    case MESSAGE_BYTES.snapshot:
      return { kind: 'snapshot', doc, snapshot: reader.bytes(MAX_SNAPSHOT_BYTES) }
    case MESSAGE_BYTES.awareness:
      return { kind: 'awareness', doc, entries: Array.from({ length: reader.uint(MAX_AWARENESS_ENTRIES) }, () => readNamed(reader)) }
    default:
      return { kind: 'copied', doc, first: reader.bytes(MAX_ENVELOPE_BYTES), second: reader.bytes(MAX_ENVELOPE_BYTES) }
  }
}

function readNamed(reader: BoundedReader): NamedAwareness {
  const start = toHex(reader.raw(START_BYTES)) as StartId
  const entry = { start, n: reader.uint(MAX_CLIENT_NUMBER), clock: reader.uint(), json: reader.text(MAX_AWARENESS_STATE_BYTES) }
  checkState(entry.json)
  return entry
}
