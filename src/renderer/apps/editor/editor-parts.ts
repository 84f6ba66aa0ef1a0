import type { AppStateOf } from '../../../session/app-state.ts'
import type { EditorBuffer } from './editor-buffer.ts'
import type { EditorPlace } from './editor-surface.ts'
import type { LineEnd } from './line-ends.ts'
import type { SaveState } from './save-buffer.ts'

/* What an editor tab is joined to, and what it tells. */

export type EditorState = AppStateOf<'editor'>

/** What the device does for an editor; the display's client has it. */
export interface EditorCalls {
  /**
   * `seen`: a version that another display knows already; while a dataset's copy here does not, it rejects with `file/behind`.
   */
  readText(at: { device: string; path: string; seen?: string }): Promise<{ text: string; version: string; readOnly: boolean }>
  /** What this display's device keeps of a file elsewhere; never asks there. */
  lastText(at: { device: string; path: string }): Promise<{ text: string; version: string; atMs: number } | null>
  writeText(file: { device: string; path: string; text: string; expectedVersion?: string | null }): Promise<{ version: string }>
}

/** A document shared with the person's other displays: the desk's AttachedDocument. */
export interface SharedText {
  readonly name: string
  readonly doc: EditorBuffer['doc']
  readonly awareness: NonNullable<EditorBuffer['awareness']>
  readonly whenLoaded: Promise<void>
}

/** What an editor needs of the desk. */
export interface EditorDesk {
  calls(): EditorCalls | undefined
  openText(name: string): Promise<SharedText>
  closeText(text: SharedText): void
  newTextName(): string
  nowMs(): number
  /** The tab's state as it is now, and a change to it. */
  state(): EditorState
  setState(change: Partial<EditorState>): void
}

/** What shows a text: EditorSurface in the product. */
export interface TextSurface {
  readonly text: string
  show(buffer: EditorBuffer): void
  restore(place: EditorPlace): void
  /** As if the person had typed it: can be undone. */
  replace(text: string): void
}

export interface EditorFacts {
  readonly phase: 'loading' | 'ready' | 'refused'
  /** Why it is refused. */
  readonly error: unknown
  /** There is text that is not in the file. */
  readonly unsaved: boolean
  readonly save: SaveState
  /** The file may not be written. */
  readonly locked: boolean
  readonly lineEnd: LineEnd
  /** Shown is an earlier text of this file, from then: its device is away. */
  readonly keptFromMs: number | undefined
  /** The unsaved text is on another device and has not arrived here. */
  readonly onItsWay: boolean
}

/** Before anything was read. */
export const NO_FACTS: EditorFacts = {
  phase: 'loading',
  error: undefined,
  unsaved: false,
  save: { phase: 'idle' },
  locked: false,
  lineEnd: '\n',
  keptFromMs: undefined,
  onItsWay: false,
}
