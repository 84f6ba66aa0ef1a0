import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { NOTES, SHELL, TestReplica } from '../testkit/session-replicas.ts'
import type { WindowId } from './session-ids.ts'
import { MAX_BUFFER_LENGTH, TextBuffer, textDocId, textDocsInUse } from './text-buffer.ts'

it('[SE80] the document of a text is named after its buffer', () => {
  expect(textDocId('a1')).toBe('text/a1')
  expect(() => textDocId('a/b')).toThrow(expect.objectContaining({ code: 'session/bad-id' }))
})

it('[SE80] starting twice does not double the text, not even an empty one', () => {
  const doc = new Y.Doc()
  const buffer = new TextBuffer(doc)
  expect(buffer.isStarted).toBe(false)
  buffer.start('hello', 'markdown')
  buffer.start('hello', 'markdown')
  expect(buffer.text.toString()).toBe('hello')
  expect(buffer.language).toBe('markdown')
  const empty = new TextBuffer(new Y.Doc())
  empty.start('', null)
  empty.start('late', null)
  expect([empty.text.toString(), empty.isStarted, empty.language]).toEqual(['', true, null])
})

it('[SE80] two displays write in one buffer', () => {
  const [one, two] = [new TextBuffer(new Y.Doc()), new TextBuffer(new Y.Doc())]
  one.start('middle', null)
  Y.applyUpdate(two.doc, Y.encodeStateAsUpdate(one.doc))
  one.text.insert(0, 'start ')
  two.text.insert(6, ' end')
  Y.applyUpdate(two.doc, Y.encodeStateAsUpdate(one.doc))
  Y.applyUpdate(one.doc, Y.encodeStateAsUpdate(two.doc))
  expect(one.text.toString()).toBe('start middle end')
  expect(two.text.toString()).toBe('start middle end')
})

it('[SE80] the language can change and be taken away; rubbish is no language', () => {
  const buffer = new TextBuffer(new Y.Doc())
  buffer.setLanguage('rust')
  expect(buffer.language).toBe('rust')
  buffer.setLanguage(null)
  expect(buffer.language).toBeNull()
  buffer.doc.getMap('meta').set('language', { not: 'text' })
  expect(buffer.language).toBeNull()
})

it('[SE80] a text too long is refused before anything is written', () => {
  const buffer = new TextBuffer(new Y.Doc())
  expect(() => buffer.start('x'.repeat(MAX_BUFFER_LENGTH + 1), null)).toThrow(RangeError)
  expect(buffer.isStarted).toBe(false)
})

it('[SE80] in use: shown, reopenable, or brought back by undo', () => {
  const replica = new TestReplica(100)
  const editor = (textDoc: string) => ({ ...NOTES, path: null, textDoc }) as const
  const id = replica.do({ type: 'window/open', app: editor('text/one') }) as WindowId
  replica.do({ type: 'window/open', app: editor('text/two') })
  expect([...textDocsInUse(replica.state)].sort()).toEqual(['text/one', 'text/two'])
  replica.do({ type: 'window/close', windowId: id })
  expect(textDocsInUse(replica.state).has('text/one')).toBe(true)
  // Pushed out of what can be reopened and undone by later commands.
  for (let i = 0; i < 60; i++) {
    const shell = replica.do({ type: 'window/open', app: SHELL }) as WindowId
    replica.do({ type: 'window/close', windowId: shell })
  }
  expect([...textDocsInUse(replica.state)]).toEqual(['text/two'])
})
