import { useEffect, useState } from 'react'
import type { DatasetVersionInfo } from '../../../files/dataset-contract.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { useNow } from '../app-hooks.ts'
import { DifferenceView } from '../difference-view.tsx'
import { bytesText, momentText } from '../plain-words.ts'
import { textOfVersion } from './dataset-text.ts'
import type { SharedFacts } from './file-source.ts'

/** Versions of a file: when, by which device, what is different from now; any of them can become the newest. */
export function HistoryDialog({ name, shared, onClose }: { name: string; shared: SharedFacts; onClose: () => void }) {
  const { dataset, node, version: shown } = shared
  const client = useClient()
  const now = useNow()
  const [versions, setVersions] = useState<readonly DatasetVersionInfo[]>()
  const [error, setError] = useState<unknown>()
  const [chosen, setChosen] = useState<string>()
  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    client.datasetVersions({ dataset, node }, { signal: leaving.signal }).then(
      (list) => setVersions(list.filter(({ isRemoval }) => !isRemoval)),
      (failure: unknown) => !leaving.signal.aborted && setError(failure),
    )
    return () => leaving.abort()
  }, [client, dataset, node])
  const restore = async (version: string) => {
    try {
      await clientNow().restoreDatasetNode({ dataset, node, version })
      showToast({
        severity: 'done',
        title: `“${name}” is as it was`,
        action: { label: 'Undo', onSelect: () => void clientNow().restoreDatasetNode({ dataset, node, version: shown }).catch(say) },
      })
      onClose()
    } catch (failure) {
      say(failure)
    }
  }
  return (
    <Dialog
      open
      size="wide"
      onClose={onClose}
      title={`History of “${name}”`}
      description="Each version, on whichever device it was written. Restoring one makes it the newest; none is lost by it."
      actions={
        chosen !== undefined && (
          <Button variant="primary" onClick={() => void restore(chosen)}>
            Restore this version
          </Button>
        )
      }
    >
      {error !== undefined ? (
        <ErrorState title="Its versions could not be read" error={error} safe="The file is untouched." />
      ) : versions ? (
        <div className="files-history">
          <ul aria-label="Versions">
            {versions.map(({ version, atMs, deviceName, bytes, isClockAhead }) => (
              <li key={version}>
                <button
                  type="button"
                  className="files-version"
                  aria-pressed={version === chosen}
                  disabled={version === shown}
                  onClick={() => setChosen(version)}
                >
                  <span>{momentText(atMs, now)}</span>
                  <span className="files-version-facts numbers">
                    {version === shown ? 'now · ' : ''}
                    {deviceName} · {bytesText(bytes)}
                    {isClockAhead && ' · its clock is ahead'}
                  </span>
                </button>
              </li>
            ))}
          </ul>
          <VersionDifference key={chosen ?? ''} dataset={dataset} node={node} version={chosen} />
        </div>
      ) : (
        <Skeleton lines={5} label="Reading the versions" />
      )}
    </Dialog>
  )
}

const say = (failure: unknown) =>
  void showToast({ severity: 'error', title: 'It could not be restored', body: `${errorWords(failure)} Nothing was changed.` })

function VersionDifference({ dataset, node, version }: { dataset: string; node: string; version: string | undefined }) {
  const client = useClient()
  const [texts, setTexts] = useState<{ readonly before: string | undefined; readonly now: string | undefined }>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (!client || version === undefined) return
    const leaving = new AbortController()
    const { signal } = leaving
    Promise.all([textOfVersion(client, { dataset, node, version }, signal), textOfVersion(client, { dataset, node }, signal)]).then(
      ([before, now]) => setTexts({ before, now }),
      (failure: unknown) => !signal.aborted && setError(failure),
    )
    return () => leaving.abort()
  }, [client, dataset, node, version])
  if (version === undefined) return <p className="files-history-note">Choose a version to see what is different now.</p>
  if (error !== undefined) return <p className="files-history-note">{errorWords(error)}</p>
  if (!texts) return <Skeleton lines={5} label="Reading the version" />
  const { before, now } = texts
  if (before === undefined || now === undefined)
    return <p className="files-history-note">Not a short text: it can be restored, not compared.</p>
  if (before === now) return <p className="files-history-note">The same text as now.</p>
  return <DifferenceView mine={before} theirs={now} />
}
