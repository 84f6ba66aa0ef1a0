import { expect, it } from 'vitest'
import type { WindowId } from '../../session/session-ids.ts'
import { NOTES, SHELL, TestReplica } from '../../testkit/session-replicas.ts'
import { droppedTexts } from './unused-texts.ts'

const draft = { ...NOTES, path: null, textDoc: 'text/one' } as const

it('[AP28] a text that is closed stays as long as it can be brought back, then it is dropped', () => {
  const replica = new TestReplica(100)
  const id = replica.do({ type: 'window/open', app: draft }) as WindowId
  const open = replica.state
  replica.do({ type: 'window/close', windowId: id })
  expect(droppedTexts(open, replica.state)).toEqual([])
  const closed = replica.state
  for (let i = 0; i < 60; i++) {
    const shell = replica.do({ type: 'window/open', app: SHELL }) as WindowId
    replica.do({ type: 'window/close', windowId: shell })
  }
  expect(droppedTexts(closed, replica.state)).toEqual(['text/one'])
})

it('[AP28] a text that was saved is dropped, and only once', () => {
  const replica = new TestReplica(101)
  replica.do({ type: 'window/open', app: draft })
  const unsaved = replica.state
  const tab = Object.values(unsaved.tabs).find(({ app }) => app.kind === 'editor')
  if (!tab) throw new Error('the editor tab is missing')
  replica.do({ type: 'tab/set-state', tabId: tab.id, app: { ...NOTES, textDoc: null } as typeof NOTES })
  expect(droppedTexts(unsaved, replica.state)).toEqual(['text/one'])
  expect(droppedTexts(replica.state, replica.state)).toEqual([])
})
