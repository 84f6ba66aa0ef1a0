import { expect, it } from 'vitest'
import type { WindowId } from '../../session/session-ids.ts'
import { SHELL, TestReplica } from '../../testkit/session-replicas.ts'
import { isMadeHere, noteNewTabs } from './tabs-made-here.ts'

it('[AP16] a shell is started by the display that opened its tab', () => {
  const replica = new TestReplica(1)
  const before = replica.state
  const windowId = replica.do({ type: 'window/open', app: SHELL }) as WindowId
  const tabId = replica.state.windows[windowId]?.activeTab ?? ''
  expect(isMadeHere(tabId)).toBe(false) // another display's, until this one says it made it
  noteNewTabs(before, replica.state)
  expect(isMadeHere(tabId)).toBe(true)
  expect(Object.keys(before.tabs).some(isMadeHere)).toBe(false)
})
