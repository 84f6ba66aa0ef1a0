import * as Y from 'yjs'
import type { AppState } from '../session/app-state.ts'
import { firstContent } from '../session/first-content.ts'
import type { KeyedArrayFaults } from '../session/keyed-array.ts'
import type { CommandContext, SessionCommand } from '../session/session-command.ts'
import { WorkspaceDoc } from '../session/workspace-doc.ts'

export const DESK = { width: 1500, height: 900 } as const
export const NOTES: AppState = {
  kind: 'editor',
  device: 'laptop',
  path: '/home/ada/notes.md',
  textDoc: null,
  version: null,
  selection: { anchor: 0, head: 0 },
  scrollTop: 0,
  language: null,
}
export const SHELL: AppState = { kind: 'terminal', device: 'laptop', terminalId: 't1', cwd: '/home/ada', title: '' }

/** Contexts with ids and times that never repeat and never depend on chance (R23). */
export class ContextSource {
  readonly #prefix: string
  #ids = 0
  #nowMs = 1_700_000_000_000

  constructor(prefix = 'n') {
    this.#prefix = prefix
  }

  /** Each context is `stepMs` later than the one before. */
  next(stepMs = 2_000, more: Partial<CommandContext> = {}): CommandContext {
    this.#nowMs += stepMs
    return { newId: () => `${this.#prefix}${++this.#ids}`, nowMs: this.#nowMs, displayClass: 'medium-landscape', desk: DESK, ...more }
  }
}

/** One replica of the workspace with its own client id, holding the first content. */
export class TestReplica {
  readonly doc: Y.Doc
  readonly workspace: WorkspaceDoc
  readonly contexts: ContextSource

  constructor(clientId: number, faults: KeyedArrayFaults = {}) {
    this.doc = new Y.Doc()
    this.doc.clientID = clientId
    Y.applyUpdate(this.doc, firstContent())
    this.workspace = new WorkspaceDoc(this.doc, faults)
    this.contexts = new ContextSource(`c${clientId}-`)
  }

  get state() {
    return this.workspace.state
  }

  do(command: SessionCommand, more: Partial<CommandContext> = {}): string | undefined {
    return this.workspace.dispatch(command, this.contexts.next(2_000, more))?.made
  }

  /** Takes in what another replica has and this one lacks. */
  pull(from: TestReplica): void {
    Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(this.doc)), 'remote')
  }
}

/** All replicas end with all changes. */
export function syncAll(replicas: readonly TestReplica[]): void {
  for (const to of replicas) for (const from of replicas) if (to !== from) to.pull(from)
}
