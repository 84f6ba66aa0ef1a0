import { countText } from '../plain-words.ts'
import { unsafeText } from './places.tsx'

export interface FilesStatusProps {
  readonly shown: number
  readonly chosen: number
  readonly truncated: boolean
  /** Where the one that is chosen is. */
  readonly holders: string | undefined
  /** Changes that are on no other device yet. */
  readonly unsafe: number
  /** The folder could not be read again. */
  readonly isOld: boolean
}

/** What of a folder is in sight, and where it is. */
export function FilesStatus({ shown, chosen, truncated, holders, unsafe, isOld }: FilesStatusProps) {
  const all = truncated ? `First ${countText(shown, 'entry', 'entries')}; there are more` : countText(shown, 'entry', 'entries')
  return (
    <div className="app-status">
      <span role="status">{chosen > 1 ? `${all} · ${chosen.toLocaleString('en-US')} chosen` : all}</span>
      {holders && <span>{holders}</span>}
      {unsafe > 0 && <span className="files-unsafe">{unsafeText(unsafe)}</span>}
      {isOld && <span>Could not be read again just now; this is the last listing.</span>}
    </div>
  )
}
