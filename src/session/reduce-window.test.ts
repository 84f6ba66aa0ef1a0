import { describe, expect, it } from 'vitest'
import { DESK, NOTES, SHELL, TestReplica } from '../testkit/session-replicas.ts'
import type { AppState } from './app-state.ts'
import { placeInClass, placeToPixels } from './place.ts'
import type { ActivityId, WindowId } from './session-ids.ts'
import type { SessionState } from './session-state.ts'

const rectOf = (state: SessionState, id: WindowId, desk = DESK, displayClass = 'medium-landscape' as const) =>
  placeToPixels(placeInClass(state.windows[id]!.places, displayClass), desk)

function withWindows(count: number) {
  const replica = new TestReplica(100)
  replica.do({ type: 'window/close', windowId: 'welcome' as WindowId })
  const ids = Array.from({ length: count }, () => replica.do({ type: 'window/open', app: NOTES }) as WindowId)
  return { replica, ids }
}

describe('open', () => {
  it('[SE6] a window with its one tab, in front, in the current activity, told by id', () => {
    const { replica } = withWindows(0)
    const id = replica.do({ type: 'window/open', app: SHELL, id: 'mine' as WindowId, tabId: 'tab1' as never })
    expect(id).toBe('mine')
    expect(replica.state.windows['mine' as WindowId]).toMatchObject({ activity: 'home', minimised: false, pinned: false, tabs: ['tab1'] })
    expect(replica.state.tabs['tab1' as never]).toMatchObject({ app: SHELL, window: 'mine' })
    expect(replica.state.focus).toEqual({ home: 'mine' })
  })

  it('[SE36] new windows do not hide each other', () => {
    const { replica, ids } = withWindows(8)
    const corners = ids.map((id) => rectOf(replica.state, id)).map(({ x, y }) => `${Math.round(x)},${Math.round(y)}`)
    expect(new Set(corners).size).toBe(8)
  })

  it('[SE31] a wish for size or rectangle is followed', () => {
    const { replica } = withWindows(0)
    const sized = replica.do({ type: 'window/open', app: NOTES, size: { width: 500, height: 400 } }) as WindowId
    expect(rectOf(replica.state, sized).width).toBeCloseTo(500, 0)
    const placed = replica.do({ type: 'window/open', app: NOTES, rect: { x: 10, y: 20, width: 300, height: 200 } }) as WindowId
    expect(rectOf(replica.state, placed).x).toBeCloseTo(10, 0)
  })

  it('[SE6] an id that is taken opens nothing; an id that cannot be one is an error', () => {
    const { replica, ids } = withWindows(1)
    expect(replica.do({ type: 'window/open', app: NOTES, id: ids[0]! })).toBeUndefined()
    expect(() => replica.do({ type: 'window/open', app: NOTES, id: 'a:b' as WindowId })).toThrow(
      expect.objectContaining({ code: 'session/bad-id' }),
    )
  })

  it('[SE17] an app state that is none is refused', () => {
    const { replica } = withWindows(0)
    expect(() => replica.do({ type: 'window/open', app: { kind: 'terminal' } as AppState })).toThrow()
    expect(replica.state.stack).toEqual([])
  })

  it('[SE13] in an activity that is gone: in the current one', () => {
    const { replica } = withWindows(0)
    const id = replica.do({ type: 'window/open', app: NOTES, activityId: 'gone' as ActivityId }) as WindowId
    expect(replica.state.windows[id]!.activity).toBe('home')
  })
})

describe('stacking and focus', () => {
  it('[SE20] focus brings to the front with one record', () => {
    const { replica, ids } = withWindows(3)
    const change = replica.workspace.dispatch({ type: 'window/focus', windowId: ids[0]! }, replica.contexts.next())
    expect(change).toMatchObject({ set: [[`window-rank:${ids[0]}`, expect.any(Number)]], remove: [] })
    expect(replica.state.stack).toEqual([ids[1], ids[2], ids[0]])
    expect(replica.state.focus).toEqual({ home: ids[0] })
  })

  it('[SE6] focusing what has the focus writes nothing', () => {
    const { replica, ids } = withWindows(3)
    expect(replica.workspace.dispatch({ type: 'window/focus', windowId: ids[2]! }, replica.contexts.next())).toBeUndefined()
  })

  it('[SE20] pinned windows stay above, but the keys go where the person clicked', () => {
    const { replica, ids } = withWindows(3)
    replica.do({ type: 'window/pin', windowId: ids[0]!, pinned: true })
    replica.do({ type: 'window/focus', windowId: ids[1]! })
    expect(replica.state.stack).toEqual([ids[2], ids[1], ids[0]])
    expect(replica.state.focus).toEqual({ home: ids[1] })
    replica.do({ type: 'window/pin', windowId: ids[0]!, pinned: false })
    expect(replica.state.stack).toEqual([ids[0], ids[2], ids[1]])
  })

  it('[SE21] minimising hands the focus to the next; with all minimised there is none', () => {
    const { replica, ids } = withWindows(2)
    replica.do({ type: 'window/minimise', windowId: ids[1]! })
    expect(replica.state.focus).toEqual({ home: ids[0] })
    replica.do({ type: 'window/minimise', windowId: ids[0]! })
    expect(replica.state.focus).toEqual({ home: null })
    replica.do({ type: 'window/restore', windowId: ids[0]! })
    expect(replica.state.focus).toEqual({ home: ids[0] })
    expect(replica.state.windows[ids[0]!]!.minimised).toBe(false)
  })

  it('[SE21] focusing a window of another activity shows that activity, and un-minimises', () => {
    const { replica, ids } = withWindows(1)
    const work = replica.do({ type: 'activity/create', name: 'Work' }) as ActivityId
    expect(replica.state.currentActivity).toBe(work)
    replica.do({ type: 'window/minimise', windowId: ids[0]! })
    replica.do({ type: 'window/focus', windowId: ids[0]! })
    expect(replica.state.currentActivity).toBe('home')
    expect(replica.state.windows[ids[0]!]!.minimised).toBe(false)
  })
})

describe('geometry', () => {
  it('[SE30] a move writes one class and leaves the others', () => {
    const { replica, ids } = withWindows(1)
    const [id] = ids as [WindowId]
    const before = replica.state.windows[id]!.places['medium-landscape']
    replica.do({ type: 'window/move', windowId: id, x: 40, y: 50 }, { displayClass: 'huge-landscape', desk: { width: 3000, height: 1600 } })
    expect(replica.state.windows[id]!.places['medium-landscape']).toBe(before)
    expect(Object.keys(replica.state.windows[id]!.places).sort()).toEqual(['huge-landscape', 'medium-landscape'])
  })

  it('[SE31] moving out of a zone gives the free size back', () => {
    const { replica, ids } = withWindows(1)
    const [id] = ids as [WindowId]
    replica.do({ type: 'window/resize', windowId: id, rect: { x: 100, y: 100, width: 500, height: 400 } })
    replica.do({ type: 'window/snap', windowId: id, zone: 'left' })
    expect(rectOf(replica.state, id)).toEqual({ x: 0, y: 0, width: 750, height: 900 })
    replica.do({ type: 'window/move', windowId: id, x: 300, y: 10 })
    const rect = rectOf(replica.state, id)
    expect([rect.x, rect.y, rect.width, rect.height].map(Math.round)).toEqual([300, 10, 500, 400])
  })

  it('[SE31] maximise and restore come back to the same place', () => {
    const { replica, ids } = withWindows(1)
    const [id] = ids as [WindowId]
    const before = rectOf(replica.state, id)
    replica.do({ type: 'window/maximise', windowId: id })
    expect(rectOf(replica.state, id)).toEqual({ x: 0, y: 0, ...DESK })
    replica.do({ type: 'window/restore', windowId: id })
    expect(rectOf(replica.state, id)).toEqual(before)
  })

  it('[SE34] a resize to nothing or beyond the desk ends on the desk', () => {
    const { replica, ids } = withWindows(1)
    const [id] = ids as [WindowId]
    replica.do({ type: 'window/resize', windowId: id, rect: { x: -5_000, y: -50, width: 9_000, height: 0 } })
    const rect = rectOf(replica.state, id)
    expect(rect.y).toBe(0)
    expect(rect.width).toBeLessThanOrEqual(DESK.width)
    expect(rect.x + rect.width).toBeGreaterThanOrEqual(100)
  })

  it('[SE43] tiling places the focused window first and leaves minimised and far ones alone', () => {
    const { replica, ids } = withWindows(6)
    replica.do({ type: 'window/minimise', windowId: ids[5]! })
    replica.do({ type: 'window/focus', windowId: ids[2]! })
    replica.do({ type: 'window/tile' })
    const zones = ids.map((id) => placeInClass(replica.state.windows[id]!.places, 'medium-landscape').zone)
    expect(zones).toEqual(['none', 'bottom-right', 'top-left', 'bottom-left', 'top-right', 'none'])
  })
})

describe('closing and reopening', () => {
  it('[SE16] a window comes back with all it was, in front', () => {
    const { replica, ids } = withWindows(2)
    const [id] = ids as [WindowId]
    replica.do({ type: 'tab/open', windowId: id, app: SHELL })
    replica.do({ type: 'window/pin', windowId: id, pinned: true })
    replica.do({ type: 'window/snap', windowId: id, zone: 'right' })
    const before = replica.state.windows[id]!
    const tabs = before.tabs.map((tab) => replica.state.tabs[tab])
    replica.do({ type: 'window/close', windowId: id })
    expect(replica.state.windows[id]).toBeUndefined()
    expect(replica.state.closed[0]).toMatchObject({ kind: 'window', title: 'ada' })
    expect(replica.do({ type: 'window/reopen' })).toBe(id)
    expect(replica.state.windows[id]).toEqual({ ...before, rank: expect.any(Number) })
    expect(before.tabs.map((tab) => replica.state.tabs[tab])).toEqual(tabs)
    expect(replica.state.closed.map(({ title }) => title)).toEqual(['Welcome'])
    expect(replica.state.focus).toEqual({ home: id })
  })

  it('[SE16] a tab returns to its window, or to one of its own if that is gone', () => {
    const { replica, ids } = withWindows(1)
    const [id] = ids as [WindowId]
    const tab = replica.do({ type: 'tab/open', windowId: id, app: SHELL }) as never
    replica.do({ type: 'tab/close', tabId: tab })
    replica.do({ type: 'window/reopen' })
    expect(replica.state.windows[id]!.tabs).toContain(tab)
    expect(replica.state.windows[id]!.activeTab).toBe(tab)
    replica.do({ type: 'tab/close', tabId: tab })
    const item = replica.state.closed[0]!.id
    replica.do({ type: 'window/close', windowId: id })
    replica.do({ type: 'window/reopen', closedId: item })
    expect(replica.state.tabs[tab]).toMatchObject({ app: SHELL, window: id })
    expect(replica.state.windows[id]!.tabs).toEqual([tab])
  })

  it('[SE16] the last 25, newest first; the rest is gone from the document', () => {
    const { replica } = withWindows(0)
    const closed = Array.from({ length: 30 }, () => {
      const id = replica.do({ type: 'window/open', app: NOTES }) as WindowId
      replica.do({ type: 'window/close', windowId: id })
      return id
    })
    expect(replica.state.closed.length).toBe(25)
    expect([...replica.workspace.records().keys()].filter((key) => key.startsWith('closed:')).length).toBe(25)
    expect(replica.do({ type: 'window/reopen' })).toBe(closed.at(-1))
  })

  it('[SE16] what is open again already is not doubled', () => {
    const { replica, ids } = withWindows(1)
    replica.do({ type: 'window/close', windowId: ids[0]! })
    const item = replica.state.closed[0]!
    replica.workspace.write({ set: item.records, remove: [], label: '' })
    replica.do({ type: 'window/reopen', closedId: item.id })
    expect(replica.state.stack).toEqual(ids)
    expect(replica.state.closed.some(({ id }) => id === item.id)).toBe(false)
  })

  it('[SE16] reopening what was in an activity that is gone: in the current one', () => {
    const { replica } = withWindows(0)
    const work = replica.do({ type: 'activity/create', name: 'Work' }) as ActivityId
    const id = replica.do({ type: 'window/open', app: NOTES }) as WindowId
    replica.do({ type: 'activity/remove', activityId: work })
    expect(replica.state.windows[id]).toBeUndefined()
    replica.do({ type: 'window/reopen' })
    expect(replica.state.windows[id]!.activity).toBe('home')
  })
})

it('[SE6] commands about a window that is not open write nothing', () => {
  const { replica } = withWindows(1)
  const windowId = 'gone' as WindowId
  for (const command of [
    { type: 'window/close', windowId },
    { type: 'window/focus', windowId },
    { type: 'window/move', windowId, x: 1, y: 1 },
    { type: 'window/minimise', windowId },
    { type: 'window/pin', windowId, pinned: true },
    { type: 'tab/open', windowId, app: NOTES },
    { type: 'window/to-activity', windowId, activityId: 'home' as ActivityId },
    { type: 'window/reopen', closedId: 'gone' },
  ] as const) {
    expect(replica.workspace.dispatch(command, replica.contexts.next()), command.type).toBeUndefined()
  }
})
