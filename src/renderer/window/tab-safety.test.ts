import { expect, it } from 'vitest'
import { appState } from '../../session/app-state.ts'
import { tabSafety } from './tab-safety.ts'

const editor = (textDoc: string | null) => appState.parse({ kind: 'editor', device: 'D', path: '/home/me/a.md', textDoc, version: null })

it('only a text with changes that are in no file gets a dot', () => {
  expect(tabSafety(editor(null), 0).state).toBe('saved')
  expect(tabSafety(appState.parse({ kind: 'devices' }), 0).state).toBe('saved')
  expect(tabSafety(editor('text/b1'), 0).state).toBe('unsaved')
})

it('says whether there is a second copy', () => {
  expect(tabSafety(editor('text/b1'), 0).words).toContain('not yet on another device')
  expect(tabSafety(editor('text/b1'), 2).words).toContain('linked devices')
})
