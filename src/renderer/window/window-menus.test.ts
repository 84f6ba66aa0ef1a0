import * as Y from 'yjs'
import { afterEach, expect, it } from 'vitest'
import { appState } from '../../session/app-state.ts'
import { firstContent } from '../../session/first-content.ts'
import type { TabId, WindowId } from '../../session/session-ids.ts'
import { WorkspaceDoc } from '../../session/workspace-doc.ts'
import { deskNow, useDesk } from '../desk/desk-store.ts'
import { setCompact, setShell, useShell } from '../desk/shell-store.ts'
import { windowMenu } from './window-menus.tsx'

const before = useDesk.getState()
afterEach(() => {
  useDesk.setState(before)
  setCompact(false)
})

/** What the menu of the one window on a desk offers. */
function offered(): readonly string[] {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, firstContent())
  const workspace = new WorkspaceDoc(doc)
  const { desk, displayClass } = deskNow()
  const windowId = 'w' as WindowId
  const app = appState.parse({ kind: 'settings', page: 'appearance' })
  workspace.dispatch({ type: 'window/open', id: windowId, tabId: 't' as TabId, app }, { newId: () => 'n', nowMs: 0, displayClass, desk })
  useDesk.setState({ session: workspace.state })
  return windowMenu(windowId).flatMap((entry) => (entry && typeof entry === 'object' && 'label' in entry ? [entry.label] : []))
}

it('[AP72] a window that fills a small screen has no place to change', () => {
  expect(offered()).toEqual(expect.arrayContaining(['Maximise', 'Minimise', 'Move', 'Resize', 'Snap to', 'Close window']))
  setCompact(true)
  const small = offered()
  expect(small).toEqual(expect.arrayContaining(['Minimise', 'Close window']))
  for (const label of ['Maximise', 'Restore', 'Move', 'Resize', 'Snap to']) expect(small).not.toContain(label)
})

it('[AP72] a move by keyboard is over when the screen becomes small', () => {
  setShell({ keyboardMode: { windowId: 'w' as WindowId, kind: 'move' } })
  setCompact(false)
  expect(useShell.getState().keyboardMode).toBeDefined()
  setCompact(true)
  expect(useShell.getState().keyboardMode).toBeUndefined()
})
