import { type DragEvent, type MouseEvent, useRef } from 'react'
import { asCommandLine } from '../../desk/terminal-words.ts'
import { carryCommand } from '../drag-payload.ts'
import type { TerminalScreen } from './terminal-screen.ts'

/**
 * Selected text of a terminal can be taken hold of and dragged, as in any text: onto the elsewhere dock as a command, into
 * an editor or a field as text. A press on it without a drag takes the selection back. Handlers for the terminal's body.
 */
export function useSelectionDrag(screen: TerminalScreen | undefined, folder: () => { device: string; path: string | undefined }) {
  const held = useRef<HTMLElement | undefined>(undefined)
  const letGo = () => {
    held.current?.removeAttribute('draggable')
    held.current = undefined
  }
  return {
    onMouseDownCapture: (event: MouseEvent<HTMLElement>) => {
      letGo()
      const plain = event.button === 0 && !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey
      if (!plain || event.detail > 1 || !screen?.isSelectionAt(event.clientX, event.clientY)) return
      event.stopPropagation() // else xterm.js begins another selection
      held.current = event.currentTarget
      held.current.draggable = true
    },
    onMouseUp: () => {
      if (!held.current) return
      letGo()
      screen?.clearSelection()
      screen?.focus()
    },
    onDragStart: (event: DragEvent<HTMLElement>) => {
      const text = screen?.selection ?? ''
      if (!held.current || text === '') return event.preventDefault()
      const line = asCommandLine(text)
      const { device, path } = folder()
      event.dataTransfer.setDragImage(dragImage(line ?? text), 12, 12)
      if (line !== undefined) carryCommand(event.dataTransfer, { line, ...(path !== undefined && { folder: { device, path } }) })
      event.dataTransfer.setData('text/plain', text)
    },
    onDragEnd: letGo,
  }
}

/** A few words in hand, not a picture of the whole terminal. The browser copies it at once; it leaves the page a moment later. */
function dragImage(text: string): HTMLElement {
  const image = document.createElement('div')
  image.className = 'terminal-drag'
  image.textContent = text.length > 60 ? `${text.slice(0, 59)}…` : text
  document.body.append(image)
  setTimeout(() => image.remove())
  return image
}
