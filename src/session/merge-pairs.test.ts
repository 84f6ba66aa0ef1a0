import { describe, expect, it } from 'vitest'
import { checkState } from '../testkit/session-invariants.ts'
import { NOTES, SHELL, syncAll, TestReplica } from '../testkit/session-replicas.ts'
import { type Place, placeInClass } from './place.ts'
import type { SessionCommand } from './session-command.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'
import type { SessionState } from './session-state.ts'

/*
 * Every pair of things two displays can do at once to the same window, cut off from each other. What each of them did must be there
 * afterwards, unless the other closed it or wrote the very same record.
 */
const W = 'w' as WindowId
const OTHER = 'other' as WindowId
const FIRST = 'first' as TabId
const SECOND = 'second' as TabId
const WORK = 'work' as ActivityId

interface Deed {
  readonly name: string
  readonly command: SessionCommand
  /** True in a state in which it shows. */
  readonly shows: (state: SessionState) => boolean
  /** Deeds that write the same record, or take the thing away: then either may win. */
  readonly clashes?: readonly string[]
}

const place = (state: SessionState): Place | undefined => state.windows[W] && placeInClass(state.windows[W].places, 'medium-landscape')
const PLACES = ['move', 'resize', 'maximise', 'snap', 'tile']
const CLOSES = ['close window', 'close activity']
const TAB_MOVES = ['move tab away', 'tear off', 'close tab', 'reorder tab', ...CLOSES]

const DEEDS: readonly Deed[] = [
  {
    name: 'move',
    command: { type: 'window/move', windowId: W, x: 150, y: 90 },
    shows: (state) => place(state)?.x === 0.1,
    clashes: PLACES,
  },
  {
    name: 'resize',
    command: { type: 'window/resize', windowId: W, rect: { x: 300, y: 90, width: 450, height: 450 } },
    shows: (state) => place(state)?.x === 0.2,
    clashes: PLACES,
  },
  {
    name: 'maximise',
    command: { type: 'window/maximise', windowId: W },
    shows: (state) => place(state)?.zone === 'maximised',
    clashes: PLACES,
  },
  {
    name: 'snap',
    command: { type: 'window/snap', windowId: W, zone: 'top-left' },
    shows: (state) => place(state)?.zone === 'top-left',
    clashes: PLACES,
  },
  {
    name: 'tile',
    command: { type: 'window/tile' },
    shows: (state) => (place(state)?.zone ?? 'none') !== 'none',
    clashes: PLACES,
  },
  {
    name: 'minimise',
    command: { type: 'window/minimise', windowId: W },
    shows: (state) => state.windows[W]?.minimised === true,
  },
  {
    name: 'pin',
    command: { type: 'window/pin', windowId: W, pinned: true },
    shows: (state) => state.windows[W]?.pinned === true && state.stack.at(-1) === W,
  },
  {
    name: 'focus',
    command: { type: 'window/focus', windowId: W },
    shows: (state) => (state.windows[W]?.rank ?? 0) > (state.windows[OTHER]?.rank ?? 0) || state.windows[OTHER] === undefined,
    // The other window may have been brought to the front at the same moment.
    clashes: ['move tab away'],
  },
  {
    name: 'to activity',
    command: { type: 'window/to-activity', windowId: W, activityId: WORK },
    shows: (state) => state.windows[W]?.activity === WORK,
    clashes: ['close activity'],
  },
  {
    name: 'open tab',
    command: { type: 'tab/open', windowId: W, app: SHELL, id: 'fresh' as TabId },
    shows: (state) => state.tabs['fresh' as TabId]?.window === W,
  },
  {
    name: 'activate tab',
    command: { type: 'tab/activate', tabId: FIRST },
    shows: (state) => state.windows[W]?.activeTab === FIRST,
    clashes: ['open tab', ...TAB_MOVES],
  },
  { name: 'pin tab', command: { type: 'tab/pin', tabId: SECOND, pinned: true }, shows: (state) => state.tabs[SECOND]?.pinned === true },
  {
    name: 'change tab',
    command: { type: 'tab/set-state', tabId: SECOND, app: { ...NOTES, scrollTop: 77 } as typeof NOTES },
    shows: (state) => JSON.stringify(state.tabs[SECOND]?.app ?? '').includes('77'),
  },
  {
    name: 'reorder tab',
    command: { type: 'tab/move', tabId: SECOND, windowId: W, before: FIRST },
    shows: (state) => state.windows[W]?.tabs.indexOf(SECOND) === 0,
    clashes: ['move tab away', 'tear off'],
  },
  {
    name: 'move tab away',
    command: { type: 'tab/move', tabId: SECOND, windowId: OTHER, before: null },
    shows: (state) => state.tabs[SECOND]?.window === OTHER,
    clashes: ['reorder tab', 'tear off'],
  },
  {
    name: 'tear off',
    command: { type: 'tab/tear-off', tabId: SECOND, id: 'torn' as WindowId },
    shows: (state) => state.tabs[SECOND]?.window === 'torn',
    clashes: ['reorder tab', 'move tab away'],
  },
  { name: 'close tab', command: { type: 'tab/close', tabId: SECOND }, shows: (state) => state.tabs[SECOND] === undefined },
  {
    name: 'close window',
    command: { type: 'window/close', windowId: W },
    shows: (state) => state.tabs[FIRST] === undefined && state.tabs[SECOND] === undefined,
  },
  {
    name: 'close activity',
    command: { type: 'activity/remove', activityId: WORK },
    shows: (state) => state.activities[WORK] === undefined,
  },
  {
    name: 'rename activity',
    command: { type: 'activity/rename', activityId: 'home' as ActivityId, name: 'Elsewhere' },
    shows: (state) => state.activities['home' as ActivityId]?.name === 'Elsewhere',
  },
]

/** What is closed beats all that is done to it. */
const CLOSED_BY: Readonly<Record<string, readonly string[]>> = {
  'close window': DEEDS.map(({ name }) => name).filter(
    (name) => !['close window', 'close tab', 'open tab', 'rename activity', 'close activity'].includes(name),
  ),
  'close tab': ['pin tab', 'change tab', 'reorder tab', 'move tab away', 'tear off'],
}

/** The desk on which all deeds are done, made once. */
const prepared = (() => {
  const desk = new TestReplica(50)
  desk.do({ type: 'window/close', windowId: 'welcome' as WindowId })
  desk.do({ type: 'activity/create', id: WORK, name: 'Work', stay: true })
  desk.do({ type: 'window/open', id: W, tabId: FIRST, app: NOTES })
  desk.do({ type: 'tab/open', windowId: W, id: SECOND, app: NOTES })
  desk.do({ type: 'window/open', id: OTHER, app: SHELL })
  return desk
})()

/** Two displays of that desk, and a third that looks on. */
function twoDisplays(): readonly [TestReplica, TestReplica, TestReplica] {
  const [a, b, c] = [new TestReplica(100), new TestReplica(200), new TestReplica(300)]
  for (const replica of [a, b, c]) replica.pull(prepared)
  // Its clock goes on where that of the desk ended.
  for (let made = 0; made < 5; made++) a.contexts.next()
  return [a, b, c]
}

const pairs = DEEDS.flatMap((one) => DEEDS.filter((two) => two !== one).map((two) => ({ one, two, name: `${one.name} + ${two.name}` })))

describe('two displays, one window', () => {
  it.each(DEEDS)('[SE6] $name shows where it was done', ({ command, shows }) => {
    const [a] = twoDisplays()
    expect(shows(a.state)).toBe(false)
    a.do(command)
    expect(shows(a.state)).toBe(true)
  })

  it.each(pairs)('[SE11] $name: both end the same, and what each did is there', ({ one, two }) => {
    const [a, b, c] = twoDisplays()
    a.do(one.command)
    b.do(two.command)
    c.pull(b)
    syncAll([a, b, c])
    expect(b.state).toEqual(a.state)
    expect(c.state).toEqual(a.state)
    checkState(a.state)
    const clash = (x: Deed, y: Deed) => (x.clashes ?? []).includes(y.name) || (CLOSED_BY[y.name] ?? []).includes(x.name)
    if (!clash(one, two)) expect(one.shows(a.state), one.name).toBe(true)
    if (!clash(two, one)) expect(two.shows(a.state), two.name).toBe(true)
  })

  it.each(DEEDS)('[SE11] $name on both at once is done once', ({ command, shows }) => {
    const [a, b] = twoDisplays()
    a.do(command)
    b.do(command)
    syncAll([a, b])
    expect(b.state).toEqual(a.state)
    expect(shows(a.state)).toBe(true)
    checkState(a.state)
    const shown = Object.values(a.state.windows).flatMap((window) => window.tabs)
    expect(new Set(shown).size).toBe(shown.length)
  })

  it.each(pairs.filter(({ one, two }) => one.name < two.name))(
    '[SE52] $name: undone by a third display, until nothing is left to undo, all stay equal and sound',
    ({ one, two }) => {
      const [a, b, c] = twoDisplays()
      a.do(one.command)
      b.do(two.command)
      syncAll([a, b, c])
      for (let i = 0; i < 12 && c.state.undo.length > 0; i++) {
        c.do({ type: 'undo' })
        checkState(c.state)
      }
      expect(c.state.undo).toEqual([])
      syncAll([a, b, c])
      expect(a.state).toEqual(c.state)
      expect(b.state).toEqual(c.state)
    },
  )
})
