import { encoding } from './lib0.ts'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import { deviceIdOf, publicKeyOf, type DeviceId, type DocId } from '../base/ids.ts'
import { sha256 } from '../base/sha256.ts'
import { BoundedReader } from './bounded-reader.ts'
import { MAX_CLIENT_NUMBER, START_BYTES, type ClientName, type StartId } from './client-ids.ts'
import type { DeviceCheck, DeviceSigner } from './device-check.ts'
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

export function writeRef(encoder: encoding.Encoder, ref: EnvelopeRef, publicKey = publicKeyOf(ref.device)): void {
  encoding.writeUint8Array(encoder, publicKey)
  encoding.writeUint8Array(encoder, fromHex(ref.start))
  encoding.writeVarUint(encoder, ref.seq)
}

export function readRef(reader: BoundedReader): EnvelopeRef {
  return { device: deviceIdOf(reader.raw(DEVICE_BYTES)), start: toHex(reader.raw(START_BYTES)) as StartId, seq: reader.uint() }
}

/** All but the sealed bytes, in a buffer that the next envelope's takes: one of its own costs as much as half a signature. */
const head = encoding.createEncoder()
head.cbuf = new Uint8Array(16_384)

/** Whoever signs, signs much: to read its id costs a sixth of a signature. */
const signerKeys = new WeakMap<DeviceSigner, Uint8Array>()

function publicKeyOfSigner(signer: DeviceSigner): Uint8Array {
  let key = signerKeys.get(signer)
  if (!key) signerKeys.set(signer, (key = publicKeyOf(signer.device)))
  return key
}

function encodeHead(envelope: Omit<Envelope, 'sig'>, publicKey: Uint8Array): Uint8Array {
  const encoder = head
  encoder.cpos = 0
  encoding.writeUint8(encoder, ENVELOPE_VERSION)
  encoding.writeVarString(encoder, envelope.doc)
  writeRef(encoder, envelope, publicKey)
  encoding.writeUint8Array(encoder, envelope.prevHash)
  encoding.writeVarUint(encoder, envelope.epoch)
  encoding.writeVarUint(encoder, envelope.deps.length)
  for (const dep of envelope.deps) writeRef(encoder, dep)
  encoding.writeVarUint(encoder, envelope.clients.length)
  for (const { start, n } of envelope.clients) {
    encoding.writeUint8Array(encoder, fromHex(start))
    encoding.writeVarUint(encoder, n)
  }
  encoding.writeVarUint(encoder, envelope.update.length)
  if (encoder.bufs.length > 0) throw new RangeError('the caps of an envelope were not kept to')
  return encoder.cbuf.subarray(0, encoder.cpos)
}

/** Signs and encodes. The caller has kept to the caps above. */
export function signEnvelope(envelope: Omit<Envelope, 'sig' | 'device'>, signer: DeviceSigner): { bytes: Uint8Array; envelope: Envelope } {
  const unsigned = { ...envelope, device: signer.device }
  const start = encodeHead(unsigned, publicKeyOfSigner(signer))
  const bytes = new Uint8Array(start.length + unsigned.update.length + SIG_BYTES)
  bytes.set(start)
  bytes.set(unsigned.update, start.length)
  const sig = signer.sign(signedPartOf(bytes))
  bytes.set(sig, bytes.length - SIG_BYTES)
  return { bytes, envelope: { ...unsigned, sig } }
}

/** Did the device that these bytes name sign them? `envelope` is what they say. */
export const isSigned = (check: Pick<DeviceCheck, 'verify'>, envelope: Envelope, bytes: Uint8Array): boolean =>
  check.verify(envelope.device, signedPartOf(bytes), envelope.sig)

/** What the signature of these envelope bytes covers: a domain prefix and every byte before the signature. Good until the next call. */
export const signedPartOf = (bytes: Uint8Array): Uint8Array => prefixed(SIGN_PREFIX, bytes.subarray(0, bytes.length - SIG_BYTES))

/** Names an envelope by content: the `prevHash` of its successor. */
export const hashEnvelope = (bytes: Uint8Array): Uint8Array => sha256(prefixed(HASH_PREFIX, bytes))

/** Most envelopes fit; a larger one gets a buffer of its own. */
const room = new Uint8Array(65_536)

function prefixed(prefix: Uint8Array, bytes: Uint8Array): Uint8Array {
  const length = prefix.length + bytes.length
  const whole = length <= room.length ? room.subarray(0, length) : new Uint8Array(length)
  whole.set(prefix)
  whole.set(bytes, prefix.length)
  return whole
}

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
  const update = reader.view(MAX_SEALED_BYTES) // whoever keeps an envelope keeps its bytes, too
  const sig = reader.raw(SIG_BYTES)
  reader.end()
  if (ref.seq < 1) throw new SyncError('sync/malformed', 'an envelope with sequence 0 was dropped: the first is 1')
  return { doc, ...ref, prevHash, epoch, deps, clients, update, sig }
}
