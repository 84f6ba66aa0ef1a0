import * as z from 'zod'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { Event } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import { LinkError } from './link-error.ts'

/** A description of one data-channel connection is about 1 KiB. */
const MAX_SDP_CHARACTERS = 8 * 1024
const MAX_CANDIDATES = 32
/** Longest note in bytes; rendezvous and wire carry a little more for sealing and framing. */
export const MAX_NOTE_BYTES = 24 * 1024

const attempt = z.string().regex(/^[0-9a-f]{32}$/)
const sdp = z.string().min(1).max(MAX_SDP_CHARACTERS)
const candidate = z.strictObject({
  on: z.enum(['live', 'bulk']),
  candidate: z.string().max(512),
  mid: z.string().max(16),
})

/**
 * What two devices tell each other before they are connected. It is only a hint where to knock: nothing in it is trusted,
 * the proof comes on the connection itself. `attempt` is made up by the offering side.
 */
export const signalNote = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('offer'), attempt, live: sdp, bulk: sdp.optional() }),
  z.strictObject({ kind: z.literal('answer'), attempt, live: sdp, bulk: sdp.optional() }),
  z.strictObject({ kind: z.literal('candidates'), attempt, list: z.array(candidate).max(MAX_CANDIDATES) }),
])
export type SignalNote = z.infer<typeof signalNote>

export const encodeNote = (note: SignalNote): Uint8Array => utf8(JSON.stringify(note))

/** @throws LinkError `link/bad-hello`  not a note, or too long */
export function decodeNote(bytes: Uint8Array): SignalNote {
  if (bytes.length > MAX_NOTE_BYTES) throw LinkError.badHello(`a note of ${bytes.length} bytes`)
  try {
    return signalNote.parse(JSON.parse(fromUtf8(bytes)))
  } catch (cause) {
    throw new LinkError('link/bad-hello', LinkError.badHello('a note of unknown shape').message, { cause })
  }
}

/**
 * A way to leave notes with devices one is not linked to: over rendezvous, over a link that is about to be replaced, or in
 * memory. Who `from` is was claimed, not proved.
 */
export interface Signaling {
  /** Best effort; false when that device cannot be reached this way now. */
  send(to: DeviceId, note: SignalNote): boolean
  readonly onDidReceive: Event<{ readonly from: DeviceId; readonly note: SignalNote }>
  /** That device can be reached this way now. Fires again each time it comes back. */
  readonly onDidSeePeer: Event<DeviceId>
  /** Who can be reached now. */
  readonly peers: ReadonlySet<DeviceId>
}
