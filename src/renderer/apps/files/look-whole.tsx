import { ArrowLeft, ChevronLeft, ChevronRight } from 'lucide-react'
import { type KeyboardEvent, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { bytesText } from '../plain-words.ts'
import type { LookAt } from './file-view.ts'
import { Look } from './look.tsx'

export interface LookWholeProps {
  readonly at: LookAt
  readonly onClose: () => void
  /** To the picture, film or PDF before (-1) or behind (1) it in the folder. */
  readonly onStep: (by: -1 | 1) => void
  readonly onFollow: (at: LookAt, target: string) => void
}

/** A picture, film, sound or PDF in the place of its folder. */
export function LookWhole(props: LookWholeProps) {
  const { at, onClose, onStep, onFollow } = props
  const { entry } = at
  const [fact, setFact] = useState({ path: '', text: '' })
  const [handlers] = useState(() => ({ onFact: (text: string) => setFact((before) => ({ ...before, text })) }))
  const handleKey = (event: KeyboardEvent) => {
    const isInPlayer = event.target instanceof HTMLMediaElement // it has the arrow keys and the space bar
    if (event.key === 'Escape' || event.key === 'Backspace') onClose()
    else if (event.key === 'ArrowLeft' && !isInPlayer) onStep(-1)
    else if (event.key === 'ArrowRight' && !isInPlayer) onStep(1)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  if (fact.path !== at.path) setFact({ path: at.path, text: '' })
  return (
    <div className="files-preview" onKeyDown={handleKey}>
      <div className="app-bar">
        <Button variant="quiet" autoFocus icon={<ArrowLeft aria-hidden="true" />} onClick={onClose}>
          Back to the folder
        </Button>
        <IconButton label="Previous" shortcut="ArrowLeft" icon={<ChevronLeft aria-hidden="true" />} onClick={() => onStep(-1)} />
        <IconButton label="Next" shortcut="ArrowRight" icon={<ChevronRight aria-hidden="true" />} onClick={() => onStep(1)} />
        <span className="app-bar-fill" />
        <span className="files-preview-facts numbers">
          {entry.name} · {bytesText(entry.bytes)}
          {fact.text !== '' && ` · ${fact.text}`}
        </span>
      </div>
      <div className="files-preview-body">
        <Look at={at} onFact={handlers.onFact} onFollow={(target) => onFollow(at, target)} />
      </div>
    </div>
  )
}
