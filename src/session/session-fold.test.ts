import { describe, expect, it } from 'vitest'
import { NOTES, TestReplica } from '../testkit/session-replicas.ts'
import type { RecordValue } from './record-value.ts'
import { equalJson } from './record-value.ts'
import { SessionFold } from './session-fold.ts'
import type { WindowId } from './session-ids.ts'

describe('records that are not what they should be', () => {
  const RUBBISH: readonly [string, RecordValue][] = [
    ['tab:../x', true],
    ['tab:', true],
    ['tab', true],
    ['place', 5],
    ['place:w', {}],
    ['place:w:wall-sized', {}],
    ['unknown:thing', { a: 1 }],
    ['undo:x', { seq: -1 }],
    ['closed:x', 'no'],
    ['read:n', 'never'],
    ['keys:palette', 'Ctrl+P'],
    ['preference:theme', 'loud'],
    ['preference:nobody', 1],
    ['current', { id: 'home' }],
    ['read-up-to', -5],
    ['window-rank:welcome', 1.5],
    ['window-pin:welcome', 'yes'],
    ['window-activity:welcome', 'a:b'],
    ['place:welcome:medium-landscape', { zone: 'sideways' }],
    ['activity-hue:home', 99],
    ['activity-name:home', ''],
    ['tab-pin:welcome', 1],
    ['current', 'constructor'],
    ['window-activity:welcome', 'toString'],
    ['activity:__proto__', true],
    ['keys:__proto__', ['Ctrl+P']],
    ['read:__proto__', 5],
  ]

  it.each(RUBBISH)('[SE3] %s = %j counts as absent and harms no other', (key, value) => {
    const replica = new TestReplica(100)
    const id = replica.do({ type: 'window/open', app: NOTES }) as WindowId
    replica.workspace.write({ set: [[key, value]], remove: [], label: '' })
    expect(replica.state.windows[id]).toBeDefined()
    expect(replica.state.windows['welcome' as WindowId]).toMatchObject({ activity: 'home', pinned: false, tabs: ['welcome'] })
    expect(replica.state.activities).toMatchObject({ home: { hue: 0, name: 'Home' } })
    expect(replica.state.preferences.theme).toBe('system')
    expect(replica.state.currentActivity).toBe('home')
    expect(replica.workspace.records().has(key)).toBe(true)
  })

  it('[SE3] [SE2] a tab of a kind we do not know is not shown, and not swept away', () => {
    const replica = new TestReplica(100)
    replica.workspace.write({
      set: [
        ['tab:future', true],
        ['tab-place:future', { window: 'w9', order: 'V', activity: 'home' }],
        ['tab-state:future', { kind: 'hologram' }],
      ],
      remove: [],
      label: '',
    })
    for (let i = 0; i < 3; i++) replica.do({ type: 'window/open', app: NOTES })
    expect(replica.state.tabs).not.toHaveProperty('future')
    expect([...replica.workspace.records().keys()].filter((key) => key.endsWith(':future')).length).toBe(3)
  })
})

it('[SE14] at most 64 leftovers are removed with each change', () => {
  const replica = new TestReplica(100)
  const orphans = Array.from({ length: 150 }, (_, i) => [`window-pin:gone${i}`, true] as const)
  replica.workspace.write({ set: orphans, remove: [], label: '' })
  const left = () => replica.workspace.leftovers.orphans
  expect(left()).toBe(150)
  replica.do({ type: 'window/open', app: NOTES })
  expect(left()).toBe(86)
  replica.do({ type: 'window/open', app: NOTES })
  replica.do({ type: 'window/open', app: NOTES })
  expect(left()).toBe(0)
})

it('[SE14] a record that belongs to nothing yet is no leftover once its thing is there', () => {
  const records = new Map<string, RecordValue>([['window-rank:w', 3]])
  const fold = new SessionFold((key) => records.get(key), records.keys())
  expect([...fold.orphans]).toEqual(['window-rank:w'])
  const tab: [string, RecordValue][] = [
    ['tab:t', true],
    ['tab-place:t', { window: 'w', order: 'V', activity: 'home' }],
    ['tab-state:t', { kind: 'devices' }],
  ]
  for (const [key, value] of tab) records.set(key, value)
  const state = fold.update(tab.map(([key]) => key))
  expect(state.windows['w' as WindowId]).toMatchObject({ rank: 3, tabs: ['t'] })
  expect([...fold.orphans]).toEqual([])
})

it('[SE4] an update that says the same is the same state', () => {
  const replica = new TestReplica(100)
  const { state } = replica
  const heard: unknown[] = []
  replica.workspace.onDidChange((change) => heard.push(change))
  replica.workspace.write({ set: [['activity-name:home', 'Home']], remove: [], label: '' })
  expect(replica.state).toBe(state)
  expect(heard).toEqual([])
})

it('[SE6] a change is told once, with the state before and after and who made it', () => {
  const [a, b] = [new TestReplica(100), new TestReplica(200)]
  const heard: [boolean, unknown, number, number][] = []
  b.workspace.onDidChange(({ local, origin, previous, state }) => heard.push([local, origin, previous.stack.length, state.stack.length]))
  a.do({ type: 'window/open', app: NOTES })
  b.pull(a)
  b.workspace.dispatch({ type: 'window/open', app: NOTES }, b.contexts.next(), 'me')
  expect(heard).toEqual([
    [false, 'remote', 1, 2],
    [true, 'me', 2, 3],
  ])
  b.workspace.dispose()
  b.do({ type: 'window/open', app: NOTES })
  expect(heard.length).toBe(2)
})

describe('preferences, keys and read marks', () => {
  it('[SE95] different ones changed at once are all kept', () => {
    const [a, b] = [new TestReplica(100), new TestReplica(200)]
    a.do({ type: 'preferences/set', values: { theme: 'dark' } })
    b.do({ type: 'preferences/set', values: { terminalFontPx: 16 } })
    a.do({ type: 'keybindings/set', command: 'palette', keys: ['Ctrl+P'] })
    b.do({ type: 'keybindings/set', command: 'close', keys: [] })
    a.do({ type: 'notifications/read', ids: ['n:1'] })
    b.do({ type: 'notifications/read', ids: ['n:2'] })
    a.pull(b)
    b.pull(a)
    for (const { state } of [a, b]) {
      expect(state.preferences).toMatchObject({ theme: 'dark', terminalFontPx: 16 })
      expect(state.keybindings).toEqual({ palette: ['Ctrl+P'], close: [] })
      expect(Object.keys(state.notifications.read).sort()).toEqual(['n:1', 'n:2'])
    }
  })

  it('[SE95] a preference set back to the usual, keys back to the shipped ones', () => {
    const replica = new TestReplica(100)
    replica.do({ type: 'preferences/set', values: { theme: 'dark' } })
    replica.do({ type: 'preferences/set', values: { theme: 'system' } })
    expect(replica.state.preferences.theme).toBe('system')
    expect(() => replica.do({ type: 'preferences/set', values: { terminalFontPx: 4_000 } })).toThrow()
    replica.do({ type: 'keybindings/set', command: 'palette', keys: ['Ctrl+P'] })
    replica.do({ type: 'keybindings/set', command: 'palette', keys: null })
    expect(replica.state.keybindings).toEqual({})
  })

  it('[SE95] a hundred read marks are kept; "all read" needs none', () => {
    const replica = new TestReplica(100)
    for (let i = 0; i < 130; i++) replica.do({ type: 'notifications/read', ids: [`n${i}`] })
    expect(Object.keys(replica.state.notifications.read).length).toBe(100)
    expect(replica.state.notifications.read).toHaveProperty('n129')
    replica.do({ type: 'notifications/read-all', upToMs: 5_000 })
    expect(replica.state.notifications).toEqual({ readUpToMs: 5_000, read: {} })
    replica.do({ type: 'notifications/read-all', upToMs: 4_000 })
    expect(replica.state.notifications.readUpToMs).toBe(5_000)
  })
})

it('[SE50] values are compared as JSON', () => {
  expect(equalJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true)
  expect(equalJson({ a: 1, b: undefined }, { a: 1 })).toBe(true)
  expect(equalJson({ a: 1 }, { a: 1, b: 2 })).toBe(false)
  expect(equalJson([1, 2], [1])).toBe(false)
  expect(equalJson([1], { 0: 1 })).toBe(false)
  expect(equalJson(null, {})).toBe(false)
  expect(equalJson(0, '0')).toBe(false)
})
