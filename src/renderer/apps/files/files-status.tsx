import type { DatasetStatus } from '../../../files/dataset-contract.ts'
import { openApp } from '../app-hooks.ts'
import { countText } from '../plain-words.ts'
import { policyTrouble } from './policy-words.ts'
import { heldText, unsafeText } from './unsafe-text.ts'

export interface FilesStatusProps {
  /** Undefined: what is in the folder is not known. */
  readonly shown: number | undefined
  readonly truncated: boolean
  /** Where the one that is chosen is. */
  readonly holders: string | undefined
  /** Changes that are on no other device yet. */
  readonly unsafe: number
  /** The dataset that is shown. */
  readonly dataset: DatasetStatus | undefined
  /** Asks where copies have to be. */
  readonly onPolicy: (dataset: DatasetStatus) => void
  /** The folder could not be read again. */
  readonly isOld: boolean
}

/** What of a folder is in sight, and where it is. */
export function FilesStatus({ shown, truncated, holders, unsafe, dataset, onPolicy, isOld }: FilesStatusProps) {
  const trouble = dataset && dataset.unsafeVersions > 0 && policyTrouble(dataset.policy)
  const count = shown === undefined ? '' : countText(shown, 'entry', 'entries')
  return (
    <div className="app-status">
      <span role="status">{truncated ? `First ${count}; there are more` : count}</span>
      {holders && <span>{holders}</span>}
      {unsafe > 0 && dataset ? (
        <button type="button" className="files-unsafe" aria-haspopup="dialog" onClick={() => onPolicy(dataset)}>
          {trouble ? `${unsafeText(unsafe)}: ${trouble}` : unsafeText(unsafe)}
        </button>
      ) : (
        unsafe > 0 && <span className="files-unsafe">{unsafeText(unsafe)}</span>
      )}
      {dataset?.isCutShort && (
        <button type="button" className="files-unsafe" onClick={() => openApp({ kind: 'settings', page: 'device' })}>
          Limit reached: not all that is kept here has room
        </button>
      )}
      {dataset?.held && <span className="files-unsafe">{heldText(dataset.held)}</span>}
      {isOld && <span>Could not be read again just now; this is the last listing.</span>}
    </div>
  )
}
