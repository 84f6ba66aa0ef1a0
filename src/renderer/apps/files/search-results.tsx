import { type KeyboardEvent, useEffect, useMemo, useState } from 'react'
import { SearchX } from 'lucide-react'
import { useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { countText } from '../plain-words.ts'
import { EntryIcon } from './entry-icon.tsx'
import { FileName } from './file-name.tsx'
import type { SearchAnswer } from './file-source.ts'
import { baseName, parentPath } from './home-path.ts'
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
  const shown = useMemo(() => inOrder(found?.found ?? []), [found])
  return (
    <div className="files-search" onKeyDown={(event) => (event.key === 'Escape' ? onClose() : moveFocus(event))}>
      <div className="app-bar">
        <span className="app-bar-fill" role="status">
          {found
            ? `${countText(found.found.length, 'name', 'names')} below ${placeText(folder)} with “${text}”`
            : `Searching for “${text}”`}
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
          Nothing below {placeText(folder)} is called so.
        </EmptyState>
      ) : (
        <ul className="files-trash" aria-label="Found">
          {shown.map(({ entry, path }) => (
            <li key={path}>
              <button type="button" className="files-found" onClick={() => onGo(parentPath(path), entry.name)}>
                <EntryIcon entry={entry} />
                <FileName name={entry.name} />
                <span className="files-version-facts files-found-in">{placeBelow(parentPath(path), folder)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

type Found = SearchAnswer['found'][number]
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** As people count, what is nearer first where two are called the same. */
export const inOrder = (found: readonly Found[]): readonly Found[] =>
  found.toSorted((a, b) => collator.compare(a.entry.name, b.entry.name) || collator.compare(a.path, b.path))

const placeText = (folder: string) => (folder === '/' ? 'Elsewhere' : `“${baseName(folder)}”`)

/** Where something lies, seen from the folder that was searched: `here`, `Photos › 2024`. */
export function placeBelow(at: string, folder: string): string {
  const below = at.slice(folder.length).split('/').filter(Boolean)
  return below.length === 0 ? 'here' : below.join(' › ')
}

/** Up and down lead through the list, from the button above it too. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (by === undefined) return
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>('button')]
  const next = stops[stops.findIndex((one) => one === document.activeElement) + by]
  if (!next) return
  event.preventDefault()
  next.focus()
}
