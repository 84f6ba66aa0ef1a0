import { ArrowDown, ArrowUp, X } from 'lucide-react'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { IconButton } from '../../ui/icon-button.tsx'
import type { TerminalScreen } from './terminal-screen.ts'

export interface FindBarProps {
  /** What is looked through; undefined: nothing is drawn yet, and nothing found. */
  readonly screen: TerminalScreen | undefined
  /** What the field is called. */
  readonly label: string
  readonly onClose: () => void
}

/** Looks for text on a screen. Enter goes up to earlier output, Shift+Enter down, Escape ends and gives the screen the keyboard back. */
export function FindBar({ screen, label, onClose }: FindBarProps) {
  const [text, setText] = useState('')
  const [found, setFound] = useState(true)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  const find = (wanted: string, back: boolean) => setFound(wanted === '' || (screen?.find(wanted, back) ?? false))
  const close = () => {
    onClose()
    screen?.endFind()
    screen?.focus()
  }
  const handleKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape') close()
    else if (event.key === 'Enter') find(text, !event.shiftKey)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div className="terminal-find" role="search">
      <input
        ref={field}
        aria-label={label}
        aria-invalid={!found || undefined}
        placeholder="Find"
        spellCheck={false}
        value={text}
        onKeyDown={handleKey}
        onChange={(event) => {
          setText(event.target.value)
          find(event.target.value, true)
        }}
      />
      <span role="status" className="terminal-find-note">
        {found ? '' : 'Not found'}
      </span>
      <IconButton
        size="small"
        label="Previous match"
        shortcut="Enter"
        icon={<ArrowUp aria-hidden="true" />}
        onClick={() => find(text, true)}
      />
      <IconButton
        size="small"
        label="Next match"
        shortcut="Shift+Enter"
        icon={<ArrowDown aria-hidden="true" />}
        onClick={() => find(text, false)}
      />
      <IconButton size="small" label="Close find" shortcut="Escape" icon={<X aria-hidden="true" />} onClick={close} />
    </div>
  )
}
