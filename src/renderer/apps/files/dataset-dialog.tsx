import { useEffect, useState } from 'react'
import type { NamedDatasetInfo } from '../../../files/dataset-list-contract.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import type { MenuEntry } from '../../ui/menu.tsx'
import { useAct } from '../use-act.ts'
import { PolicyDialog } from './policy-dialog.tsx'

/** What is asked of datasets themselves. */
export type DatasetDialog =
  | { readonly kind: 'new-dataset' }
  | { readonly kind: 'policy' | 'name-dataset' | 'put-dataset-away'; readonly dataset: string; readonly name: string }

interface DialogProps {
  readonly onClose: () => void
  /** It is there, under this name. */
  readonly onDone?: ((name: string) => void) | undefined
}

/** The menu of a dataset in the list of places. */
export const datasetMenu = (
  of: { readonly dataset: string; readonly name: string },
  show: (dialog: DatasetDialog) => void,
  isHome: boolean,
): readonly MenuEntry[] => [
  { label: 'Where copies are…', onSelect: () => show({ kind: 'policy', ...of }) },
  ...(isHome
    ? []
    : [
        { label: 'Rename…', onSelect: () => show({ kind: 'name-dataset', ...of }) },
        { label: 'Put away…', onSelect: () => show({ kind: 'put-dataset-away', ...of }) },
      ]),
]

/** Makes, renames or puts away a dataset: on all devices. */
export function DatasetDialogs({ dialog, ...props }: DialogProps & { dialog: DatasetDialog }) {
  if (dialog.kind === 'new-dataset') return <NewDataset {...props} />
  if (dialog.kind === 'policy') return <PolicyDialog onClose={props.onClose} dataset={dialog.dataset} name={dialog.name} />
  if (dialog.kind === 'name-dataset') return <NameDataset {...props} dataset={dialog.dataset} name={dialog.name} />
  return <PutAway {...props} dataset={dialog.dataset} name={dialog.name} />
}

function NewDataset({ onClose, onDone }: DialogProps) {
  const [name, setName] = useState('')
  const { error, setError, busy, run } = useAct(onClose)
  const away = useAway()
  const make = () =>
    run(async () => {
      const made = await clientNow().makeDataset({ name: name.trim() })
      onDone?.(made.name)
    })
  const bringBack = ({ dataset }: NamedDatasetInfo) =>
    run(async () => {
      const back = await clientNow().putDatasetAway({ which: dataset, isAway: false })
      onDone?.(back.name)
    })
  return (
    <Dialog
      open
      onClose={onClose}
      title="New data set"
      description="Beside Home, on all your devices, with keys of its own: it is shared, pinned and put away by itself."
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button variant="primary" busy={busy} disabled={name.trim() === ''} onClick={() => void make()}>
            Make it
          </Button>
        </>
      }
    >
      <NameField name={name} error={error} onChange={(next) => (setName(next), setError(undefined))} onEnter={make} />
      {away.length > 0 && (
        <section className="files-away" aria-labelledby="files-away-heading">
          <h3 id="files-away-heading">Put away</h3>
          <ul>
            {away.map((one) => (
              <li key={one.dataset}>
                <span>{one.name}</span>
                <Button disabled={busy} onClick={() => void bringBack(one)}>
                  Bring back
                </Button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </Dialog>
  )
}

function NameDataset({ dataset, name: before, onClose, onDone }: DialogProps & { dataset: string; name: string }) {
  const [name, setName] = useState(before)
  const { error, setError, busy, run } = useAct(onClose)
  const rename = () =>
    run(async () => {
      const named = await clientNow().renameDataset({ which: dataset, name: name.trim() })
      onDone?.(named.name)
    })
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Rename ${before}`}
      description="On all your devices. Programs that know its path in your folder find it under the new name."
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button variant="primary" busy={busy} disabled={name.trim() === '' || name.trim() === before} onClick={() => void rename()}>
            Rename
          </Button>
        </>
      }
    >
      <NameField name={name} error={error} onChange={(next) => (setName(next), setError(undefined))} onEnter={rename} />
    </Dialog>
  )
}

function PutAway({ dataset, name, onClose, onDone }: DialogProps & { dataset: string; name: string }) {
  const [isRefused, setIsRefused] = useState(false)
  const { error, busy, run } = useAct(onClose)
  const put = (force: boolean) =>
    run(async () => {
      try {
        await clientNow().putDatasetAway({ which: dataset, isAway: true, force })
        onDone?.('Home')
      } catch (failure) {
        setIsRefused((failure as { code?: unknown }).code === 'dataset/not-safe')
        throw failure
      }
    })
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Put ${name} away?`}
      description="It closes on all your devices: not listed, not fetched, not mounted. Nothing in it is lost, and “New data set” brings it back."
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Keep it here
          </Button>
          <Button variant={isRefused ? 'danger' : 'primary'} busy={busy} onClick={() => void put(isRefused)}>
            {isRefused ? 'Put it away all the same' : 'Put away'}
          </Button>
        </>
      }
    >
      {error !== undefined && <p role="alert">{error}</p>}
    </Dialog>
  )
}

function NameField(props: { name: string; error: string | undefined; onChange: (name: string) => void; onEnter: () => unknown }) {
  return (
    <Field
      label="Name"
      autoFocus
      maxLength={60}
      value={props.name}
      error={props.error}
      onChange={(event) => props.onChange(event.target.value)}
      onKeyDown={(event) => event.key === 'Enter' && props.name.trim() !== '' && void props.onEnter()}
    />
  )
}

/** Those that were put away; none while they are not known. */
function useAway(): readonly NamedDatasetInfo[] {
  const client = useClient()
  const [away, setAway] = useState<readonly NamedDatasetInfo[]>([])
  useEffect(() => {
    const leaving = new AbortController()
    client?.listNamedDatasets({}, { signal: leaving.signal }).then(
      (all) => setAway(all.filter(({ isAway }) => isAway)),
      () => {}, // closed meanwhile: there is nothing to bring back here
    )
    return () => leaving.abort()
  }, [client])
  return away
}
