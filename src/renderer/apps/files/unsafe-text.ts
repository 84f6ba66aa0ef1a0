import type { DatasetStatus } from '../../../files/dataset-contract.ts'
import { countText } from '../plain-words.ts'

/** `3 changes not yet on another device` */
export const unsafeText = (versions: number): string => `${countText(versions, 'change', 'changes')} not yet on another device`

/** Why this device lets go of nothing, however full it is. */
export function heldText({ unreadable, unheard = [], untilMs }: NonNullable<DatasetStatus['held']>): string {
  if (unreadable > 0)
    return `Keeps all bytes: ${countText(unreadable, 'part', 'parts')} of what was changed here cannot be read yet; link your other devices`
  const until = untilMs === undefined ? '' : `until ${new Date(untilMs).toLocaleDateString()}`
  if (unheard.length > 0) return `Keeps all bytes until ${unheard.join(', ')} was linked once, or ${until}: its list of files was damaged`
  return `Keeps all bytes ${until}: its list of files was damaged, and part of its history is lost`
}
