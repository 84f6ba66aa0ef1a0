/** A named set of windows the person switches between. */
export type ActivityId = string & { readonly __brand: 'ActivityId' }
/** A window: exists as long as one of its tabs does (rule SE10). */
export type WindowId = string & { readonly __brand: 'WindowId' }
export type TabId = string & { readonly __brand: 'TabId' }

/** Ids end up inside record keys, whose parts are divided by colons. */
const SESSION_ID = /^[A-Za-z0-9_-]{1,64}$/

/** True for text that may be an activity's, window's, tab's, closed item's or undo entry's id. What every object has is none. */
export const isSessionId = (text: string): boolean => SESSION_ID.test(text) && !(text in Object.prototype)
