import { sha256 } from '@noble/hashes/sha2.js'
import { encoding } from './lib0.ts'
import { concatBytes, fromHex, toHex, utf8 } from '../base/bytes.ts'
import { deviceIdOf, publicKeyOf, type DeviceId, type DocId } from '../base/ids.ts'
import { BoundedReader } from './bounded-reader.ts'
import { MAX_CLIENT_NUMBER, START_BYTES, type ClientName, type StartId } from './client-ids.ts'
import type { DeviceSigner } from './device-check.ts'
import { SyncError } from './sync-error.ts'

/** One envelope of one device and start: the unit of the causal order. */
export interface EnvelopeRef {
  readonly device: DeviceId
  readonly start: StartId
  /** 1 for the first envelope of a start in a document. */
  readonly seq: number
}

/**
 * One signed batch of updates to one document. The unit that replicates; its bytes never change on their way.
 * `update` is sealed for the person's devices; `sig` covers every byte before it.
 */
export interface Envelope extends EnvelopeRef {
  readonly doc: DocId
  /** Hash of the envelope before this one of the same document, device and start; zeros for the first. */
  readonly prevHash: Uint8Array
  readonly epoch: number
  /** Heads of the causal order it was made on, other than its own predecessor. Compact: what they depend on is implied. */
  readonly deps: readonly EnvelopeRef[]
  /** Whose Yjs client ids the update uses. */
  readonly clients: readonly ClientName[]
  readonly update: Uint8Array
  readonly sig: Uint8Array
}

export const ENVELOPE_VERSION = 1
export const HASH_BYTES = 32
const SIG_BYTES = 64
const DEVICE_BYTES = 32
export const MAX_DOC_BYTES = 128
/** Above what a person pastes at once; below what a display's channel carries (16 MiB). */
export const MAX_UPDATE_BYTES = 8 << 20
/** Seal and framing added to a full update. */
export const MAX_SEALED_BYTES = MAX_UPDATE_BYTES + 1024
/** Concurrent heads one envelope merges; a replica that has more makes another envelope first. */
export const MAX_DEPS = 64
/** Client ids in one envelope: displays attached to one device at once, and a margin. */
export const MAX_CLIENTS = 64
export const MAX_ENVELOPE_BYTES = MAX_SEALED_BYTES + 16_384

export const NO_HASH = new Uint8Array(HASH_BYTES)
const SIGN_PREFIX = utf8('elsewhere/envelope/v1\0')
const HASH_PREFIX = utf8('elsewhere/envelope-hash/v1\0')

/** Identifies a device's start: the key of a frontier. */
export const chainKeyOf = (ref: Pick<EnvelopeRef, 'device' | 'start'>): string => `${ref.device}/${ref.start}`
export const refKeyOf = (ref: EnvelopeRef): string => `${ref.device}/${ref.start}/${ref.seq}`

/** Bound into the seal, so that a sealed update cannot be moved to another envelope. */
export const sealContextOf = (ref: EnvelopeRef & { doc: DocId }): string => `${ref.doc}\n${refKeyOf(ref)}`

export function writeRef(encoder: encoding.Encoder, ref: EnvelopeRef): void {
  encoding.writeUint8Array(encoder, publicKeyOf(ref.device))
  encoding.writeUint8Array(encoder, fromHex(ref.start))
  encoding.writeVarUint(encoder, ref.seq)
}

export function readRef(reader: BoundedReader): EnvelopeRef {
  return { device: deviceIdOf(reader.raw(DEVICE_BYTES)), start: toHex(reader.raw(START_BYTES)) as StartId, seq: reader.uint() }
}

function encodeBody(envelope: Omit<Envelope, 'sig'>): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, ENVELOPE_VERSION)
  encoding.writeVarString(encoder, envelope.doc)
  writeRef(encoder, envelope)
  encoding.writeUint8Array(encoder, envelope.prevHash)
  encoding.writeVarUint(encoder, envelope.epoch)
  encoding.writeVarUint(encoder, envelope.deps.length)
  for (const dep of envelope.deps) writeRef(encoder, dep)
  encoding.writeVarUint(encoder, envelope.clients.length)
  for (const { start, n } of envelope.clients) {
    encoding.writeUint8Array(encoder, fromHex(start))
    encoding.writeVarUint(encoder, n)
  }
  encoding.writeVarUint8Array(encoder, envelope.update)
  return encoding.toUint8Array(encoder)
}

/** Signs and encodes. The caller has kept to the caps above. */
export function signEnvelope(envelope: Omit<Envelope, 'sig' | 'device'>, signer: DeviceSigner): { bytes: Uint8Array; envelope: Envelope } {
  const unsigned = { ...envelope, device: signer.device }
  const body = encodeBody(unsigned)
  const sig = signer.sign(concatBytes(SIGN_PREFIX, body))
  return { bytes: concatBytes(body, sig), envelope: { ...unsigned, sig } }
}

/** What the signature of these envelope bytes covers: a domain prefix and every byte before the signature. */
export const signedPartOf = (bytes: Uint8Array): Uint8Array => concatBytes(SIGN_PREFIX, bytes.subarray(0, bytes.length - SIG_BYTES))

/** Names an envelope by content: the `prevHash` of its successor. */
export const hashEnvelope = (bytes: Uint8Array): Uint8Array => sha256(concatBytes(HASH_PREFIX, bytes))

/**
 * Reads one envelope; nothing in it is believed yet (see gate.ts).
 *
 * @throws SyncError `sync/malformed`, `sync/too-large`, `sync/version`
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > MAX_ENVELOPE_BYTES) {
    throw new SyncError('sync/too-large', `an envelope of ${bytes.length} bytes was dropped: at most ${MAX_ENVELOPE_BYTES} are allowed`)
  }
  const reader = new BoundedReader(bytes, 'an envelope')
  const version = reader.u8()
  if (version !== ENVELOPE_VERSION) {
    throw new SyncError(
      'sync/version',
      `an envelope of format ${version} was dropped: this device reads format ${ENVELOPE_VERSION}; update it`,
    )
  }
  const doc = reader.text(MAX_DOC_BYTES) as DocId
  const ref = readRef(reader)
  const prevHash = reader.raw(HASH_BYTES)
  const epoch = reader.uint()
  const deps = Array.from({ length: reader.uint(MAX_DEPS) }, () => readRef(reader))
  const clients = Array.from({ length: reader.uint(MAX_CLIENTS) }, () => ({
    start: toHex(reader.raw(START_BYTES)) as StartId,
    n: reader.uint(MAX_CLIENT_NUMBER),
  }))
  const update = reader.bytes(MAX_SEALED_BYTES)
  const sig = reader.raw(SIG_BYTES)
  reader.end()
  if (ref.seq < 1) throw new SyncError('sync/malformed', 'an envelope with sequence 0 was dropped: the first is 1')
  return { doc, ...ref, prevHash, epoch, deps, clients, update, sig }
}
