import { ClockAlert, CloudDownload, CloudUpload, GitFork } from 'lucide-react'
import type { SharedFacts } from './file-source.ts'

const CLOCK_AHEAD = 'changed by a device whose clock is ahead: its time is shown as five minutes from now'

export interface Where {
  readonly word: string
  readonly sentence: string
  readonly state: 'unsafe' | 'here' | 'part' | 'away'
}

/** How many devices are enough is the dataset's to say: more than one other, perhaps. */
const UNSAFE: Readonly<Record<SharedFacts['place'], string>> = {
  here: 'on this device, and not yet on enough others',
  part: 'partly on this device, and not yet on enough others',
  away: 'on another device, and not yet on enough of them',
}

/** Where the bytes of a file of a dataset are, in words. */
export function whereOf({ place, isSafe, isLocal, pinned }: Pick<SharedFacts, 'place' | 'isSafe' | 'isLocal' | 'pinned'>): Where {
  if (isLocal) return { state: 'here', word: 'This device only', sentence: 'stays on this device: it can be made again' }
  if (!isSafe) return { state: 'unsafe', word: 'Not yet safe', sentence: UNSAFE[place] }
  if (place === 'away') return { state: 'away', word: 'On others', sentence: 'on other devices; fetched when it is opened' }
  if (place === 'part')
    return { state: 'part', word: 'Partly here', sentence: 'partly on this device; the rest is fetched when it is read' }
  if (pinned) return { state: 'here', word: 'Kept here', sentence: 'kept on this device and safe on another' }
  return { state: 'here', word: 'Here', sentence: 'on this device and safe on another' }
}

/** The word of a row. What needs no thought is quiet. */
export function WhereCell({ shared, isFile }: { shared: SharedFacts; isFile: boolean }) {
  if (!isFile && !shared.isLocal) return <span className="files-cell" />
  if (shared.isConflictCopy) {
    return (
      <span className="files-cell files-where" data-where="unsafe" title="Written at the same time as another version; choose one">
        <GitFork aria-hidden="true" />
        Conflict
      </span>
    )
  }
  const { state, word, sentence } = whereOf(shared)
  return (
    <span className="files-cell files-where" data-where={state} title={shared.isClockAhead ? `${sentence}; ${CLOCK_AHEAD}` : sentence}>
      {state === 'unsafe' && <CloudUpload aria-hidden="true" />}
      {(state === 'away' || state === 'part') && <CloudDownload aria-hidden="true" />}
      {word}
      {shared.isClockAhead && <ClockAlert aria-label={CLOCK_AHEAD} />}
    </span>
  )
}

/** On a tile only what is not as one would wish has a sign. */
export function WhereBadge({ shared }: { shared: SharedFacts }) {
  const state = shared.isConflictCopy ? 'unsafe' : whereOf(shared).state
  if (state === 'here') return null
  return (
    <span className="files-badge" data-where={state}>
      {shared.isConflictCopy ? (
        <GitFork aria-hidden="true" />
      ) : state === 'unsafe' ? (
        <CloudUpload aria-hidden="true" />
      ) : (
        <CloudDownload aria-hidden="true" />
      )}
    </span>
  )
}
