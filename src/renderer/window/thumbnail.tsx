import { memo, useLayoutEffect, useRef } from 'react'
import type { WindowId } from '../../session/session-ids.ts'
import { appTitle } from '../../session/app-state.ts'
import { APPS } from '../apps/app-registry.ts'
import { useSession } from '../desk/desk-store.ts'
import { frameElement } from './frame-elements.ts'
import { windowRectNow } from './use-places.ts'
import './thumbnail.css'

/** A picture of more elements than this would cost a noticeable pause; the window is drawn as a card instead. */
const MAX_ELEMENTS = 4_000

/**
 * A small picture of a window as it looks now, for docks and the switcher: a copy of its frame, scaled down, that nobody
 * can reach. A window that is not mounted is drawn as a card with its app's sign.
 */
export const Thumbnail = memo(function Thumbnail({ windowId, width, height }: { windowId: WindowId; width: number; height: number }) {
  const box = useRef<HTMLDivElement>(null)
  const app = useSession((session) => {
    const window = session.windows[windowId]
    return window && session.tabs[window.activeTab]?.app
  })
  useLayoutEffect(() => {
    const host = box.current
    const frame = frameElement(windowId)
    const rect = windowRectNow(windowId)
    if (!host || !frame || !rect || frame.getElementsByTagName('*').length > MAX_ELEMENTS) return
    const copy = copyOf(frame)
    const scale = Math.min(width / rect.width, height / rect.height)
    Object.assign(copy.style, {
      left: `${Math.round((width - rect.width * scale) / 2)}px`,
      top: `${Math.round((height - rect.height * scale) / 2)}px`,
      transformOrigin: '0 0',
      transform: `scale(${scale})`,
    })
    host.replaceChildren(copy)
    return () => host.replaceChildren()
  }, [windowId, width, height])
  const Icon = app ? APPS[app.kind].icon : undefined
  return (
    <div className="thumbnail" style={{ width, height }} aria-hidden="true">
      <div className="thumbnail-card">
        {Icon && <Icon />}
        <span>{app ? appTitle(app) : ''}</span>
      </div>
      <div ref={box} className="thumbnail-copy" inert />
    </div>
  )
})

function copyOf(frame: HTMLElement): HTMLElement {
  const copy = frame.cloneNode(true) as HTMLElement
  const sources = frame.querySelectorAll('canvas')
  copy.querySelectorAll('canvas').forEach((canvas, index) => {
    const source = sources[index]
    if (source && source.width > 0 && source.height > 0) canvas.getContext('2d')?.drawImage(source, 0, 0)
  })
  for (const frameElement of copy.querySelectorAll('iframe')) frameElement.replaceWith(document.createElement('div'))
  for (const element of [copy, ...copy.querySelectorAll('*')]) {
    for (const name of [
      'id',
      'role',
      'tabindex',
      'data-window',
      'data-tab',
      'data-tab-strip',
      'data-tip',
      'data-active',
      'data-arrives',
      'aria-controls',
      'name',
    ]) {
      element.removeAttribute(name)
    }
  }
  return copy
}
