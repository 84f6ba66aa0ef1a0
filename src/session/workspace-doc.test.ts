import { expect, it } from 'vitest'
import { NOTES, SHELL, syncAll, TestReplica } from '../testkit/session-replicas.ts'
import type { WindowId } from './session-ids.ts'
import { WorkspaceDoc } from './workspace-doc.ts'

const pair = () => [new TestReplica(100), new TestReplica(200)] as const

it('[SE7] two new desks merge into one Home with one welcome window', () => {
  const [a, b] = pair()
  syncAll([a, b])
  expect(a.state.activityOrder).toEqual(['home'])
  expect(Object.keys(a.state.windows)).toEqual(['welcome'])
  expect(b.state).toEqual(a.state)
})

it('[SE11] closed beats moved', () => {
  const [a, b] = pair()
  const id = a.do({ type: 'window/open', app: NOTES }) as WindowId
  syncAll([a, b])
  a.do({ type: 'window/close', windowId: id })
  b.do({ type: 'window/move', windowId: id, x: 300, y: 200 })
  b.do({ type: 'window/focus', windowId: id })
  b.do({ type: 'window/pin', windowId: id, pinned: true })
  syncAll([a, b])
  expect(a.state.windows[id]).toBeUndefined()
  expect(b.state).toEqual(a.state)
  expect(a.workspace.leftovers.orphans).toBeGreaterThan(0)
  a.do({ type: 'window/open', app: SHELL })
  expect(a.workspace.leftovers.orphans).toBe(0)
})

it('[SE11] both moves of one window end in the same place on all', () => {
  const [a, b] = pair()
  const id = a.do({ type: 'window/open', app: NOTES }) as WindowId
  syncAll([a, b])
  a.do({ type: 'window/move', windowId: id, x: 100, y: 100 })
  b.do({ type: 'window/move', windowId: id, x: 300, y: 200 })
  syncAll([a, b])
  expect(a.state.windows[id]).toEqual(b.state.windows[id])
})

it('[SE12] a tab moved into a window that is closed meanwhile keeps a window of that id', () => {
  const [a, b] = pair()
  const from = a.do({ type: 'window/open', app: NOTES }) as WindowId
  const to = a.do({ type: 'window/open', app: SHELL }) as WindowId
  syncAll([a, b])
  const tab = a.state.windows[from]?.tabs[0] as never
  a.do({ type: 'window/close', windowId: to })
  b.do({ type: 'tab/move', tabId: tab, windowId: to, before: null })
  syncAll([a, b])
  expect(a.state.windows[to]).toMatchObject({ tabs: [tab], activity: 'home' })
  expect(a.state.windows[from]).toBeUndefined()
  expect(b.state).toEqual(a.state)
})

it('[SE51] undo works on the other display', () => {
  const [a, b] = pair()
  const id = a.do({ type: 'window/open', app: NOTES }) as WindowId
  const before = a.state.windows[id]
  a.do({ type: 'window/close', windowId: id })
  syncAll([a, b])
  expect(b.state.windows[id]).toBeUndefined()
  b.do({ type: 'undo' })
  syncAll([a, b])
  expect(a.state.windows[id]).toEqual(before)
  expect(a.state.closed).toEqual([])
})

it('[SE14] a leftover that a command needs again is kept, not swept', () => {
  const [a, b] = pair()
  const id = a.do({ type: 'window/open', app: NOTES }) as WindowId
  a.do({ type: 'window/pin', windowId: id, pinned: true })
  syncAll([a, b])
  a.do({ type: 'window/close', windowId: id })
  b.do({ type: 'window/pin', windowId: id, pinned: false })
  b.do({ type: 'window/pin', windowId: id, pinned: true })
  syncAll([a, b])
  expect(a.workspace.leftovers.orphans).toBe(1)
  a.workspace.dispatch({ type: 'window/reopen' }, a.contexts.next())
  expect(a.state.windows[id]!.pinned).toBe(true)
  expect(a.workspace.leftovers.orphans).toBe(0)
})

it('[SE4] who listens before anybody has looked is told what the desk was before', () => {
  const [a, b] = pair()
  syncAll([a, b])
  const seen = new WorkspaceDoc(b.doc)
  const told: { readonly before: number; readonly after: number }[] = []
  const count = (state: { readonly windows: object }) => Object.keys(state.windows).length
  seen.onDidChange(({ previous, state }) => told.push({ before: count(previous), after: count(state) }))
  a.do({ type: 'window/open', app: NOTES })
  syncAll([a, b])
  expect(told).toEqual([{ before: 1, after: 2 }])
  seen.dispose()
})
