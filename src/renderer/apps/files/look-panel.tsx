import { Files, Maximize2, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { EmptyState } from '../../ui/empty-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { bytesText, momentText } from '../plain-words.ts'
import { EntryIcon } from './entry-icon.tsx'
import type { LookAt } from './file-view.ts'
import { Look } from './look.tsx'
import { whereOf } from './where-mark.tsx'

/** Somebody who only moves through a folder has nothing read. */
const PAUSE_MS = 120

export interface LookPanelProps {
  /** Undefined: nothing is chosen. */
  readonly at: LookAt | undefined
  /** How many, where several are. */
  readonly many: string | undefined
  readonly nowMs: number
  readonly onClose: () => void
  readonly onOpen: (at: LookAt) => void
  readonly onFollow: (at: LookAt, target: string) => void
}

/** Beside the folder: what the chosen entry is, without opening it. */
export function LookPanel(props: LookPanelProps) {
  const settled = useSettled(props.at)
  const at = props.many === undefined ? settled : undefined
  return (
    <aside className="files-look" aria-label="Quick look">
      <div className="files-look-head">
        {at && <EntryIcon entry={at.entry} />}
        <h3 title={at?.entry.name}>{at?.entry.name ?? 'Quick look'}</h3>
        {at && <IconButton label="Open" shortcut="Enter" icon={<Maximize2 aria-hidden="true" />} onClick={() => props.onOpen(at)} />}
        <IconButton label="Close quick look" shortcut="Space" icon={<X aria-hidden="true" />} onClick={props.onClose} />
      </div>
      {at ? (
        <OneLook key={`${at.device} ${at.path}`} {...props} at={at} />
      ) : (
        <EmptyState icon={<Files aria-hidden="true" />} title={props.many ?? 'Nothing is chosen'}>
          {props.many === undefined ? 'Choose a file to see it here.' : 'Choose one alone to see it here.'}
        </EmptyState>
      )}
    </aside>
  )
}

function OneLook({ at, nowMs, onFollow }: LookPanelProps & { at: LookAt }) {
  const { entry } = at
  const [fact, setFact] = useState('')
  const [handlers] = useState(() => ({ onFollow: (target: string) => onFollow(at, target) }))
  return (
    <>
      <div className="files-look-body">
        <Look at={at} onFact={setFact} onFollow={handlers.onFollow} />
      </div>
      <p className="files-look-facts numbers">
        {entry.kind !== 'folder' && <span>{bytesText(entry.bytes)}</span>}
        {fact !== '' && <span>{fact}</span>}
        {entry.modifiedMs > 0 && <span>{momentText(entry.modifiedMs, nowMs)}</span>}
        {entry.shared && (entry.kind === 'file' || entry.shared.isLocal) && <span>{whereOf(entry.shared).sentence}</span>}
      </p>
    </>
  )
}

/** The first at once, another when it has stayed for a moment. What is the same file is the latest that is known of it. */
function useSettled(at: LookAt | undefined): LookAt | undefined {
  const [settled, setSettled] = useState(at)
  const isSame = settled?.path === at?.path && settled?.device === at?.device
  useEffect(() => {
    if (isSame) return
    const timer = setTimeout(() => setSettled(at), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [at, isSame])
  return isSame ? at : settled
}
