import { ArrowDown, ArrowUp, X } from 'lucide-react'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { IconButton } from '../../ui/icon-button.tsx'

/** Looks for text. Enter goes up to earlier output, Shift+Enter down, Escape ends. */
export function FindBar(props: { onFind: (text: string, back: boolean) => boolean; onClose: () => void }) {
  const [text, setText] = useState('')
  const [found, setFound] = useState(true)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  const find = (wanted: string, back: boolean) => setFound(wanted === '' || props.onFind(wanted, back))
  const handleKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape') props.onClose()
    else if (event.key === 'Enter') find(text, !event.shiftKey)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div className="terminal-find" role="search">
      <input
        ref={field}
        aria-label="Find in this terminal"
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
      <IconButton size="small" label="Close find" shortcut="Escape" icon={<X aria-hidden="true" />} onClick={props.onClose} />
    </div>
  )
}
