import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import * as Y from 'yjs'
import { appState } from '../../session/app-state.ts'
import { firstContent } from '../../session/first-content.ts'
import type { TabId, WindowId } from '../../session/session-ids.ts'
import type { SessionState } from '../../session/session-state.ts'
import { WorkspaceDoc } from '../../session/workspace-doc.ts'
import { measureEditor } from '../apps/editor/warm-editor.ts'
import { deskNow, useDesk } from '../desk/desk-store.ts'
import { Dock } from '../dock/dock.tsx'
import { ElsewhereDock } from '../dock/elsewhere-dock.tsx'
import { shownWindows } from '../window/use-places.ts'
import { WindowFrame } from '../window/window-frame.tsx'
import { layOut } from '../window/window-layer.tsx'
import { TopBar } from './top-bar.tsx'

/** Enough of each kind for the engine to have seen its shapes; the desk that comes may have any number. */
const WINDOWS = 12
/** How many of them show an editor's whole view: one is what a first view costs. */
const LIVE = 1

/**
 * Draws a made-up desk once, out of sight, while the display is locked: a browser translates code when it first runs and
 * matches styles when they are first needed, and after the unlock both would stand between the person and their windows.
 *
 * All in one task, so that nothing of it is ever painted, found by a reader or focused (rule AP91). Nothing in it belongs to a
 * person and no call leaves the page: its one device does not exist. Does nothing once a desk is open.
 */
export function warmDesk(): void {
  const before = deskNow()
  if (before.session) return
  const host = document.createElement('div')
  host.style.cssText = 'position: fixed; inset: 0; visibility: hidden'
  host.inert = true
  host.setAttribute('aria-hidden', 'true')
  document.body.append(host)
  const root = createRoot(host)
  try {
    const session = madeUp()
    useDesk.setState({ session, deviceId: '', desk: { width: host.clientWidth || 1, height: host.clientHeight || 1 } })
    const now = deskNow()
    layOut(now)
    const [front, ...behind] = shownWindows(session).reverse()
    flushSync(() =>
      root.render(
        <div className="desk desk-wall">
          <TopBar />
          <main className="desk-middle">
            <Dock />
            <div className="desk-centre">
              <div className="desk-area" data-desk-area="">
                {front && <WindowFrame windowId={front} live={LIVE > 0} />}
                {behind.map((id, index) => (
                  <WindowFrame key={id} windowId={id} live={false} plain={index % 2 === 1} />
                ))}
              </div>
            </div>
            <ElsewhereDock />
          </main>
        </div>,
      ),
    )
    void host.offsetHeight // styles and layout, not only elements
    measureEditor(host)
  } finally {
    flushSync(() => root.unmount())
    useDesk.setState(before)
    host.remove()
    performance.clearMarks('elsewhere:app-mounted') // nobody saw it
    performance.mark('elsewhere:warm')
  }
}

/** A desk as a device would send it, read as this page would read it. */
function madeUp(): SessionState {
  const written = new Y.Doc()
  Y.applyUpdate(written, firstContent())
  const there = new WorkspaceDoc(written)
  const { desk, displayClass } = deskNow()
  let made = 0
  const context = { newId: () => `warm-${made++}`, nowMs: 0, displayClass, desk }
  const app = appState.parse({ kind: 'editor', device: 'nowhere', path: null, textDoc: null, version: null })
  for (let i = 0; i < WINDOWS; i++) {
    const windowId = `warm-window-${i}` as WindowId
    there.dispatch({ type: 'window/open', id: windowId, tabId: `warm-tab-${i}` as TabId, app }, context)
    there.dispatch({ type: 'tab/open', windowId, id: `warm-second-${i}` as TabId, app, background: true }, context)
  }
  const read = new Y.Doc()
  Y.applyUpdate(read, Y.encodeStateAsUpdate(written))
  const here = new WorkspaceDoc(read)
  const { state } = here
  for (const doc of [there, here]) doc.dispose()
  for (const doc of [written, read]) doc.destroy()
  return state
}
