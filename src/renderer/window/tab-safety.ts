import type { AppState } from '../../session/app-state.ts'

/** What a tab's dot says of its content. `saved` shows no dot: nothing to worry about needs no sign. */
export interface TabSafety {
  readonly state: 'saved' | 'unsaved'
  readonly words: string
}

/**
 * Is what this tab holds safe? Text that is in no file yet is kept in the workspace's log; whether that is more than one
 * copy depends on the links.
 *
 * @param linked  how many other devices are linked right now
 */
export function tabSafety(app: AppState, linked: number): TabSafety {
  if (app.kind !== 'editor' || app.textDoc === null) return { state: 'saved', words: '' }
  const copies = linked > 0 ? 'kept on this and your linked devices' : 'kept here, not yet on another device'
  return { state: 'unsaved', words: `not saved to a file; ${copies}` }
}
