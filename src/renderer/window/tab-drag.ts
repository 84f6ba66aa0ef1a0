import type { TabId, WindowId } from '../../session/session-ids.ts'
import { dispatch, sessionNow, useDesk } from '../desk/desk-store.ts'
import { carriedOf, dropCarried, dropOnDevice, tileUnder } from './drop-on-device.ts'
import { setShell } from '../desk/shell-store.ts'
import { followPointer } from './pointer-drag.ts'
import { deskOrigin, dragWindow } from './window-drag.ts'

/** Where a tab would go: before a tab of a strip, or out of every strip. */
type Target =
  | {
      readonly kind: 'strip'
      readonly windowId: WindowId
      readonly before: TabId | null
      readonly mark: { x: number; y: number; height: number }
    }
  | { readonly kind: 'device'; readonly device: string }
  | { readonly kind: 'desk' }

/**
 * Drags a tab: along its strip to reorder, onto another window's strip to move, onto the desk for a window of its own,
 * onto a device's tile for what that device offers. The only tab of a window drags the window.
 */
export function dragTab(press: PointerEvent, tabId: TabId, element: HTMLElement): void {
  const windowId = sessionNow().tabs[tabId]?.window
  const window = windowId && sessionNow().windows[windowId]
  if (!window) return
  if (window.tabs.length === 1) return dragWindow(press, windowId)
  let ghost: HTMLElement | undefined
  let mark: HTMLElement | undefined
  let target: Target = { kind: 'desk' }

  followPointer(press, element, {
    start: () => {
      ghost = makeGhost(element)
      mark = document.createElement('div')
      mark.className = 'tab-mark'
      document.body.append(ghost, mark)
      element.dataset['carried'] = ''
      const carried = carriedOf('tab', tabId)
      if (carried) setShell({ carried })
      return true
    },
    move: (event) => {
      if (ghost) ghost.style.translate = `${Math.round(event.clientX - 24)}px ${Math.round(event.clientY - 14)}px`
      target = targetAt(event.clientX, event.clientY, tabId)
      if (!mark) return
      mark.hidden = target.kind !== 'strip'
      if (target.kind === 'strip') {
        mark.style.translate = `${Math.round(target.mark.x)}px ${Math.round(target.mark.y)}px`
        mark.style.height = `${target.mark.height}px`
      }
    },
    end: (event, commit) => {
      ghost?.remove()
      mark?.remove()
      delete element.dataset['carried']
      dropCarried()
      if (!commit || !event) return
      if (target.kind === 'strip') dispatch({ type: 'tab/move', tabId, windowId: target.windowId, before: target.before })
      else if (target.kind === 'device') dropOnDevice('tab', tabId, target.device)
      else {
        const origin = deskOrigin()
        const { desk } = useDesk.getState()
        const x = Math.max(0, Math.min(desk.width - 120, event.clientX - origin.x - 60))
        const y = Math.max(0, Math.min(desk.height - 36, event.clientY - origin.y - 18))
        dispatch({ type: 'tab/tear-off', tabId, at: { x, y } })
      }
    },
  })
}

function targetAt(x: number, y: number, tabId: TabId): Target {
  const device = tileUnder(x, y)
  if (device) return { kind: 'device', device }
  for (const element of document.elementsFromPoint(x, y)) {
    const strip = element.closest<HTMLElement>('[data-tab-strip]')
    if (!strip && element.closest('[data-window]')) return { kind: 'desk' }
    if (!strip) continue
    const windowId = strip.dataset['tabStrip'] as WindowId
    const tabs = [...strip.querySelectorAll<HTMLElement>('[data-tab]')].filter((tab) => tab.dataset['tab'] !== tabId)
    const after = tabs.find((tab) => {
      const box = tab.getBoundingClientRect()
      return x < box.left + box.width / 2
    })
    const last = tabs.at(-1)?.getBoundingClientRect()
    const box = after?.getBoundingClientRect()
    const stripBox = strip.getBoundingClientRect()
    return {
      kind: 'strip',
      windowId,
      before: (after?.dataset['tab'] as TabId | undefined) ?? null,
      mark: { x: (box?.left ?? last?.right ?? stripBox.left) - 1, y: stripBox.top + 6, height: stripBox.height - 12 },
    }
  }
  return { kind: 'desk' }
}

function makeGhost(element: HTMLElement): HTMLElement {
  const ghost = element.cloneNode(true) as HTMLElement
  ghost.removeAttribute('id')
  ghost.classList.add('tab-ghost')
  ghost.setAttribute('aria-hidden', 'true')
  return ghost
}
