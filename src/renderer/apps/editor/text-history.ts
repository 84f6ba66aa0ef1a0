import * as Y from 'yjs'

/** One replaced stretch of text: at `at`, `removed` became `inserted`. Offsets are UTF-16 units, as in Y.Text. */
export interface TextStep {
  readonly at: number
  readonly removed: string
  readonly inserted: string
}

interface StoredStep extends TextStep {
  /** Steps of one group are undone together. */
  readonly group: string
}

/** Steps kept; a long session of typing is about 500 groups. */
export const MAX_HISTORY_STEPS = 4_000
/** A single step above this (pasting a whole file) starts the history anew: it would double the document. */
export const MAX_STEP_CHARS = 200_000
/** Typing pauses longer than this end a group (as in CodeMirror's own history). */
export const GROUP_PAUSE_MS = 500

const UNDO = 'undo'
const REDO = 'redo'

/**
 * Undo that travels with an unsaved text (rules AP20-AP23): the steps lie in the buffer's own document, so the display
 * just unlocked undoes what was typed on the other.
 *
 * Invariants: steps are a line, newest last; a step is applied only if the text at its place is what it left there. If
 * two displays typed at the same moment their lines interleave: then the place is searched nearby, and when it cannot be
 * found the history ends there rather than damage text. Owns nothing but two arrays of the document.
 */
export class TextHistory {
  readonly #doc: Y.Doc
  readonly #text: Y.Text
  readonly #undo: Y.Array<StoredStep>
  readonly #redo: Y.Array<StoredStep>
  readonly #origin: unknown
  #group = ''
  #lastAtMs = Number.NEGATIVE_INFINITY
  #lastKind = ''
  #groups = 0

  /** `origin` marks the transactions that undo and redo make, so that the binding shows them in the editor. */
  constructor(doc: Y.Doc, text: Y.Text, origin: unknown) {
    this.#doc = doc
    this.#text = text
    this.#undo = doc.getArray<StoredStep>(UNDO)
    this.#redo = doc.getArray<StoredStep>(REDO)
    this.#origin = origin
  }

  get canUndo(): boolean {
    return this.#undo.length > 0
  }

  get canRedo(): boolean {
    return this.#redo.length > 0
  }

  /** Notes what a person just did. `kind` as CodeMirror's user event (`input.type`, `delete.backward`): a change of kind ends a group. */
  record(steps: readonly TextStep[], kind: string, nowMs: number): void {
    const real = steps.filter((step) => step.removed !== '' || step.inserted !== '')
    if (real.length === 0) return
    const joins =
      nowMs - this.#lastAtMs < GROUP_PAUSE_MS && kind === this.#lastKind && real.length === 1 && /^(input\.type|delete)/.test(kind)
    if (!joins) this.endGroup()
    this.#lastAtMs = nowMs
    this.#lastKind = kind
    this.#doc.transact(() => {
      if (this.#redo.length > 0) this.#redo.delete(0, this.#redo.length)
      if (real.some((step) => step.removed.length + step.inserted.length > MAX_STEP_CHARS)) return clear(this.#undo)
      this.#undo.push(real.map((step) => ({ ...step, group: this.#group })))
      if (this.#undo.length > MAX_HISTORY_STEPS) this.#undo.delete(0, this.#undo.length - MAX_HISTORY_STEPS)
    }, this.#origin)
  }

  /** Goes on with the steps of another history over the same text: a saved text that is edited again, or the other way round. */
  take(other: TextHistory): void {
    this.#undo.push(other.#undo.toArray())
    this.#redo.push(other.#redo.toArray())
    // A word typed across the change is still one word.
    this.#group = other.#group
    this.#lastAtMs = other.#lastAtMs
    this.#lastKind = other.#lastKind
  }

  /** The next step starts a new group. */
  endGroup(): void {
    this.#group = `${this.#doc.clientID.toString(36)}.${(this.#groups++).toString(36)}`
    this.#lastAtMs = Number.NEGATIVE_INFINITY
  }

  /** Takes the newest group back. Returns the offset to put the cursor at, or undefined if there was nothing to undo. */
  undo(): number | undefined {
    return this.#move(this.#undo, this.#redo)
  }

  /** Does again what was undone last. */
  redo(): number | undefined {
    return this.#move(this.#redo, this.#undo)
  }

  #move(from: Y.Array<StoredStep>, to: Y.Array<StoredStep>): number | undefined {
    this.endGroup()
    let cursor: number | undefined
    this.#doc.transact(() => {
      const newest = (): Partial<StoredStep> | null => from.get(from.length - 1)
      const group = from.length > 0 ? newest()?.group : undefined
      while (from.length > 0 && newest()?.group === group) {
        const step = parseStep(newest())
        from.delete(from.length - 1, 1)
        const at = step && this.#find(step)
        if (!step || at === undefined) return clear(from)
        if (step.inserted !== '') this.#text.delete(at, step.inserted.length)
        if (step.removed !== '') this.#text.insert(at, step.removed)
        to.push([{ at, removed: step.inserted, inserted: step.removed, group: group ?? '' }])
        cursor = at + step.removed.length
      }
    }, this.#origin)
    return cursor
  }

  /** Where the step's text lies now: its place, or the nearest equal text within a line or so. */
  #find(step: TextStep): number | undefined {
    const text = this.#text.toString()
    if (step.at <= text.length && text.startsWith(step.inserted, step.at)) return step.at
    if (step.inserted === '') return undefined
    const nearby = 2_000
    const after = text.indexOf(step.inserted, Math.max(0, step.at - nearby))
    return after >= 0 && after <= step.at + nearby ? after : undefined
  }
}

function clear(steps: Y.Array<StoredStep>): void {
  if (steps.length > 0) steps.delete(0, steps.length)
}

/** The document came over a link: a step that is not one ends the history. */
function parseStep(value: unknown): TextStep | undefined {
  const step = value as Partial<StoredStep> | null
  if (typeof step !== 'object' || step === null) return undefined
  const { at, removed, inserted } = step
  if (typeof at !== 'number' || !Number.isInteger(at) || at < 0) return undefined
  if (typeof removed !== 'string' || typeof inserted !== 'string') return undefined
  return { at, removed, inserted }
}
