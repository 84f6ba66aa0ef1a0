import { describe, expect, it } from 'vitest'
import { NOTES, SHELL, TestReplica } from '../testkit/session-replicas.ts'
import { ChangeDraft } from './change-draft.ts'
import * as key from './record-keys.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'
import { recordsOf, tabKeys, valueOfKey, wholeWindowRecords, windowKeys } from './session-records.ts'

const W = 'w' as WindowId
const T = 't' as TabId

function desk() {
  const replica = new TestReplica(100)
  replica.do({ type: 'window/open', id: W, tabId: T, app: NOTES })
  replica.do({ type: 'tab/open', windowId: W, app: SHELL })
  replica.do({ type: 'window/pin', windowId: W, pinned: true })
  replica.do({ type: 'window/close', windowId: 'welcome' as WindowId })
  replica.do({ type: 'preferences/set', values: { theme: 'dark' } })
  replica.do({ type: 'keybindings/set', command: 'window.close', keys: ['Ctrl+Q'] })
  replica.do({ type: 'notifications/read', ids: ['device:7'] })
  return replica
}

describe('record keys', () => {
  it('[SE2] are what the golden files hold: changing one is a new schema', () => {
    const id = 'x' as never
    const activity = [key.activityKey, key.activityNameKey, key.activityHueKey, key.activityOrderKey]
    const window = [key.windowActivityKey, key.windowRankKey, key.windowMinimisedKey, key.windowPinnedKey, key.windowActiveTabKey]
    const tab = [key.tabKey, key.tabPlaceKey, key.tabStateKey, key.tabPinnedKey]
    expect([...activity, ...window, ...tab].map((make) => make(id))).toEqual([
      'activity:x',
      'activity-name:x',
      'activity-hue:x',
      'activity-order:x',
      'window-activity:x',
      'window-rank:x',
      'window-min:x',
      'window-pin:x',
      'window-tab:x',
      'tab:x',
      'tab-place:x',
      'tab-state:x',
      'tab-pin:x',
    ])
    expect(key.placeKey(W, 'wide-portrait')).toBe('place:w:wide-portrait')
    expect([key.closedKey('x'), key.undoKey('x'), key.preferenceKey('x'), key.keybindingKey('x'), key.readKey('x')]).toEqual([
      'closed:x',
      'undo:x',
      'preference:x',
      'keys:x',
      'read:x',
    ])
    expect([key.SCHEMA_KEY, key.CURRENT_ACTIVITY_KEY, key.READ_UP_TO_KEY]).toEqual(['schema', 'current', 'read-up-to'])
  })

  it.each([
    ['tab:x', { prefix: 'tab', id: 'x', rest: '' }],
    ['place:w:wide-portrait', { prefix: 'place', id: 'w', rest: 'wide-portrait' }],
    ['place:w', { prefix: 'place', id: '', rest: '' }],
    ['read:device:7', { prefix: 'read', id: 'device:7', rest: '' }],
    ['schema', { prefix: 'schema', id: '', rest: '' }],
    ['', { prefix: '', id: '', rest: '' }],
  ])('[SE2] %j comes apart', (text, parts) => {
    expect(key.partsOfKey(text)).toEqual(parts)
  })
})

describe('from state to records', () => {
  it('[SE5] every record in the document is one the state stands for', () => {
    const replica = desk()
    const stated = recordsOf(replica.state)
    // A flag that is off, and what goes without saying, may be said in the document.
    for (const [recordKey, value] of replica.workspace.records()) expect(stated.get(recordKey), recordKey).toEqual(value)
  })

  it('[SE50] the value of a key is that of its record; null where there is none', () => {
    const { state } = desk()
    for (const [recordKey, value] of recordsOf(state)) {
      if (recordKey.startsWith('undo:')) continue
      expect(valueOfKey(state, recordKey), recordKey).toEqual(value)
    }
    for (const nothing of ['tab:gone', 'window-pin:gone', 'activity-name:gone', 'closed:gone', 'preference:gone', 'keys:gone', 'x']) {
      expect(valueOfKey(state, nothing), nothing).toBeNull()
    }
  })

  it('[SE10] closing removes every key that may hang on a window and its tabs', () => {
    const { state } = desk()
    const removed = new Set([...windowKeys(W), ...state.windows[W]!.tabs.flatMap(tabKeys)])
    for (const [recordKey] of wholeWindowRecords(state, W)) expect(removed.has(recordKey), recordKey).toBe(true)
    expect(wholeWindowRecords(state, 'gone' as WindowId)).toEqual([])
  })
})

describe('a draft', () => {
  const draft = () => {
    const replica = desk()
    return new ChangeDraft(replica.state, replica.contexts.next())
  }

  it('[SE6] that says what is so already is no change', () => {
    const one = draft()
    one.set(key.windowPinnedKey(W), true)
    one.set(key.windowMinimisedKey(W), false)
    one.remove(key.tabKey('gone' as TabId))
    expect(one.finish()).toBeUndefined()
    expect(one.finishUndoable('Nothing')).toBeUndefined()
  })

  it('[SE6] writes each key once, the last word counts', () => {
    const one = draft()
    one.set(key.activityNameKey('home' as ActivityId), 'A')
    one.remove(key.activityNameKey('home' as ActivityId))
    one.set(key.activityNameKey('home' as ActivityId), 'B')
    one.tidy('closed:old')
    const change = one.finish('label')!
    expect(change).toEqual({ set: [['activity-name:home', 'B']], remove: ['closed:old'], label: 'label', made: undefined })
  })

  it('[SE50] an undo entry says what was and what became, and not what was tidied away', () => {
    const one = draft()
    one.set(key.windowPinnedKey(W), false)
    one.set(key.windowMinimisedKey(W), true)
    one.tidy('closed:old')
    const change = one.finishUndoable('Both')!
    const [, entry] = change.set.find(([recordKey]) => recordKey.startsWith('undo:'))!
    expect(entry).toMatchObject({
      label: 'Both',
      steps: [
        ['window-pin:w', true, null],
        ['window-min:w', null, true],
      ],
    })
  })

  it('[SE6] an id with a colon never becomes part of a key', () => {
    const one = draft()
    for (const bad of ['a:b', '', 'x'.repeat(65), 'ü', '__proto__', 'constructor']) {
      expect(() => one.newId(bad)).toThrow(expect.objectContaining({ code: 'session/bad-id' }))
    }
    expect(one.newId('fine_-9')).toBe('fine_-9')
  })
})
