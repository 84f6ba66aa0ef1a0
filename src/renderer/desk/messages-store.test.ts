import * as Y from 'yjs'
import { afterEach, expect, it } from 'vitest'
import { displayClassOf } from '../../session/display-class.ts'
import { firstContent } from '../../session/first-content.ts'
import { WorkspaceDoc } from '../../session/workspace-doc.ts'
import { addMessage, dropMessage, type DeskMessage, isUnread, readIdOf, useMessages } from './messages-store.ts'

afterEach(() => useMessages.setState({ messages: [] }))

const desk = { width: 1280, height: 800 }
const context = { newId: () => 'n', nowMs: 5_000, displayClass: displayClassOf(desk), desk }
const message = (atMs: number): DeskMessage => ({ id: 'guest bob', code: 'x', severity: 'info', title: 'Bob', body: '', atMs })

it('[AP77] what is read on one display is read on the other, and comes as news when it comes again', () => {
  const [one, other] = [new Y.Doc(), new Y.Doc()].map((doc) => {
    Y.applyUpdate(doc, firstContent())
    return new WorkspaceDoc(doc)
  }) as [WorkspaceDoc, WorkspaceDoc]
  expect(isUnread(message(1_000), other.state.notifications)).toBe(true)
  one.dispatch({ type: 'notifications/read', ids: [readIdOf(message(1_000))] }, context)
  Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(one.doc))
  expect(isUnread(message(1_000), other.state.notifications)).toBe(false)
  expect(isUnread(message(2_000), other.state.notifications)).toBe(true)
})

it('[AP77] one is put away by itself', () => {
  const [first, second] = [message(1), { ...message(2), id: 'guest eve' }]
  for (const one of [first, second]) addMessage(one)
  dropMessage(first)
  expect(useMessages.getState().messages).toEqual([second])
})
