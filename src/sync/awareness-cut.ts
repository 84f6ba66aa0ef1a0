import { encoding } from './lib0.ts'
import { utf8 } from '../base/bytes.ts'
import { BoundedReader } from './bounded-reader.ts'
import { malformed } from './sync-error.ts'

/** Pointer, focus and a drag: a few hundred bytes. */
export const MAX_AWARENESS_STATE_BYTES = 16_384
/** Displays that speak in one message. */
export const MAX_AWARENESS_ENTRIES = 256

/** What one client says of itself. `json` is `null` when it has gone. */
export interface AwarenessEntry {
  readonly clientId: number
  readonly clock: number
  readonly json: string
}

/** @throws SyncError `sync/malformed` (also: a state that is neither an object nor null), `sync/too-large` */
export function readAwareness(update: Uint8Array): AwarenessEntry[] {
  const reader = new BoundedReader(update, 'an awareness update')
  const entries = Array.from({ length: reader.uint(MAX_AWARENESS_ENTRIES) }, () => ({
    clientId: reader.uint(),
    clock: reader.uint(),
    json: reader.text(MAX_AWARENESS_STATE_BYTES),
  }))
  reader.end()
  for (const { json } of entries) checkState(json)
  return entries
}

/** @throws SyncError `sync/malformed`  not the JSON of an object or null */
export function checkState(json: string): void {
  let state: unknown
  try {
    state = JSON.parse(json)
  } catch (error) {
    throw malformed('an awareness state', error)
  }
  if (typeof state !== 'object' || Array.isArray(state)) throw malformed('an awareness state')
}

export function writeAwareness(entries: readonly AwarenessEntry[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, entries.length)
  for (const { clientId, clock, json } of entries) {
    encoding.writeVarUint(encoder, clientId)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarUint8Array(encoder, utf8(json))
  }
  return encoding.toUint8Array(encoder)
}

/** The part of an awareness update that is about clients of `isOwn`; undefined when nothing is left. */
export function cutAwareness(update: Uint8Array, isOwn: (clientId: number) => boolean): Uint8Array | undefined {
  const own = readAwareness(update).filter((entry) => isOwn(entry.clientId))
  return own.length > 0 ? writeAwareness(own) : undefined
}
