import type { KeyboardEvent } from 'react'
import type { PaneMoves } from './use-pane-moves.ts'
import type { PaneView } from './use-pane-view.ts'
import type { PaneWork } from './use-pane-work.ts'

export interface PaneKeysParts {
  readonly pane: PaneView
  readonly moves: PaneMoves
  readonly work: PaneWork
  toggleLook(): void
  toggleHidden(): void
  reload(): void
}

/** Keys of a pane that are not about moving and choosing in its list. */
export function handlePaneKey(event: KeyboardEvent, parts: PaneKeysParts): void {
  const { pane, moves, work } = parts
  const { fixedReason, selection, cursor } = pane
  const isChosen = selection.names.size > 0
  if (event.key === 'F2' && cursor && !fixedReason) work.rename(cursor.name)
  else if (event.key === 'Delete' && isChosen && !fixedReason) work.trash()
  else if (event.key === 'Escape' && (selection.names.size > 1 || pane.isChoosing)) {
    pane.setChoosing(false)
    pane.setSelection({ ...selection, names: new Set() })
  } else if (event.key === ' ') parts.toggleLook()
  else if (event.key === 'F5') parts.reload()
  else if (event.ctrlKey && event.key === 'c') work.take(false)
  else if (event.ctrlKey && event.key === 'x' && !fixedReason) work.take(true)
  else if (event.ctrlKey && event.key === 'v') work.paste()
  else if (event.ctrlKey && event.key === 's' && isChosen) work.download()
  else if (event.ctrlKey && event.key === 'z' && work.undone !== undefined) work.undo()
  else if (event.key === 'Backspace' || (event.altKey && event.key === 'ArrowUp')) moves.up?.()
  else if (event.ctrlKey && event.key === 'h') parts.toggleHidden()
  else return
  event.preventDefault()
  event.stopPropagation()
}
