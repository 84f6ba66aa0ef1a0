import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, indentWithTab } from '@codemirror/commands'
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, type LanguageSupport } from '@codemirror/language'
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from '@codemirror/search'
import { Annotation, Compartment, EditorSelection, EditorState, type Extension, Transaction } from '@codemirror/state'
import {
  crosshairCursor,
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  rectangularSelection,
  type ViewUpdate,
} from '@codemirror/view'
import { yCollab, ySyncAnnotation } from 'y-codemirror.next'
import { type Disposable, DisposableStore } from '../../../base/disposable.ts'
import { Emitter } from '../../../base/emitter.ts'
import { editorTheme } from './editor-theme.ts'
import { changeBetween } from './rebase-text.ts'
import type { EditorBuffer } from './editor-buffer.ts'
import type { TextStep } from './text-history.ts'

/** Marks text that was put in by us (a file read again), not typed. */
const putIn = Annotation.define<true>()

export interface EditorPlace {
  readonly anchor: number
  readonly head: number
  readonly scrollTop: number
}

/**
 * CodeMirror over one EditorBuffer at a time. Typing goes into the buffer and its history; what others type comes out of
 * it. Owns the view and its place in the page, not the buffer.
 */
export class EditorSurface implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #view: EditorView
  readonly #binding = new Compartment()
  readonly #language = new Compartment()
  readonly #wrap = new Compartment()
  readonly #access = new Compartment()
  readonly #typed = this.#owned.add(new Emitter<void>())
  readonly #moved = this.#owned.add(new Emitter<EditorPlace>())
  readonly #saves = this.#owned.add(new Emitter<void>())
  readonly #displayName: string
  #buffer: EditorBuffer | undefined

  /** The person changed the text here (typed, pasted, undid). */
  readonly onDidType = this.#typed.event
  /** Cursor, selection or scroll changed. */
  readonly onDidMove = this.#moved.event
  readonly onDidAskSave = this.#saves.event

  constructor(place: HTMLElement, label: string, displayName: string) {
    this.#displayName = displayName
    const extensions: Extension[] = [
      EditorState.lineSeparator.of('\n'),
      lineNumbers(),
      foldGutter(),
      highlightActiveLineGutter(),
      highlightSpecialChars(),
      drawSelection({ cursorBlinkRate: 0 }),
      dropCursor(),
      EditorState.allowMultipleSelections.of(true),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      autocompletion({ activateOnTyping: false }),
      rectangularSelection(),
      crosshairCursor(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      search({ top: true }),
      editorTheme,
      EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocorrect: 'off', autocapitalize: 'off' }),
      keymap.of([
        { key: 'Mod-s', preventDefault: true, run: () => this.#ask(this.#saves) },
        { key: 'Mod-z', preventDefault: true, run: () => this.undo() },
        { key: 'Mod-y', preventDefault: true, run: () => this.redo() },
        { key: 'Mod-Shift-z', preventDefault: true, run: () => this.redo() },
        ...closeBracketsKeymap,
        ...defaultKeymap,
        ...searchKeymap,
        ...foldKeymap,
        ...completionKeymap,
        indentWithTab,
      ]),
      this.#binding.of([]),
      this.#language.of([]),
      this.#wrap.of([]),
      this.#access.of(readOnly(true)),
      EditorView.updateListener.of((update) => this.#handleUpdate(update)),
    ]
    this.#view = new EditorView({ parent: place, state: EditorState.create({ extensions }) })
    this.#owned.defer(() => this.#view.destroy())
    const scrolled = () => this.#moved.fire(this.place)
    this.#view.scrollDOM.addEventListener('scroll', scrolled, { passive: true })
    this.#owned.defer(() => this.#view.scrollDOM.removeEventListener('scroll', scrolled))
  }

  #ask(emitter: Emitter<void>): boolean {
    emitter.fire()
    return true
  }

  #handleUpdate(update: ViewUpdate): void {
    const own = update.docChanged && !update.transactions.some((one) => one.annotation(ySyncAnnotation) || one.annotation(putIn))
    if (own) this.#record(update)
    if (update.selectionSet || update.docChanged) this.#moved.fire(this.place)
    if (own) this.#typed.fire()
  }

  /** Notes what was typed as steps that follow one another, left to right. */
  #record(update: ViewUpdate): void {
    const steps: TextStep[] = []
    update.changes.iterChanges((fromA, toA, fromB, _toB, inserted) => {
      steps.push({
        at: fromB,
        removed: update.startState.doc.sliceString(fromA, toA, '\n'),
        inserted: inserted.sliceString(0, inserted.length, '\n'),
      })
    })
    const kind = update.transactions[0]?.annotation(Transaction.userEvent) ?? ''
    this.#buffer?.history.record(steps, kind, performance.now())
  }

  /** Shows a buffer. Where its text is what is shown already, nothing moves. */
  show(buffer: EditorBuffer): void {
    this.#buffer = buffer
    // How the caret here looks on the person's other displays.
    buffer.awareness?.setLocalStateField('user', { name: this.#displayName, color: 'var(--moving)', colorLight: 'var(--moving-soft)' })
    this.#view.dispatch({ effects: this.#binding.reconfigure([]) })
    this.#put(buffer.text.toString())
    this.#view.dispatch({ effects: this.#binding.reconfigure(yCollab(buffer.text, buffer.awareness, { undoManager: false })) })
  }

  /** Replaces the text without a step to undo; cursors stay where their text stays. */
  #put(text: string): void {
    const change = changeBetween(this.text, text)
    if (!change) return
    this.#view.dispatch({
      changes: { from: change.at, to: change.at + change.removed, insert: change.inserted },
      annotations: [putIn.of(true), Transaction.addToHistory.of(false)],
    })
  }

  /** Replaces the text as if the person had typed it. */
  replace(text: string): void {
    const change = changeBetween(this.text, text)
    if (!change) return
    this.#view.dispatch({ changes: { from: change.at, to: change.at + change.removed, insert: change.inserted }, userEvent: 'input.paste' })
  }

  get buffer(): EditorBuffer | undefined {
    return this.#buffer
  }

  get text(): string {
    return this.#view.state.doc.sliceString(0, this.#view.state.doc.length, '\n')
  }

  undo(): boolean {
    return this.#step(this.#buffer?.history.undo())
  }

  redo(): boolean {
    return this.#step(this.#buffer?.history.redo())
  }

  #step(cursor: number | undefined): boolean {
    if (cursor === undefined || this.#view.state.readOnly) return true
    const at = Math.min(cursor, this.#view.state.doc.length)
    this.#view.dispatch({ selection: EditorSelection.cursor(at), scrollIntoView: true })
    this.#typed.fire()
    return true
  }

  get place(): EditorPlace {
    const { anchor, head } = this.#view.state.selection.main
    return { anchor, head, scrollTop: Math.round(this.#view.scrollDOM.scrollTop) }
  }

  /** The person is at this text, on this display. */
  get hasFocus(): boolean {
    return this.#view.hasFocus && document.hasFocus()
  }

  /** Goes where the person was on the display before. */
  restore({ anchor, head, scrollTop }: EditorPlace): void {
    const { length } = this.#view.state.doc
    this.#view.dispatch({ selection: EditorSelection.single(Math.min(anchor, length), Math.min(head, length)) })
    this.#view.requestMeasure({
      read: () => undefined,
      write: () => {
        this.#view.scrollDOM.scrollTop = scrollTop
      },
    })
  }

  /** Line and column of the cursor, both from 1, and how many characters are selected. */
  get cursor(): { readonly line: number; readonly column: number; readonly selected: number } {
    const { main } = this.#view.state.selection
    const line = this.#view.state.doc.lineAt(main.head)
    return { line: line.number, column: main.head - line.from + 1, selected: main.to - main.from }
  }

  setLanguage(support: LanguageSupport | undefined): void {
    this.#view.dispatch({ effects: this.#language.reconfigure(support ?? []) })
  }

  setWrap(wrap: boolean): void {
    this.#view.dispatch({ effects: this.#wrap.reconfigure(wrap ? EditorView.lineWrapping : []) })
  }

  setReadOnly(locked: boolean): void {
    this.#view.dispatch({ effects: this.#access.reconfigure(readOnly(locked)) })
  }

  openFind(): void {
    openSearchPanel(this.#view)
  }

  focus(): void {
    this.#view.focus()
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

const readOnly = (locked: boolean): Extension => EditorState.readOnly.of(locked)
