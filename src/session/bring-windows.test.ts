import { expect, it } from 'vitest'
import { NOTES, SHELL, TestReplica } from '../testkit/session-replicas.ts'
import { bringWindows, broughtWindows, windowsToBring } from './bring-windows.ts'
import { SessionError } from './session-error.ts'
import type { ActivityId, WindowId } from './session-ids.ts'

function joiner() {
  const replica = new TestReplica(200)
  const notes = replica.do({ type: 'window/open', app: NOTES }) as WindowId
  replica.do({ type: 'tab/open', windowId: notes, app: { kind: 'devices' } })
  const tab = replica.state.windows[notes]!.tabs[0]!
  replica.do({ type: 'tab/activate', tabId: tab })
  const shell = replica.do({ type: 'window/open', app: SHELL }) as WindowId
  replica.do({ type: 'window/minimise', windowId: shell })
  replica.do({ type: 'window/maximise', windowId: notes })
  return replica
}

it('[SE70] all windows but the welcome arrive in one transaction, in an activity named after their device', () => {
  const from = joiner()
  const to = new TestReplica(100)
  const windows = broughtWindows.parse(JSON.parse(JSON.stringify(windowsToBring(from.state))))
  expect(windows.map(({ tabs }) => tabs.map(({ app }) => app.kind))).toEqual([['terminal'], ['editor', 'devices']])
  let updates = 0
  to.doc.on('update', () => updates++)
  const change = bringWindows(to.state, windows, ' laptop ', to.contexts.next())!
  to.workspace.write(change)
  expect(updates).toBe(1)
  const activity = to.state.activities[change.made as ActivityId]!
  expect(activity).toMatchObject({ name: 'laptop', hue: 1 })
  expect(to.state.activityOrder).toEqual(['home', activity.id])
  expect(to.state.currentActivity).toBe('home')
  const arrived = Object.values(to.state.windows).filter((window) => window.activity === activity.id)
  expect(arrived.length).toBe(2)
  const notes = arrived.find((window) => window.tabs.length === 2)!
  expect(notes.tabs.map((tab) => to.state.tabs[tab]!.app)).toEqual([NOTES, { kind: 'devices' }])
  expect(notes.activeTab).toBe(notes.tabs[0])
  expect(notes.places['medium-landscape']).toMatchObject({ zone: 'maximised' })
  expect(arrived.find((window) => window.tabs.length === 1)!.minimised).toBe(true)
  expect(to.state.focus[activity.id]).toBe(notes.id)
  expect(to.state.undo).toEqual([])
})

it('[SE70] ids are new: the same windows brought twice are two sets', () => {
  const windows = windowsToBring(joiner().state)
  const to = new TestReplica(100)
  for (let i = 0; i < 2; i++) to.workspace.write(bringWindows(to.state, windows, 'laptop', to.contexts.next())!)
  expect(to.state.stack.length).toBe(1 + 4)
  expect(to.state.activityOrder.length).toBe(3)
})

it('[SE70] a desk with only its welcome brings nothing', () => {
  const fresh = new TestReplica(200)
  expect(windowsToBring(fresh.state)).toEqual([])
  expect(bringWindows(fresh.state, [], 'laptop', fresh.contexts.next())).toBeUndefined()
})

it('[SE70] [SE60] nothing is brought to a desk that is only looked at', () => {
  const to = new TestReplica(100)
  const windows = windowsToBring(joiner().state)
  expect(() => bringWindows({ ...to.state, readOnly: true, schema: 2 }, windows, 'laptop', to.contexts.next())).toThrow(SessionError)
})

it('[SE70] what comes from outside is bounded', () => {
  const [window] = windowsToBring(joiner().state)
  expect(broughtWindows.safeParse(Array.from({ length: 1_001 }, () => window)).success).toBe(false)
  expect(broughtWindows.safeParse([{ ...window, tabs: [] }]).success).toBe(false)
  expect(broughtWindows.safeParse([{ ...window, places: { 'wall-sized': {} } }]).success).toBe(false)
})
