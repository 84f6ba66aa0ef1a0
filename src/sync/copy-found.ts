import type { DeviceId, DocId } from '../base/ids.ts'
import type { StartId } from './client-ids.ts'

/**
 * Proof that a data folder was copied: two envelopes of one device, start and seq (its machine was cloned while it ran), or
 * of two starts that each build on the other (two processes ran at once from copies of one folder).
 */
export interface CopyFound {
  readonly doc: DocId
  readonly device: DeviceId
  readonly start: StartId
  readonly seq: number
  /** The other envelope; undefined when it is our own device that met its copy ahead of itself. */
  readonly first: Uint8Array | undefined
  readonly second: Uint8Array
}
