import type { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { LineEnd } from './line-ends.ts'
import { TextHistory } from './text-history.ts'

/** Marks what undo and redo do to the text: shown in the editor, never recorded again. */
export const HISTORY_ORIGIN = { name: 'editor/history' }

/**
 * One text inside a Y.Doc: the characters, the steps that can be undone, and its line ends. The same shape in the private
 * document of a saved file (never sent) and in the shared one of an unsaved text (`text/<id>`).
 */
export class TextBuffer {
  readonly doc: Y.Doc
  readonly text: Y.Text
  readonly history: TextHistory
  readonly awareness: Awareness | undefined
  readonly #facts: Y.Map<unknown>

  constructor(doc: Y.Doc, awareness?: Awareness) {
    this.doc = doc
    this.text = doc.getText('text')
    this.history = new TextHistory(doc, this.text, HISTORY_ORIGIN)
    this.awareness = awareness
    this.#facts = doc.getMap('facts')
  }

  /** A document of this display alone, holding `text`. `from`: the buffer it goes on from. */
  static private(text: string, lineEnd: LineEnd, from?: TextBuffer): TextBuffer {
    const buffer = new TextBuffer(new Y.Doc())
    buffer.fill(text, lineEnd, from)
    return buffer
  }

  /** Has been given its first content: a document that is still on its way, or was dropped, has not. */
  get filled(): boolean {
    return this.#facts.get('filled') === true
  }

  get lineEnd(): LineEnd {
    return this.#facts.get('lineEnd') === '\r\n' ? '\r\n' : '\n'
  }

  /** First content. `from`: the buffer it goes on from; its steps can still be undone. */
  fill(text: string, lineEnd: LineEnd, from?: TextBuffer): void {
    this.doc.transact(() => {
      this.text.insert(0, text)
      this.#facts.set('lineEnd', lineEnd)
      this.#facts.set('filled', true)
      if (from) this.history.take(from.history)
    }, HISTORY_ORIGIN)
  }

  /** Resolves once there is content; rejects when aborted. */
  whenFilled(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!this.filled && !signal.aborted) return
        this.#facts.unobserve(check)
        signal.removeEventListener('abort', check)
        if (this.filled) resolve()
        else reject(signal.reason)
      }
      this.#facts.observe(check)
      signal.addEventListener('abort', check)
      check()
    })
  }
}
