import fc from 'fast-check'
import type { AppState } from '../session/app-state.ts'
import { DISPLAY_CLASSES } from '../session/display-class.ts'
import type { SessionCommand } from '../session/session-command.ts'
import type { SessionState } from '../session/session-state.ts'
import { SNAP_ZONES } from '../session/snap-zone.ts'
import { NOTES, SHELL } from './session-replicas.ts'

/** Numbers that choose a command and what it is about, whatever the state is by then: shrinks well. */
export interface Step {
  readonly kind: number
  readonly a: number
  readonly b: number
  readonly c: number
}

const small = fc.nat({ max: 1_000 })

const APPS: readonly AppState[] = [
  NOTES,
  SHELL,
  { kind: 'files', device: 'server', path: '/srv', view: 'list', sort: 'name', descending: false, showHidden: false, look: false },
  { kind: 'web', url: 'https://example.org/', title: 'Example', scrollY: 0, history: ['https://example.org/'], index: 0 },
  { kind: 'devices' },
]

const at = <T>(list: readonly T[], index: number): T | undefined => (list.length === 0 ? undefined : list[index % list.length])

type Maker = (state: SessionState, step: Step) => SessionCommand | undefined
const aboutWindow =
  (make: (windowId: SessionState['stack'][number], step: Step) => SessionCommand): Maker =>
  (state, given) => {
    const windowId = at(state.stack, given.a)
    return windowId && make(windowId, given)
  }
const aboutTab =
  (make: (tabId: SessionState['windows'][never]['activeTab'], step: Step, state: SessionState) => SessionCommand | undefined): Maker =>
  (state, given) => {
    const tabId = at(Object.keys(state.tabs).sort() as SessionState['windows'][never]['activeTab'][], given.a)
    return tabId && make(tabId, given, state)
  }

/** Commands that are undoable first; then those that are not. */
const MAKERS: readonly Maker[] = [
  (state, { a, b }) => ({ type: 'window/open', app: at(APPS, a) as AppState, activityId: at(state.activityOrder, b)! }),
  (state, { a, b }) => ({ type: 'window/open', app: at(APPS, a) as AppState, activityId: at(state.activityOrder, b)! }),
  aboutWindow((windowId, { b }) => ({ type: 'tab/open', windowId, app: at(APPS, b) as AppState })),
  aboutWindow((windowId, { b }) => ({ type: 'tab/open', windowId, app: at(APPS, b) as AppState, background: true })),
  aboutWindow((windowId) => ({ type: 'window/close', windowId })),
  aboutWindow((windowId, { b, c }) => ({ type: 'window/move', windowId, x: b * 2 - 500, y: c - 100 })),
  aboutWindow((windowId, { b, c }) => ({ type: 'window/resize', windowId, rect: { x: b, y: c, width: 100 + b, height: 100 + c } })),
  aboutWindow((windowId) => ({ type: 'window/minimise', windowId })),
  aboutWindow((windowId) => ({ type: 'window/maximise', windowId })),
  aboutWindow((windowId) => ({ type: 'window/restore', windowId })),
  aboutWindow((windowId, { b }) => ({ type: 'window/snap', windowId, zone: at(SNAP_ZONES, b)! })),
  aboutWindow((windowId, { b }) => ({ type: 'window/pin', windowId, pinned: b % 2 === 0 })),
  (state, { a, b }) => {
    const windowId = at(state.stack, a)
    return windowId && { type: 'window/to-activity', windowId, activityId: at(state.activityOrder, b)! }
  },
  aboutTab((tabId) => ({ type: 'tab/close', tabId })),
  aboutTab((tabId) => ({ type: 'tab/tear-off', tabId })),
  aboutTab((tabId, { b, c }, state) => {
    const windowId = at(state.stack, b)!
    const before = at([...(state.windows[windowId]?.tabs ?? []), null], c) ?? null
    return { type: 'tab/move', tabId, windowId, before }
  }),
  aboutTab((tabId, { b }) => ({ type: 'tab/pin', tabId, pinned: b % 2 === 0 })),
  () => ({ type: 'window/tile' }),
  (_, { a }) => ({ type: 'activity/create', name: `Activity ${a}` }),
  (state, { a, b }) => {
    const moveWindowsTo = b % 2 === 0 ? at(state.activityOrder, b) : undefined
    return { type: 'activity/remove', activityId: at(state.activityOrder, a)!, ...(moveWindowsTo && { moveWindowsTo }) }
  },
  (state, { a, b }) => ({ type: 'activity/rename', activityId: at(state.activityOrder, a)!, name: `Name ${b}` }),
  (state, { a, b }) => ({
    type: 'activity/reorder',
    activityId: at(state.activityOrder, a)!,
    before: at([...state.activityOrder, null], b)!,
  }),
  (state, { a }) => ({ type: 'window/reopen', ...(a % 3 === 0 && state.closed[0] ? { closedId: at(state.closed, a)!.id } : {}) }),
  aboutWindow((windowId) => ({ type: 'window/focus', windowId })),
  aboutWindow((windowId) => ({ type: 'window/focus', windowId })),
  aboutTab((tabId) => ({ type: 'tab/activate', tabId })),
  aboutTab((tabId, { b }, state) => ({ type: 'tab/set-state', tabId, app: touched(state.tabs[tabId]!.app, b) })),
  (state, { a }) => ({ type: 'activity/switch', activityId: at(state.activityOrder, a)! }),
  (_, { a }) => ({ type: 'preferences/set', values: { theme: a % 2 === 0 ? 'dark' : 'light' } }),
  () => ({ type: 'undo' }),
  () => ({ type: 'undo' }),
]

/** How many of the kinds at the front write an undo entry. */
export const UNDOABLE_KINDS = 23

function touched(app: AppState, by: number): AppState {
  return app.kind === 'editor' ? { ...app, scrollTop: by } : app.kind === 'terminal' ? { ...app, title: `job ${by}` } : app
}

export const step: fc.Arbitrary<Step> = fc.record({ kind: fc.nat({ max: MAKERS.length - 1 }), a: small, b: small, c: small })

/** The command a step stands for in a state; undefined if there is nothing for it to be about. */
export const commandOf = (state: SessionState, given: Step): SessionCommand | undefined =>
  MAKERS[given.kind % MAKERS.length]?.(state, given)

export const displayClassOfStep = (given: Step) => at(DISPLAY_CLASSES, given.c)!
