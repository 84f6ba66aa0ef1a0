import { describe, expect, it } from 'vitest'
import { NOTES, SHELL, syncAll, TestReplica } from '../testkit/session-replicas.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'
import { UNDO_DEPTH } from './session-state.ts'

const pair = () => [new TestReplica(100), new TestReplica(200)] as const
const open = (replica: TestReplica) => replica.do({ type: 'window/open', app: NOTES }) as WindowId
const place = (replica: TestReplica, id: WindowId) => replica.state.windows[id]!.places['medium-landscape']

describe('what is undone', () => {
  it('[SE50] newest first, and says what', () => {
    const replica = new TestReplica(100)
    const id = open(replica)
    const before = place(replica, id)
    replica.do({ type: 'window/move', windowId: id, x: 10, y: 10 })
    replica.do({ type: 'window/minimise', windowId: id })
    expect(replica.state.undo.map(({ label }) => label)).toEqual(['Minimise window', 'Move window', 'Open notes.md'])
    const change = replica.workspace.dispatch({ type: 'undo' }, replica.contexts.next())
    expect(change?.label).toBe('Undo: Minimise window')
    replica.do({ type: 'undo' })
    expect(place(replica, id)).toEqual(before)
    replica.do({ type: 'undo' })
    expect(replica.state.windows[id]).toBeUndefined()
    expect(replica.state.undo).toEqual([])
    expect(replica.workspace.dispatch({ type: 'undo' }, replica.contexts.next())).toBeUndefined()
  })

  it('[SE50] fifty, and no more in the document', () => {
    const replica = new TestReplica(100)
    const id = open(replica)
    for (let i = 0; i < 70; i++) replica.do({ type: 'window/pin', windowId: id, pinned: i % 2 === 0 })
    expect(replica.state.undo.length).toBe(UNDO_DEPTH)
    expect([...replica.workspace.records().keys()].filter((key) => key.startsWith('undo:')).length).toBe(UNDO_DEPTH)
  })

  it('[SE50] two displays that each did fifty things apart keep the newest fifty', () => {
    const [a, b] = pair()
    const id = open(a)
    syncAll([a, b])
    for (let i = 0; i < 60; i++) {
      a.do({ type: 'window/pin', windowId: id, pinned: i % 2 === 0 })
      b.do({ type: 'window/move', windowId: id, x: i, y: i })
    }
    syncAll([a, b])
    expect(a.state.undo.length).toBe(UNDO_DEPTH)
    expect(b.state.undo).toEqual(a.state.undo)
    a.do({ type: 'window/minimise', windowId: id })
    a.do({ type: 'window/restore', windowId: id })
    expect([...a.workspace.records().keys()].filter((key) => key.startsWith('undo:')).length).toBe(UNDO_DEPTH)
  })

  it('[SE50] what undo closes can be reopened', () => {
    const replica = new TestReplica(100)
    const id = open(replica)
    const tab = replica.do({ type: 'tab/open', windowId: id, app: SHELL }) as TabId
    replica.do({ type: 'undo' })
    expect(replica.state.tabs[tab]).toBeUndefined()
    replica.do({ type: 'undo' })
    expect(replica.state.windows[id]).toBeUndefined()
    expect(replica.state.closed[0]).toMatchObject({ kind: 'window', title: 'notes.md' })
    replica.do({ type: 'window/reopen' })
    expect(replica.state.windows[id]).toBeDefined()
  })

  it('[SE53] focus, switching, preferences and marks are not', () => {
    const replica = new TestReplica(100)
    const [a, b] = [open(replica), open(replica)]
    const depth = replica.state.undo.length
    replica.do({ type: 'window/focus', windowId: a })
    replica.do({ type: 'window/focus', windowId: b })
    replica.do({ type: 'activity/switch', activityId: 'home' as ActivityId })
    replica.do({ type: 'preferences/set', values: { theme: 'dark' } })
    replica.do({ type: 'notifications/read', ids: ['n1'] })
    replica.do({ type: 'keybindings/set', command: 'palette', keys: ['Ctrl+P'] })
    replica.do({ type: 'tab/activate', tabId: replica.state.windows[a]!.tabs[0]! })
    expect(replica.state.undo.length).toBe(depth)
  })
})

describe('moves in quick succession', () => {
  const moves = (stepMs: number) => {
    const replica = new TestReplica(100)
    const id = open(replica)
    const before = place(replica, id)
    for (let i = 1; i <= 5; i++) {
      replica.workspace.dispatch({ type: 'window/move', windowId: id, x: 10 * i, y: 10 }, replica.contexts.next(stepMs))
    }
    return { replica, id, before }
  }

  it('[SE54] are one undo', () => {
    const { replica, id, before } = moves(200)
    expect(replica.state.undo.length).toBe(2)
    replica.do({ type: 'undo' })
    expect(place(replica, id)).toEqual(before)
  })

  it('[SE54] a second apart they are many', () => {
    expect(moves(1_000).replica.state.undo.length).toBe(6)
  })
})

describe('undo after others did something', () => {
  it('[SE52] what somebody changed since is left as it is; the one before is undone', () => {
    const [a, b] = pair()
    const id = open(a)
    a.do({ type: 'window/pin', windowId: id, pinned: true })
    a.do({ type: 'window/move', windowId: id, x: 10, y: 10 })
    syncAll([a, b])
    b.workspace.write({ set: [[`place:${id}:medium-landscape`, { ...place(b, id)!, x: 0.5 }]], remove: [], label: '' })
    syncAll([a, b])
    a.do({ type: 'undo' })
    expect(place(a, id)!.x).toBe(0.5)
    expect(a.state.windows[id]!.pinned).toBe(false)
  })

  it('[SE52] a move of a window that was closed meanwhile: dropped, and the close is undone first', () => {
    const [a, b] = pair()
    const id = open(a)
    syncAll([a, b])
    a.do({ type: 'window/move', windowId: id, x: 10, y: 10 })
    b.do({ type: 'window/close', windowId: id })
    syncAll([a, b])
    expect(a.state.windows[id]).toBeUndefined()
    a.do({ type: 'undo' })
    expect(a.state.windows[id]).toBeDefined()
  })

  it('[SE52] a torn-off window others put a tab into stays a window, with its place', () => {
    const [a, b] = pair()
    const id = open(a)
    const tab = a.do({ type: 'tab/open', windowId: id, app: SHELL }) as TabId
    const own = a.do({ type: 'tab/tear-off', tabId: tab }) as WindowId
    syncAll([a, b])
    const guest = b.do({ type: 'tab/open', windowId: own, app: SHELL }) as TabId
    b.workspace.write({ set: [], remove: b.state.undo.slice(0, 1).map((entry) => `undo:${entry.id}`), label: '' })
    syncAll([a, b])
    const before = place(a, own)
    a.do({ type: 'undo' })
    expect(a.state.tabs[tab]!.window).toBe(id)
    expect(a.state.windows[own]!.tabs).toEqual([guest])
    expect(place(a, own)).toEqual(before)
  })

  it('[SE52] a tab does not go back to a window that is gone for other reasons', () => {
    const replica = new TestReplica(100)
    const [from, to] = [open(replica), open(replica)]
    const tab = replica.do({ type: 'tab/open', windowId: from, app: SHELL }) as TabId
    replica.do({ type: 'tab/move', tabId: tab, windowId: to, before: null })
    const other = replica.state.windows[from]!.tabs[0]!
    replica.workspace.write({ set: [], remove: [`tab:${other}`], label: '' })
    expect(replica.state.windows[from]).toBeUndefined()
    replica.do({ type: 'undo' })
    expect(replica.state.tabs[tab]!.window).toBe(to)
  })

  it('[SE52] an activity others work in is not un-made', () => {
    const [a, b] = pair()
    const work = a.do({ type: 'activity/create', name: 'Work', stay: true }) as ActivityId
    syncAll([a, b])
    const id = b.do({ type: 'window/open', app: NOTES, activityId: work }) as WindowId
    b.workspace.write({ set: [], remove: [`undo:${b.state.undo[0]!.id}`], label: '' })
    syncAll([a, b])
    a.do({ type: 'undo' })
    expect(a.state.activities[work]).toBeDefined()
    expect(a.state.windows[id]!.activity).toBe(work)
  })

  it('[SE51] both undo the same thing at once: it is undone once', () => {
    const [a, b] = pair()
    const id = open(a)
    const before = place(a, id)
    a.do({ type: 'window/move', windowId: id, x: 10, y: 10 })
    syncAll([a, b])
    a.do({ type: 'undo' })
    b.do({ type: 'undo' })
    syncAll([a, b])
    expect(place(a, id)).toEqual(before)
    expect(a.state).toEqual(b.state)
    expect(a.state.windows[id]).toBeDefined()
    expect(a.state.undo.map(({ label }) => label)).toEqual(['Open notes.md'])
  })

  it('[SE53] the text of an editor is not in what travels', () => {
    const replica = new TestReplica(100)
    const id = replica.do({ type: 'window/open', app: { ...NOTES, path: null, textDoc: 'text/b1' } as never }) as WindowId
    replica.do({ type: 'window/close', windowId: id })
    const written = JSON.stringify(replica.state.undo)
    expect(written).toContain('text/b1')
    expect([...replica.doc.share.keys()]).toEqual(['records'])
  })
})
