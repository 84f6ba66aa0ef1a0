import { encoding } from './lib0.ts'
import { concatBytes, equalBytes, toHex, utf8 } from '../base/bytes.ts'
import { deviceIdOf, publicKeyOf, type DeviceId, type DocId } from '../base/ids.ts'
import { sha256 } from '../base/sha256.ts'
import { BoundedReader } from './bounded-reader.ts'
import { CausalState } from './causal-state.ts'
import type { DeviceCheck, DeviceSigner } from './device-check.ts'
import { HASH_BYTES, MAX_DOC_BYTES } from './envelope.ts'
import type { Frontier } from './frontier.ts'
import type { EnvelopeSeal } from './envelope-seal.ts'
import { SyncError } from './sync-error.ts'

/** A whole document at one frontier, signed by the device that made it. Spares an asker the log before it. */
export interface Snapshot {
  readonly doc: DocId
  readonly device: DeviceId
  readonly epoch: number
  readonly causal: CausalState
  /** Everything up to the frontier as one Yjs update. */
  readonly update: Uint8Array
  /** What removals said of the document when it was made (rule SY49): it holds nothing of what they take out. */
  readonly cuts: Uint8Array | undefined
}

export const SNAPSHOT_VERSION = 1
/** As version 1, with what removals said of the document behind the epoch. Only written where they said something. */
const SNAPSHOT_VERSION_WITH_CUTS = 2
/** A workspace stays under 5 MB after a million changes; six times that. */
export const MAX_SNAPSHOT_UPDATE_BYTES = 32 << 20
export const MAX_SNAPSHOT_BYTES = MAX_SNAPSHOT_UPDATE_BYTES + (4 << 20)
/** Clocks a snapshot may bring at once. 64 Gi: no document has as many, and no client id is burnt by it. */
export const MAX_SNAPSHOT_JUMP = 2 ** 36
const SIG_BYTES = 64
const SIGN_PREFIX = utf8('elsewhere/snapshot/v1\0')

const contextOf = (doc: DocId, device: DeviceId, hash: Uint8Array): string => `snapshot\n${doc}\n${device}\n${toHex(hash)}`

/** Seals and signs the state of a document. `update` holds exactly what `causal` covers, without what `cuts` take out. */
export function signSnapshot(
  doc: DocId,
  causal: CausalState,
  update: Uint8Array,
  seal: EnvelopeSeal,
  signer: DeviceSigner,
  cuts?: Uint8Array,
): Uint8Array {
  const hash = sha256(update)
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, cuts ? SNAPSHOT_VERSION_WITH_CUTS : SNAPSHOT_VERSION)
  encoding.writeVarString(encoder, doc)
  encoding.writeUint8Array(encoder, publicKeyOf(signer.device))
  encoding.writeVarUint(encoder, seal.epoch)
  if (cuts) encoding.writeUint8Array(encoder, cuts)
  causal.write(encoder)
  encoding.writeUint8Array(encoder, hash)
  encoding.writeVarUint8Array(encoder, seal.seal(update, contextOf(doc, signer.device, hash)))
  const body = encoding.toUint8Array(encoder)
  return concatBytes(body, signer.sign(concatBytes(SIGN_PREFIX, body)))
}

export const maySnapshot = (check: DeviceCheck, device: DeviceId): boolean => check.maySnapshot?.(device) ?? true

/** What a snapshot of our own store covers; nothing is checked. */
export const frontierOfSnapshot = (bytes: Uint8Array): Frontier => headOfSnapshot(bytes).frontier

/** Would whoever is asked here take this snapshot of our own store? Its signer may have been removed, or be no admin any more. */
export function isSnapshotGood(check: DeviceCheck, bytes: Uint8Array): boolean {
  const { device } = headOfSnapshot(bytes)
  return check.isMember(device) && maySnapshot(check, device)
}

function headOfSnapshot(bytes: Uint8Array): { readonly device: DeviceId; readonly frontier: Frontier } {
  const reader = new BoundedReader(bytes, 'a snapshot')
  const version = reader.u8()
  reader.text(MAX_DOC_BYTES)
  const device = deviceIdOf(reader.raw(32))
  reader.uint()
  if (version === SNAPSHOT_VERSION_WITH_CUTS) reader.raw(HASH_BYTES)
  return { device, frontier: CausalState.read(reader).frontier }
}

/**
 * Reads a snapshot and checks who made it and that its content is what was signed.
 *
 * @throws SyncError `sync/malformed`, `sync/too-large`, `sync/version`, `sync/wrong-doc`, `sync/not-a-member`,
 *   `sync/not-an-admin`, `sync/bad-signature`, `sync/no-epoch-key`
 */
export function openSnapshot(bytes: Uint8Array, doc: DocId, check: DeviceCheck, seal: EnvelopeSeal): Snapshot {
  if (bytes.length > MAX_SNAPSHOT_BYTES) throw new SyncError('sync/too-large', `a snapshot of ${bytes.length} bytes was dropped`)
  const reader = new BoundedReader(bytes, 'a snapshot')
  const version = reader.u8()
  if (version !== SNAPSHOT_VERSION && version !== SNAPSHOT_VERSION_WITH_CUTS)
    throw new SyncError('sync/version', `a snapshot of format ${version} was dropped: update this device`)
  const named = reader.text(MAX_DOC_BYTES)
  if (named !== doc) throw new SyncError('sync/wrong-doc', `a snapshot of ${named} came for document ${doc}: it was dropped`)
  const device = deviceIdOf(reader.raw(32))
  const epoch = reader.uint()
  const cuts = version === SNAPSHOT_VERSION_WITH_CUTS ? reader.raw(HASH_BYTES) : undefined
  const causal = CausalState.read(reader)
  const hash = reader.raw(HASH_BYTES)
  const sealed = reader.bytes(MAX_SNAPSHOT_UPDATE_BYTES + 1024)
  const signedEnd = reader.position
  const sig = reader.raw(SIG_BYTES)
  reader.end()
  if (!check.isMember(device)) {
    throw new SyncError('sync/not-a-member', `a snapshot by device ${device} was dropped: it is not on the device list here`)
  }
  if (!maySnapshot(check, device)) {
    throw new SyncError('sync/not-an-admin', `a snapshot by device ${device} was dropped: only an admin's word on a whole document counts`)
  }
  if (!check.verify(device, concatBytes(SIGN_PREFIX, bytes.subarray(0, signedEnd)), sig)) {
    throw new SyncError('sync/bad-signature', `a snapshot that device ${device} did not sign was dropped`)
  }
  const update = openUpdate(seal, epoch, sealed, contextOf(doc, device, hash))
  if (!equalBytes(sha256(update), hash)) {
    throw new SyncError('sync/bad-signature', `a snapshot by device ${device} was dropped: its content is not what was signed`)
  }
  return { doc, device, epoch, causal, update, cuts }
}

function openUpdate(seal: EnvelopeSeal, epoch: number, sealed: Uint8Array, context: string): Uint8Array {
  try {
    return new Uint8Array(seal.open(epoch, sealed, context))
  } catch (cause) {
    throw new SyncError('sync/no-epoch-key', `a snapshot of epoch ${epoch} cannot be unsealed here: it was dropped`, { cause })
  }
}
