import type * as Y from 'yjs'
import type { DocId } from '../base/ids.ts'
import { isSessionId } from './session-ids.ts'
import { SessionError } from './session-error.ts'
import type { SessionState } from './session-state.ts'

const PREFIX = 'text/'

/** Longest text a buffer is started with, in UTF-16 units: what the editor opens (files contract), every byte a character. */
export const MAX_BUFFER_LENGTH = 8 * 1024 * 1024

/**
 * The document of an unsaved text.
 *
 * @throws SessionError `session/bad-id`
 */
export function textDocId(bufferId: string): DocId {
  if (!isSessionId(bufferId)) throw SessionError.badId(bufferId)
  return `${PREFIX}${bufferId}` as DocId
}

/**
 * Unsaved text in its own Y.Doc (rule SE80): the text, and what is known of it. The tab that shows it names the document; saved or
 * discarded, the document is dropped everywhere. Owns nothing; the document belongs to whoever attached it.
 */
export class TextBuffer {
  readonly doc: Y.Doc
  /** What the editor binds to. */
  readonly text: Y.Text

  constructor(doc: Y.Doc) {
    this.doc = doc
    this.text = doc.getText('text')
  }

  /**
   * Puts the file's content into a new buffer. Only the display that made the buffer calls it, once: a buffer with text is left alone,
   * so that a repeat does not double it.
   *
   * @throws RangeError  longer than MAX_BUFFER_LENGTH
   */
  start(content: string, language: string | null, origin: unknown = this): void {
    if (content.length > MAX_BUFFER_LENGTH) throw new RangeError(`a text buffer holds at most ${MAX_BUFFER_LENGTH} characters`)
    if (this.text.length > 0 || this.doc.getMap('meta').get('started') === true) return
    this.doc.transact(() => {
      if (content !== '') this.text.insert(0, content)
      this.doc.getMap('meta').set('started', true)
      if (language !== null) this.doc.getMap('meta').set('language', language.slice(0, 40))
    }, origin)
  }

  /** True once its content has arrived here: before, an empty text only means that it is still on its way. */
  get isStarted(): boolean {
    return this.doc.getMap('meta').get('started') === true
  }

  /** Language name for highlighting; null: by file name. */
  get language(): string | null {
    const value = this.doc.getMap('meta').get('language')
    return typeof value === 'string' && value.length <= 40 ? value : null
  }

  setLanguage(language: string | null, origin: unknown = this): void {
    this.doc.transact(() => {
      if (language === null) this.doc.getMap('meta').delete('language')
      else this.doc.getMap('meta').set('language', language.slice(0, 40))
    }, origin)
  }
}

/**
 * Every text document something still leads to: open tabs, what can be reopened, and closes that can be undone. Others may be dropped
 * once all devices have seen this state.
 */
export function textDocsInUse(state: SessionState): ReadonlySet<string> {
  const inUse = new Set<string>()
  const note = (value: unknown): void => {
    if (typeof value === 'object' && value !== null && 'textDoc' in value && typeof value.textDoc === 'string') inUse.add(value.textDoc)
  }
  for (const tab of Object.values(state.tabs)) note(tab.app)
  for (const item of state.closed) for (const [, value] of item.records) note(value)
  for (const entry of state.undo) for (const [, was] of entry.steps) note(was)
  return inUse
}
