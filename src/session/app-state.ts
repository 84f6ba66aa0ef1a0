import * as z from 'zod'

/*
 * What a tab shows. Every path, terminal and working folder carries its device (ARCHITECTURE.md, section 1). Text is bounded because it
 * comes from other devices' documents. Content of terminals and texts is never in here: only where it is.
 */

const device = z.string().min(1).max(64)
/**
 * In the place of a device: the datasets, which are the same on every device. A path there begins with the dataset's name:
 * `/Home/notes.md`. No device is ever called so: ids are base58, which has no `l`.
 */
export const ELSEWHERE = 'elsewhere'
/** Where the datasets' part of the files app begins: the dataset that every person has. */
export const ELSEWHERE_HOME = '/Home'
const path = z.string().min(1).max(4096)
/** `text/<buffer id>`: the document that holds an unsaved text. */
const textDoc = z.string().regex(/^text\/[A-Za-z0-9_-]{1,64}$/)
const offset = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const scroll = z.number().min(0).max(1e9)
const url = z.string().max(2048)

/** Longest history a web tab keeps; older pages fall off the front. */
export const MAX_WEB_HISTORY = 50

export const appState = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('terminal'),
    device,
    /** null until its device has started it. */
    terminalId: z.string().min(1).max(64).nullable(),
    cwd: path.nullable(),
    /** What the program last called its window; shown while its device is away. */
    title: z.string().max(200).default(''),
  }),
  z.object({
    kind: z.literal('editor'),
    device,
    /** null: never saved. */
    path: path.nullable(),
    /** null: nothing unsaved. */
    textDoc: textDoc.nullable(),
    /** Version of the file the text started from (see the home files contract); null for a new text. */
    version: z.string().max(200).nullable(),
    /** Cursor and selection: offsets in UTF-16 units. */
    selection: z.object({ anchor: offset, head: offset }).default({ anchor: 0, head: 0 }),
    /** First visible pixel. */
    scrollTop: scroll.default(0),
    /** Language name for highlighting; null: by file name. */
    language: z.string().max(40).nullable().default(null),
  }),
  z.object({
    kind: z.literal('files'),
    device,
    /** null: the device's home folder. */
    path: path.nullable(),
    view: z.enum(['list', 'grid']).default('list'),
    sort: z.enum(['name', 'modified', 'size', 'kind']).default('name'),
    descending: z.boolean().default(false),
    showHidden: z.boolean().default(false),
    /** What is chosen is shown beside the folder. */
    look: z.boolean().default(false),
  }),
  z.object({
    kind: z.literal('web'),
    url,
    title: z.string().max(200).default(''),
    scrollY: scroll.default(0),
    history: z.array(url).max(MAX_WEB_HISTORY).default([]),
    /** Which of `history` is shown. */
    index: z.number().int().min(0).max(MAX_WEB_HISTORY).default(0),
  }),
  z.object({ kind: z.literal('devices') }),
  z.object({ kind: z.literal('settings'), page: z.string().max(60).default('') }),
  /** `device` null: all linked devices. */
  z.object({ kind: z.literal('tasks'), device: device.nullable().default(null) }),
  /** What runs and ran elsewhere and here. `job` null: the list. */
  z.object({
    kind: z.literal('jobs'),
    job: z.string().min(1).max(64).nullable().default(null),
    show: z.enum(['all', 'running', 'waiting', 'done']).default('all'),
    /** Jobs one by one, or files of jobs that need each other; `workflow` and `step`: which is looked at. */
    page: z.enum(['jobs', 'workflows']).default('jobs'),
    workflow: z.string().max(64).nullable().default(null),
    step: z.string().max(2_048).nullable().default(null),
  }),
  z.object({ kind: z.literal('welcome') }),
])

export type AppState = Readonly<z.infer<typeof appState>>
export type AppKind = AppState['kind']
/** The state of one kind: `AppStateOf<'editor'>`. */
export type AppStateOf<Kind extends AppKind> = Extract<AppState, { kind: Kind }>
/** What a caller may leave out is filled in by `appState.parse`. */
export type AppStateInput = z.input<typeof appState>

const baseName = (text: string): string =>
  text
    .replace(/[/\\]+$/, '')
    .split(/[/\\]/)
    .pop() || text

/** A plain title for a tab, from its state alone: docks and previews show it while the app is not mounted. */
export function appTitle(app: AppState): string {
  switch (app.kind) {
    case 'terminal':
      return app.title || (app.cwd ? baseName(app.cwd) : 'Terminal')
    case 'editor':
      return app.path ? baseName(app.path) : 'Untitled'
    case 'files':
      return app.path ? (app.device === ELSEWHERE && app.path === '/' ? 'Elsewhere' : baseName(app.path)) : 'Home'
    case 'web':
      return app.title || app.url || 'New page'
    case 'devices':
      return 'Devices'
    case 'settings':
      return 'Settings'
    case 'tasks':
      return 'Task manager'
    case 'jobs':
      return 'Jobs'
    case 'welcome':
      return 'Welcome'
  }
}

/** The device a tab's content really is on, or null where it is nowhere in particular. */
export function appDevice(app: AppState): string | null {
  return 'device' in app && app.device !== ELSEWHERE ? app.device : null
}
