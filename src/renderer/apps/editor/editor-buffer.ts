import type { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { TextBuffer } from '../../../session/text-buffer.ts'
import type { LineEnd } from './line-ends.ts'
import { TextHistory } from './text-history.ts'

/** Marks what undo and redo do to the text: shown in the editor, never recorded again. */
export const HISTORY_ORIGIN = { name: 'editor/history' }

/**
 * A text buffer with what the editor adds: the steps that can be undone, and the line ends of its file. The same shape in
 * the private document of a saved file (never sent) and in the shared one of an unsaved text (`text/<id>`).
 */
export class EditorBuffer {
  readonly doc: Y.Doc
  readonly text: Y.Text
  readonly history: TextHistory
  readonly awareness: Awareness | undefined
  readonly #buffer: TextBuffer
  readonly #meta: Y.Map<unknown>

  constructor(doc: Y.Doc, awareness?: Awareness) {
    this.doc = doc
    this.#buffer = new TextBuffer(doc)
    this.text = this.#buffer.text
    this.history = new TextHistory(doc, this.text, HISTORY_ORIGIN)
    this.awareness = awareness
    this.#meta = doc.getMap('meta')
  }

  /** A document of this display alone, holding `text`. `from`: the buffer it goes on from. */
  static private(text: string, lineEnd: LineEnd, from?: EditorBuffer): EditorBuffer {
    const buffer = new EditorBuffer(new Y.Doc())
    buffer.start(text, lineEnd, from)
    return buffer
  }

  /** Its first content is here: a document that is still on its way, or was dropped, has none. */
  get isStarted(): boolean {
    return this.#buffer.isStarted
  }

  get lineEnd(): LineEnd {
    return this.#meta.get('lineEnd') === '\r\n' ? '\r\n' : '\n'
  }

  /** First content. `from`: the buffer it goes on from; its steps can still be undone. */
  start(text: string, lineEnd: LineEnd, from?: EditorBuffer): void {
    this.doc.transact(() => {
      this.#buffer.start(text, null, HISTORY_ORIGIN)
      this.#meta.set('lineEnd', lineEnd)
      if (from) this.history.take(from.history)
    }, HISTORY_ORIGIN)
  }

  /** Resolves once there is content; rejects when aborted. */
  whenStarted(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!this.isStarted && !signal.aborted) return
        this.#meta.unobserve(check)
        signal.removeEventListener('abort', check)
        if (this.isStarted) resolve()
        else reject(signal.reason)
      }
      this.#meta.observe(check)
      signal.addEventListener('abort', check)
      check()
    })
  }
}
