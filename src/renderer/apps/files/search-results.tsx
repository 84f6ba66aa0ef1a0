import { useEffect, useState } from 'react'
import { SearchX } from 'lucide-react'
import { useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { countText } from '../plain-words.ts'
import { EntryIcon } from './entry-icon.tsx'
import type { SearchAnswer } from './file-source.ts'
import { parentPath } from './home-path.ts'
import { sourceOf } from './source-of.ts'

/** Names that contain a text, anywhere below a folder. Pressing one goes to its folder. */
export function SearchResults(props: {
  device: string
  folder: string
  text: string
  onClose: () => void
  onGo: (folder: string, name: string) => void
}) {
  const { device, folder, text, onClose, onGo } = props
  const client = useClient()
  const [found, setFound] = useState<SearchAnswer>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    sourceOf(client, device)
      .search(folder, text, { signal: leaving.signal })
      .then(setFound)
      .catch((failure: unknown) => !leaving.signal.aborted && setError(failure))
    return () => leaving.abort()
  }, [client, device, folder, text])
  return (
    <div className="files-search" onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <div className="app-bar">
        <span className="app-bar-fill" role="status">
          {found ? `${countText(found.found.length, 'name', 'names')} below ${folder} with “${text}”` : `Searching for “${text}”`}
          {found && !found.isComplete && '; there are more'}
        </span>
        <Button variant="quiet" autoFocus onClick={onClose}>
          Back to the folder
        </Button>
      </div>
      {error !== undefined ? (
        <ErrorState title="The search did not work" error={error} safe="Nothing was changed." />
      ) : !found ? (
        <Skeleton lines={6} label="Searching" />
      ) : found.found.length === 0 ? (
        <EmptyState icon={<SearchX aria-hidden="true" />} title="No such name">
          Nothing below {folder} is called so.
        </EmptyState>
      ) : (
        <ul className="files-trash" aria-label="Found">
          {found.found.map(({ entry, path }) => (
            <li key={path}>
              <button type="button" className="files-found" onClick={() => onGo(parentPath(path), entry.name)}>
                <EntryIcon entry={entry} />
                <span className="files-name">{entry.name}</span>
                <span className="files-version-facts">{parentPath(path)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
