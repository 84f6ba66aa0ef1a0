import { equalBytes } from '../base/bytes.ts'
import type { DocId } from '../base/ids.ts'
import type { SyncContext } from './sync-context.ts'

/** Which cuts the content of each document was made under. */
export const CUTS_SPACE = 'cuts'

/** What removals said of the document when its content was made here (see excision.ts). */
export const appliedCuts = (context: Pick<SyncContext, 'store'>, doc: DocId): Uint8Array | undefined => context.store.get(CUTS_SPACE, doc)

export const isSameCuts = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : equalBytes(a, b)
