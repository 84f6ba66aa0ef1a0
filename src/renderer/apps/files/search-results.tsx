import { useEffect, useState } from 'react'
import { SearchX } from 'lucide-react'
import type { DatasetNodeInfo } from '../../../files/dataset-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { countText } from '../plain-words.ts'
import { findNode } from './dataset-source.ts'
import { EntryIcon } from './entry-icon.tsx'
import { parentPath } from './home-path.ts'

interface Found {
  readonly list: readonly { readonly info: DatasetNodeInfo; readonly path: string }[]
  readonly isComplete: boolean
}

/** Names that contain a text, anywhere below a folder of the datasets. Pressing one goes to its folder. */
export function SearchResults(props: { folder: string; text: string; onClose: () => void; onGo: (folder: string, name: string) => void }) {
  const { folder, text, onClose, onGo } = props
  const client = useClient()
  const [found, setFound] = useState<Found>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    const search = async () => {
      const { dataset, info } = await findNode(client, folder)
      const answer = await client.searchDataset({ dataset, node: info.node, text }, { signal: leaving.signal })
      setFound({ list: answer.found, isComplete: answer.isComplete })
    }
    search().catch((failure: unknown) => !leaving.signal.aborted && setError(failure))
    return () => leaving.abort()
  }, [client, folder, text])
  const dataset = `/${folder.split('/')[1] ?? ''}`
  return (
    <div className="files-search" onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <div className="app-bar">
        <span className="app-bar-fill" role="status">
          {found ? `${countText(found.list.length, 'name', 'names')} below ${folder} with “${text}”` : `Searching for “${text}”`}
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
      ) : found.list.length === 0 ? (
        <EmptyState icon={<SearchX aria-hidden="true" />} title="No such name">
          Nothing below {folder} is called so.
        </EmptyState>
      ) : (
        <ul className="files-trash" aria-label="Found">
          {found.list.map(({ info, path }) => (
            <li key={info.node}>
              <button type="button" className="files-found" onClick={() => onGo(parentPath(`${dataset}${path}`), info.name)}>
                <EntryIcon entry={info} />
                <span className="files-name">{info.name}</span>
                <span className="files-version-facts">{parentPath(`${dataset}${path}`)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
