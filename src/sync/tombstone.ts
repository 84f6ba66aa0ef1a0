import { encoding } from './lib0.ts'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { deviceIdOf, publicKeyOf, type DeviceId, type DocId } from '../base/ids.ts'
import { BoundedReader } from './bounded-reader.ts'
import type { DeviceCheck, DeviceSigner } from './device-check.ts'
import { MAX_DOC_BYTES } from './envelope.ts'
import { Frontier, readFrontier, writeFrontier } from './frontier.ts'
import { SyncError } from './sync-error.ts'

/** A signed statement that a text document was saved or closed: every device drops it. */
export interface Tombstone {
  readonly doc: DocId
  readonly device: DeviceId
  readonly atMs: number
  /** What the dropper had seen; a device that holds more keeps a copy aside for the person. */
  readonly frontier: Frontier
}

export const TOMBSTONE_VERSION = 1
export const MAX_TOMBSTONE_BYTES = 1 << 20
const SIGN_PREFIX = utf8('elsewhere/tombstone/v1\0')
const SIG_BYTES = 64

/** The workspace is never dropped; only texts are. */
export const isTextDoc = (doc: string): boolean => /^text\/[A-Za-z0-9_-]{1,100}$/.test(doc)

export function signTombstone(doc: DocId, frontier: Frontier, atMs: number, signer: DeviceSigner): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, TOMBSTONE_VERSION)
  encoding.writeVarString(encoder, doc)
  encoding.writeUint8Array(encoder, publicKeyOf(signer.device))
  encoding.writeVarUint(encoder, Math.floor(atMs))
  writeFrontier(encoder, frontier)
  const body = encoding.toUint8Array(encoder)
  return concatBytes(body, signer.sign(concatBytes(SIGN_PREFIX, body)))
}

/** @throws SyncError `sync/malformed`, `sync/too-large`, `sync/version`, `sync/wrong-doc`, `sync/not-a-member`, `sync/bad-signature` */
export function openTombstone(bytes: Uint8Array, check: DeviceCheck): Tombstone {
  if (bytes.length > MAX_TOMBSTONE_BYTES) throw new SyncError('sync/too-large', `a tombstone of ${bytes.length} bytes was dropped`)
  const reader = new BoundedReader(bytes, 'a tombstone')
  const version = reader.u8()
  if (version !== TOMBSTONE_VERSION) throw new SyncError('sync/version', `a tombstone of format ${version} was dropped: update this device`)
  const doc = reader.text(MAX_DOC_BYTES) as DocId
  const device = deviceIdOf(reader.raw(32))
  const atMs = reader.uint()
  const frontier = readFrontier(reader)
  const signedEnd = reader.position
  const sig = reader.raw(SIG_BYTES)
  reader.end()
  if (!isTextDoc(doc)) throw new SyncError('sync/wrong-doc', `a tombstone for ${doc} was dropped: only texts can be dropped`)
  if (!check.isMember(device))
    throw new SyncError('sync/not-a-member', `a tombstone by device ${device} was dropped: it is not on the list`)
  if (!check.verify(device, concatBytes(SIGN_PREFIX, bytes.subarray(0, signedEnd)), sig)) {
    throw new SyncError('sync/bad-signature', `a tombstone that device ${device} did not sign was dropped`)
  }
  return { doc, device, atMs, frontier }
}
