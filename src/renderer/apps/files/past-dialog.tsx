import { CornerLeftUp, FolderClock } from 'lucide-react'
import { useEffect, useState } from 'react'
import { type DatasetNodeInfo, MAX_DATASET_PAGE } from '../../../files/dataset-contract.ts'
import { errorCode } from '../../../base/errors.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { ErrorState } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { saveFile } from '../../ui/save-file.ts'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { bytesText, countText } from '../plain-words.ts'
import { EntryIcon } from './entry-icon.tsx'
import { piecesOf } from './dataset-source.ts'
import { baseName, joinPath, parentPath } from './home-path.ts'

const DAY_MS = 24 * 3_600_000

/** `path`: in the dataset, `/` being its top. */
export interface PastFolder {
  readonly dataset: string
  readonly name: string
  readonly path: string
}

/** `of`: which folder and moment this is. */
interface PastListing {
  readonly of: string
  readonly shown?: { readonly folder: DatasetNodeInfo; readonly entries: readonly DatasetNodeInfo[] }
  readonly error?: unknown
}

/** A folder as it was at a moment somebody chooses: to be looked at and brought back, not changed. */
export function PastDialog({ folder: { dataset, name, path: start }, onClose }: { folder: PastFolder; onClose: () => void }) {
  const client = useClient()
  const [openedMs] = useState(() => Date.now())
  const [at, setAt] = useState(() => localText(openedMs - DAY_MS))
  const [path, setPath] = useState(start)
  const [read, setRead] = useState<PastListing>()
  const atMs = new Date(at).getTime()
  const of = `${atMs} ${path}`
  const { shown, error } = read?.of === of ? read : {}
  useEffect(() => {
    if (!client || Number.isNaN(atMs)) return
    const leaving = new AbortController()
    const { signal } = leaving
    const readThen = async () => {
      const folder = await client.datasetAt({ dataset, path, atMs }, { signal })
      const page = { dataset, node: folder.node, atMs, from: 0, limit: MAX_DATASET_PAGE }
      const { entries } = await client.listDatasetFolder(page, { signal })
      setRead({ of, shown: { folder, entries } })
    }
    readThen().catch((failure: unknown) => !signal.aborted && setRead({ of, error: failure }))
    return () => leaving.abort()
  }, [client, dataset, path, atMs, of])
  const restore = async (info: DatasetNodeInfo) => {
    try {
      const { restored, missing } = await clientNow().restoreDatasetPast({ dataset, node: info.node, atMs })
      const gone = missing > 0 ? `Of ${countText(missing, 'file', 'files')} no version of that time is kept.` : undefined
      const title = restored === 0 ? 'Nothing was different' : countText(restored, 'thing is as it was', 'things are as they were')
      showToast({ severity: 'done', title, ...(gone && { body: gone }) })
    } catch (failure) {
      showToast({ severity: 'error', title: 'It could not be brought back', body: errorWords(failure) })
    }
  }
  const save = async (info: DatasetNodeInfo) => {
    try {
      const pieces: Uint8Array<ArrayBuffer>[] = []
      for await (const piece of piecesOf(clientNow(), { dataset, info })) pieces.push(piece)
      saveFile(info.name, new Blob(pieces))
    } catch (failure) {
      showToast({ severity: 'error', title: `“${info.name}” could not be read`, body: errorWords(failure) })
    }
  }
  const here = path === '/' ? name : baseName(path)
  return (
    <Dialog
      open
      size="wide"
      onClose={onClose}
      title={`“${here}” as it was`}
      description="Look, and bring back what you miss. What came since stays, and bringing back can itself be undone in the history."
      actions={
        shown && (
          <Button variant="primary" onClick={() => void restore(shown.folder)}>
            Bring all of it back
          </Button>
        )
      }
    >
      <div className="files-past-bar">
        <IconButton
          label="Up one folder"
          icon={<CornerLeftUp aria-hidden="true" />}
          aria-disabled={path === '/'}
          onClick={path === '/' ? undefined : () => setPath(parentPath(path))}
        />
        <label>
          As it was on
          <input type="datetime-local" step={1} value={at} max={localText(openedMs)} onChange={(event) => setAt(event.target.value)} />
        </label>
      </div>
      {errorCode(error) === 'file/not-found' ? (
        <EmptyState icon={<FolderClock aria-hidden="true" />} title="It was not there yet">
          Choose a later moment.
        </EmptyState>
      ) : error !== undefined ? (
        <ErrorState title="What was there could not be read" error={error} safe="Nothing was changed." />
      ) : !shown ? (
        <Skeleton lines={5} label="Reading what was there" />
      ) : shown.entries.length === 0 ? (
        <EmptyState icon={<FolderClock aria-hidden="true" />} title="Nothing was in it then">
          Choose another moment.
        </EmptyState>
      ) : (
        <ul className="files-trash" aria-label="What was there">
          {shown.entries.map((info) => (
            <li key={info.node}>
              <EntryIcon entry={info} />
              {info.kind === 'folder' ? (
                <button type="button" className="files-name files-past-folder" onClick={() => setPath(joinPath(path, info.name))}>
                  {info.name}
                </button>
              ) : (
                <span className="files-name">{info.name}</span>
              )}
              <span className="files-version-facts numbers">{factsOf(info)}</span>
              {info.kind === 'file' && (
                <Button aria-label={`Download ${info.name}`} disabled={info.past === 'gone'} onClick={() => void save(info)}>
                  Download
                </Button>
              )}
              <Button aria-label={`Bring back ${info.name}`} disabled={info.past === 'gone'} onClick={() => void restore(info)}>
                Bring back
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  )
}

function factsOf({ kind, bytes, past }: DatasetNodeInfo): string {
  if (past === 'gone') return 'not kept any more'
  if (kind !== 'file') return ''
  return past === 'earlier' ? `${bytesText(bytes)} · an earlier version is kept` : bytesText(bytes)
}

/** As a field for date and time has it. */
function localText(atMs: number): string {
  const at = new Date(atMs)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}
