import { describe, expect, it } from 'vitest'
import { NOTES, SHELL, TestReplica } from '../testkit/session-replicas.ts'
import { placeInClass } from './place.ts'
import type { TabId, WindowId } from './session-ids.ts'
import { MAX_TABS } from './session-state.ts'
import { reduceSession } from './reduce-session.ts'

/** One window with `count` tabs, the last one shown. */
function withTabs(count: number) {
  const replica = new TestReplica(100)
  const id = replica.do({ type: 'window/open', app: NOTES }) as WindowId
  for (let i = 1; i < count; i++) replica.do({ type: 'tab/open', windowId: id, app: NOTES })
  const tabs = () => replica.state.windows[id]!.tabs
  return { replica, id, tabs, original: tabs() }
}

describe('open', () => {
  it('[SE22] beside the tab that shows, and shown', () => {
    const { replica, id, tabs, original } = withTabs(3)
    replica.do({ type: 'tab/activate', tabId: original[0]! })
    const fresh = replica.do({ type: 'tab/open', windowId: id, app: SHELL }) as TabId
    expect(tabs()).toEqual([original[0], fresh, original[1], original[2]])
    expect(replica.state.windows[id]!.activeTab).toBe(fresh)
  })

  it('[SE22] in the background the shown one stays', () => {
    const { replica, id, original } = withTabs(2)
    replica.do({ type: 'tab/open', windowId: id, app: SHELL, background: true })
    expect(replica.state.windows[id]!.activeTab).toBe(original[1])
  })

  it('[SE22] never among the pinned ones', () => {
    const { replica, id, tabs, original } = withTabs(3)
    replica.do({ type: 'tab/pin', tabId: original[0]!, pinned: true })
    replica.do({ type: 'tab/pin', tabId: original[2]!, pinned: true })
    replica.do({ type: 'tab/activate', tabId: original[0]! })
    const fresh = replica.do({ type: 'tab/open', windowId: id, app: SHELL }) as TabId
    expect(tabs()).toEqual([original[0], original[2], fresh, original[1]])
  })

  it('[SE22] tabs opened again and again in the same gap keep their order', () => {
    const { replica, id, tabs } = withTabs(1)
    const opened = [...tabs()]
    for (let i = 0; i < 200; i++) {
      // Always after the first one: the room between two orders is used up again and again.
      replica.do({ type: 'tab/activate', tabId: opened[0]! })
      opened.splice(1, 0, replica.do({ type: 'tab/open', windowId: id, app: SHELL }) as TabId)
    }
    expect(tabs()).toEqual(opened)
  })

  it('[SE6] the desk holds so many tabs and no more', () => {
    const { replica, id } = withTabs(1)
    const tabs = Object.fromEntries(Array.from({ length: MAX_TABS }, (_, i) => [`t${i}`, replica.state.tabs['welcome' as TabId]!]))
    const full = { ...replica.state, tabs }
    expect(() => reduceSession(full, { type: 'tab/open', windowId: id, app: NOTES }, replica.contexts.next())).toThrow(
      expect.objectContaining({ code: 'session/too-many-tabs' }),
    )
    expect(() => reduceSession(full, { type: 'window/open', app: NOTES }, replica.contexts.next())).toThrow(/close some/)
  })
})

describe('close', () => {
  it.each([
    { name: 'the right neighbour shows', shown: 1, next: 2 },
    { name: 'at the end the left one', shown: 2, next: 1 },
  ])('[SE22] $name', ({ shown, next }) => {
    const { replica, id, original } = withTabs(3)
    replica.do({ type: 'tab/activate', tabId: original[shown]! })
    replica.do({ type: 'tab/close', tabId: original[shown]! })
    expect(replica.state.windows[id]!.activeTab).toBe(original[next])
    expect(replica.state.closed[0]).toMatchObject({ kind: 'tab', title: 'notes.md' })
  })

  it('[SE10] the last tab takes its window along', () => {
    const { replica, id, original } = withTabs(1)
    replica.do({ type: 'tab/close', tabId: original[0]! })
    expect(replica.state.windows[id]).toBeUndefined()
    expect(replica.state.closed[0]).toMatchObject({ kind: 'window' })
    expect([...replica.workspace.records().keys()].filter((key) => key.includes(id))).toEqual([])
  })
})

describe('move', () => {
  it('[SE22] within its window', () => {
    const { replica, id, tabs, original } = withTabs(3)
    const [a, b, c] = original
    replica.do({ type: 'tab/move', tabId: c!, windowId: id, before: a! })
    expect(tabs()).toEqual([c, a, b])
    replica.do({ type: 'tab/move', tabId: c!, windowId: id, before: null })
    expect(tabs()).toEqual([a, b, c])
    replica.do({ type: 'tab/move', tabId: a!, windowId: id, before: 'gone' as TabId })
    expect(tabs()).toEqual([b, c, a])
  })

  it('[SE6] to where it is: nothing', () => {
    const { replica, id, original } = withTabs(3)
    const command = { type: 'tab/move', tabId: original[1]!, windowId: id, before: original[2]! } as const
    expect(replica.workspace.dispatch(command, replica.contexts.next())).toBeUndefined()
  })

  it('[SE10] to another window, which shows it in front; an emptied window is gone', () => {
    const { replica, id, original } = withTabs(1)
    const other = replica.do({ type: 'window/open', app: SHELL }) as WindowId
    const third = replica.do({ type: 'window/open', app: SHELL }) as WindowId
    replica.do({ type: 'tab/move', tabId: original[0]!, windowId: other, before: null })
    expect(replica.state.windows[id]).toBeUndefined()
    expect(replica.state.windows[other]).toMatchObject({ activeTab: original[0] })
    expect(replica.state.focus['home' as never]).toBe(other)
    expect(replica.state.stack.at(-1)).toBe(other)
    expect(replica.state.windows[third]).toBeDefined()
  })

  it('[SE22] many moves into the same gap use up the room and are spread anew', () => {
    const { replica, id, tabs } = withTabs(4)
    const expected = [...tabs()]
    for (let i = 0; i < 150; i++) {
      const moved = expected.pop()!
      expected.splice(1, 0, moved)
      replica.do({ type: 'tab/move', tabId: moved, windowId: id, before: tabs()[1]! })
      expect(tabs()).toEqual(expected)
    }
  })
})

describe('tear off', () => {
  it('[SE10] into a window of its own where it was dropped', () => {
    const { replica, id, original } = withTabs(3)
    const own = replica.do({ type: 'tab/tear-off', tabId: original[2]!, at: { x: 300, y: 100 } }) as WindowId
    expect(replica.state.windows[own]).toMatchObject({ tabs: [original[2]], activity: 'home' })
    expect(replica.state.windows[id]).toMatchObject({ tabs: [original[0], original[1]], activeTab: original[1] })
    const [a, b] = [id, own].map((one) => placeInClass(replica.state.windows[one]!.places, 'medium-landscape'))
    expect(b!.width).toBeCloseTo(a!.width, 3)
    expect(b!.x).toBeCloseTo(0.2, 3)
    expect(replica.state.stack.at(-1)).toBe(own)
  })

  it('[SE36] without a wish: beside the window it came from', () => {
    const { replica, id, original } = withTabs(2)
    const own = replica.do({ type: 'tab/tear-off', tabId: original[0]! }) as WindowId
    const [a, b] = [id, own].map((one) => placeInClass(replica.state.windows[one]!.places, 'medium-landscape'))
    expect([b!.x > a!.x, b!.y > a!.y]).toEqual([true, true])
  })

  it('[SE10] a window with one tab is moved instead', () => {
    const { replica, id, original } = withTabs(1)
    expect(replica.do({ type: 'tab/tear-off', tabId: original[0]! })).toBeUndefined()
    replica.do({ type: 'tab/tear-off', tabId: original[0]!, at: { x: 150, y: 90 } })
    expect(replica.state.windows[id]!.tabs).toEqual(original)
    expect(placeInClass(replica.state.windows[id]!.places, 'medium-landscape')).toMatchObject({ x: 0.1, y: 0.1 })
  })
})

describe('state', () => {
  it('[SE17] changes what the app remembers, and only to its own kind', () => {
    const { replica, original } = withTabs(1)
    const [tabId] = original as [TabId]
    replica.do({ type: 'tab/set-state', tabId, app: { ...NOTES, scrollTop: 40 } as never })
    expect(replica.state.tabs[tabId]!.app).toMatchObject({ scrollTop: 40 })
    expect(replica.workspace.dispatch({ type: 'tab/set-state', tabId, app: SHELL }, replica.contexts.next())).toBeUndefined()
  })

  it('[SE53] is not undone', () => {
    const { replica, id, original } = withTabs(1)
    const [tabId] = original as [TabId]
    replica.do({ type: 'window/move', windowId: id, x: 33, y: 44 })
    replica.do({ type: 'tab/set-state', tabId, app: { ...NOTES, scrollTop: 40 } as never })
    replica.do({ type: 'undo' })
    expect(replica.state.tabs[tabId]!.app).toMatchObject({ scrollTop: 40 })
    expect(placeInClass(replica.state.windows[id]!.places, 'medium-landscape').x).not.toBeCloseTo(0.022, 3)
  })
})
