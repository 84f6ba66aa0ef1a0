import { Trash2 } from 'lucide-react'
import { useCallback, useEffect, useState } from 'react'
import type { DatasetNodeInfo } from '../../../files/dataset-contract.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { useNow } from '../app-hooks.ts'
import { agoText, bytesText } from '../plain-words.ts'
import { EmptyTrash } from './empty-trash.tsx'
import { EntryIcon } from './entry-icon.tsx'
import { keepReading } from './keep-reading.ts'

/** While many files are removed the list need not be read for each. */
const SETTLE_MS = 60

type Removed = readonly { readonly info: DatasetNodeInfo; readonly removedAtMs: number }[]

/** What was removed from a dataset, on any device; each entry can be put back where it was. */
export function TrashDialog({ dataset, name, onClose }: { dataset: string; name: string; onClose: () => void }) {
  const client = useClient()
  const now = useNow()
  const [removed, setRemoved] = useState<Removed>()
  const [error, setError] = useState<unknown>()
  const [isEmptying, setIsEmptying] = useState(false)
  const stopEmptying = useCallback(() => setIsEmptying(false), [])
  useEffect(() => {
    if (!client) return
    const reading = keepReading(async (signal) => {
      try {
        setRemoved(await client.listDatasetTrash({ dataset }, { signal }))
        setError(undefined)
      } catch (failure) {
        if (!signal.aborted) setError(failure)
      }
      return undefined
    }, SETTLE_MS)
    const watching = client.onDidChangeDataset(() => reading.readSoon())
    return () => {
      watching.dispose()
      reading.dispose()
    }
  }, [client, dataset])
  const putBack = (info: DatasetNodeInfo) =>
    void clientNow()
      .restoreDatasetNode({ dataset, node: info.node })
      .then(
        ({ name: back }) => showToast({ severity: 'done', title: `“${back}” is back where it was` }),
        (failure: unknown) => showToast({ severity: 'error', title: `“${info.name}” could not be put back`, body: errorWords(failure) }),
      )
  return (
    <Dialog
      open
      size="wide"
      onClose={onClose}
      title={`Trash of ${name}`}
      description="What was removed on any of your devices, for 90 days. It goes back to the folder it lay in."
      actions={
        removed !== undefined &&
        removed.length > 0 &&
        (isEmptying ? (
          <EmptyTrash dataset={dataset} onClose={stopEmptying} />
        ) : (
          <Button variant="danger" onClick={() => setIsEmptying(true)}>
            Empty the trash…
          </Button>
        ))
      }
    >
      {error !== undefined ? (
        <ErrorState title="The trash could not be read" error={error} safe="What is in it is untouched." />
      ) : !removed ? (
        <Skeleton lines={5} label="Reading the trash" />
      ) : removed.length === 0 ? (
        <EmptyState icon={<Trash2 aria-hidden="true" />} title="Nothing in the trash">
          What you remove from {name} can be put back from here.
        </EmptyState>
      ) : (
        <ul className="files-trash" aria-label="Removed">
          {removed.map(({ info, removedAtMs }) => (
            <li key={info.node}>
              <EntryIcon entry={info} />
              <span className="files-name">{info.name}</span>
              <span className="files-version-facts numbers">
                {agoText(removedAtMs, now)}
                {info.kind === 'file' && ` · ${bytesText(info.bytes)}`}
              </span>
              <Button aria-label={`Put back ${info.name}`} onClick={() => putBack(info)}>
                Put back
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  )
}
