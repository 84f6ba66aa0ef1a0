import { FolderOpen } from 'lucide-react'
import { useEffect, useMemo, useState } from 'react'
import { useClient } from '../../desk/app-desk.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { useIsLate } from '../app-hooks.ts'
import { bytesText, countText } from '../plain-words.ts'
import { EntryIcon } from './entry-icon.tsx'
import { FileName } from './file-name.tsx'
import type { PaneEntry } from './file-source.ts'
import type { LookAt } from './file-view.ts'
import { arrange } from './folder-view.ts'
import { Failed } from './look-states.tsx'
import { sourceOf } from './source-of.ts'

/** Names that are shown of a folder: as many as one reads without scrolling far. */
const SHOWN = 100
const BY_NAME = { layout: 'list', sort: 'name', descending: false, hidden: false } as const

/** `12 entries, 104 kB in 9 files`, of what is in a folder itself. */
export function folderFact(entries: readonly PaneEntry[]): string {
  const files = entries.filter(({ kind }) => kind === 'file')
  const bytes = files.reduce((sum, one) => sum + one.bytes, 0)
  const count = countText(entries.length, 'entry', 'entries')
  return files.length === 0 ? count : `${count}, ${bytesText(bytes)} in ${countText(files.length, 'file')}`
}

/** A folder, as one sees it without going there: what is in it, the first of it by name. */
export function LookFolder({ at, onFact }: { at: LookAt; onFact: (fact: string) => void }) {
  const { device, path } = at
  const client = useClient()
  const [entries, setEntries] = useState<readonly PaneEntry[]>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    sourceOf(client, device)
      .list(path, { signal: leaving.signal })
      .then(
        (listing) => {
          setEntries(listing.entries)
          onFact(folderFact(listing.entries))
        },
        (failure: unknown) => !leaving.signal.aborted && setError(failure),
      )
    return () => leaving.abort()
  }, [client, device, path, onFact])
  const shown = useMemo(() => entries && arrange(entries, BY_NAME).slice(0, SHOWN), [entries])
  const late = useIsLate(!entries && error === undefined)
  if (error !== undefined) return <Failed error={error} />
  if (!entries || !shown) return late ? <Skeleton lines={6} label={`Reading ${at.entry.name}`} /> : null
  if (entries.length === 0) return <EmptyState icon={<FolderOpen aria-hidden="true" />} title="An empty folder" />
  return (
    <>
      <ul className="files-folder-look" aria-label={`What is in ${at.entry.name}`}>
        {shown.map((entry) => (
          <li key={entry.name}>
            <EntryIcon entry={entry} />
            <FileName name={entry.name} />
          </li>
        ))}
      </ul>
      {entries.length > shown.length && (
        <p className="look-more">{countText(entries.length - shown.length, 'more', 'more')} not shown here.</p>
      )}
    </>
  )
}
