import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { FIRST_CONTENT_CLIENT, firstContent } from './first-content.ts'
import { WorkspaceDoc } from './workspace-doc.ts'

const golden = (name: string) => new Uint8Array(readFileSync(new URL(`./golden/${name}`, import.meta.url)))

it('[SE7] the first content is the golden file, byte for byte', () => {
  expect(firstContent()).toEqual(golden('v1-first-content.bin'))
})

it('[SE7] it is one Home with one welcome window, and comes from one constant client', () => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, firstContent())
  const { state } = new WorkspaceDoc(doc)
  expect(state.schema).toBe(1)
  expect(Object.values(state.activities)).toEqual([{ id: 'home', name: 'Home', hue: 0, order: 'V' }])
  expect(state.currentActivity).toBe('home')
  expect(Object.values(state.tabs).map(({ app }) => app)).toEqual([{ kind: 'welcome' }])
  expect(state.focus).toEqual({ home: 'welcome' })
  expect([...doc.store.clients.keys()]).toEqual([FIRST_CONTENT_CLIENT])
})

it('[SE7] applying it twice, or after other changes, is safe', () => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, firstContent())
  const before = Y.encodeStateAsUpdate(doc)
  Y.applyUpdate(doc, firstContent())
  expect(Y.encodeStateAsUpdate(doc)).toEqual(before)
})

it('[SE7] before it has arrived there is one empty Home, and nothing is written', () => {
  const doc = new Y.Doc()
  const { state } = new WorkspaceDoc(doc)
  expect(state.activityOrder).toEqual(['home'])
  expect(state.stack).toEqual([])
  expect(doc.store.clients.size).toBe(0)
})
