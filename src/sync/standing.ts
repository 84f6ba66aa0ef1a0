import type { DocId } from '../base/ids.ts'
import type { DeviceCheck } from './device-check.ts'
import type { EnvelopeRef } from './envelope.ts'

/** How an envelope stands: `void` leaves its places and nothing in them (rule SY48); `none`: it is not taken. */
export function standingOf(check: DeviceCheck, doc: DocId, ref: EnvelopeRef): 'counts' | 'void' | 'none' {
  if (check.isMember(ref.device)) return 'counts'
  const last = check.countsUpTo?.(doc, ref)
  return last === undefined ? 'none' : ref.seq <= last ? 'counts' : 'void'
}
