import { countText } from '../plain-words.ts'

/** `3 changes not yet on another device` */
export const unsafeText = (versions: number): string => `${countText(versions, 'change', 'changes')} not yet on another device`
