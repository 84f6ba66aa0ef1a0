import { Copy, Download, HardDriveDownload, Scissors, Trash2, X } from 'lucide-react'
import type { KeyboardEvent } from 'react'
import { IconButton } from '../../ui/icon-button.tsx'
import { bytesText } from '../plain-words.ts'
import type { PaneEntry } from './file-source.ts'
import type { PaneView } from './use-pane-view.ts'
import type { PaneWork } from './use-pane-work.ts'

/** `3 of 36 chosen, 104 kB`; what is in folders is not counted. */
export function chosenText(chosen: readonly PaneEntry[], all: number): string {
  const bytes = chosen.reduce((sum, { kind, bytes: of }) => sum + (kind === 'file' ? of : 0), 0)
  const folders = chosen.filter(({ kind }) => kind === 'folder').length
  const size = chosen.length === folders ? '' : `, ${bytesText(bytes)}${folders > 0 ? ' without what is in folders' : ''}`
  return `${chosen.length.toLocaleString('en-US')} of ${all.toLocaleString('en-US')} chosen${size}`
}

export const hasChosenBar = ({ selection, isChoosing }: PaneView): boolean => selection.names.size > 1 || isChoosing

export interface ChosenBarProps {
  readonly pane: PaneView
  readonly work: PaneWork
  /** A key of the pane: those its buttons name work in it too. */
  readonly onKey: (event: KeyboardEvent) => void
}

/** While several entries are chosen: how many, how large, and what can be done with all of them at once. */
export function ChosenBar({ pane, work, onKey }: ChosenBarProps) {
  const { selection, fixedReason, awayReason, entries } = pane
  if (!hasChosenBar(pane)) return null
  const chosen = pane.chosen()
  const isNone = chosen.length === 0
  const done = () => {
    pane.setChoosing(false)
    pane.setSelection({ ...selection, names: new Set() })
  }
  const act = (work: () => unknown, refusal: string | undefined) => ({
    'aria-disabled': isNone || refusal !== undefined,
    onClick: isNone || refusal !== undefined ? undefined : () => void work(),
  })
  return (
    <div
      className="files-chosen"
      role="toolbar"
      aria-label="What is chosen"
      onKeyDown={(event) => event.key !== ' ' && onKey(event)} // it presses a button here
    >
      <span role="status">{chosenText(chosen, entries.length)}</span>
      <IconButton label="Copy" shortcut="Ctrl+C" icon={<Copy aria-hidden="true" />} {...act(() => work.take(false), undefined)} />
      <IconButton label="Cut" shortcut="Ctrl+X" icon={<Scissors aria-hidden="true" />} {...act(() => work.take(true), fixedReason)} />
      <IconButton label="Download" shortcut="Ctrl+S" icon={<Download aria-hidden="true" />} {...act(work.download, awayReason)} />
      {work.canPin() && (
        <IconButton label="Keep on this device" icon={<HardDriveDownload aria-hidden="true" />} {...act(work.pin, undefined)} />
      )}
      <IconButton label="Move to trash" shortcut="Delete" icon={<Trash2 aria-hidden="true" />} {...act(work.trash, fixedReason)} />
      <IconButton label="Choose nothing" shortcut="Escape" icon={<X aria-hidden="true" />} onClick={done} />
    </div>
  )
}
