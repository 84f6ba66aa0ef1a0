import * as Y from 'yjs'
import { encoding } from './lib0.ts'
import type { DocId } from '../base/ids.ts'
import { BoundedReader } from './bounded-reader.ts'
import { CausalState } from './causal-state.ts'
import { standingOf } from './standing.ts'
import { decodeEnvelope, hashEnvelope, sealContextOf } from './envelope.ts'
import { Frontier } from './frontier.ts'
import type { SyncContext } from './sync-context.ts'
import { malformed } from './sync-error.ts'
import { voidUpdate } from './void-update.ts'

const STATE_VERSION = 1
const READ_BYTES = 1 << 20

/** What a load starts from instead of the whole log: everything up to `position`, in one update. */
export interface ReplicaState {
  readonly position: number
  readonly causal: CausalState
  /** Envelopes since the last snapshot: counted over restarts, or a device that is started daily would never make one. */
  readonly sinceSnapshot: number
  readonly update: Uint8Array
}

/** For the log's `saveState`, which seals it: it never leaves this device. */
export function writeReplicaState(state: ReplicaState): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, STATE_VERSION)
  encoding.writeVarUint(encoder, state.position)
  encoding.writeVarUint(encoder, state.sinceSnapshot)
  state.causal.write(encoder)
  encoding.writeVarUint8Array(encoder, state.update)
  return encoding.toUint8Array(encoder)
}

/** @throws SyncError `sync/malformed` */
export function readReplicaState(bytes: Uint8Array): ReplicaState {
  const reader = new BoundedReader(bytes, 'a cached state')
  if (reader.u8() !== STATE_VERSION) throw malformed('a cached state')
  const position = reader.uint()
  const sinceSnapshot = reader.uint()
  const causal = CausalState.read(reader)
  const update = reader.bytes(Number.MAX_SAFE_INTEGER)
  reader.end()
  return { position, causal, sinceSnapshot, update }
}

/**
 * Fills an empty `doc` from the log: cached state, then the envelopes behind it. Signatures are not checked again: the
 * gate did, and the store seals what it keeps.
 *
 * @returns where the replica stands, and how many envelopes had to be replayed
 * @throws StoreError `store/damaged`, DomainError `vault/unsealable`  what lies there cannot be read
 */
export function loadReplica(context: SyncContext, docId: DocId, doc: Y.Doc, origin: unknown): ReplicaState & { replayed: number } {
  const stored = context.log.loadState(docId)
  const state = stored
    ? readReplicaState(stored)
    : { position: 0, causal: new CausalState(), sinceSnapshot: 0, update: Uint8Array.of(0, 0) }
  Y.applyUpdate(doc, state.update, origin)
  let { position } = state
  let replayed = 0
  for (let isLast = false; !isLast; ) {
    const page = context.log.page(docId, { after: position, have: new Frontier(), maxBytes: READ_BYTES })
    doc.transact(() => {
      for (const { bytes } of page.rows) {
        const envelope = decodeEnvelope(bytes)
        if (state.causal.frontier.covers(envelope)) continue
        const sealed = new Uint8Array(context.seal.open(envelope.epoch, envelope.update, sealContextOf(envelope)))
        const update = standingOf(context.check, docId, envelope) === 'void' ? voidUpdate(sealed) : sealed
        state.causal.advance(envelope, hashEnvelope(bytes))
        Y.applyUpdate(doc, update, origin)
        replayed++
      }
    }, origin)
    position = page.next
    isLast = page.isLast
  }
  return { ...state, position, sinceSnapshot: state.sinceSnapshot + replayed, replayed }
}
