import { type DatasetDialog, DatasetDialogs } from './dataset-dialog.tsx'
import { ConflictDialog, originalName } from './conflict-dialog.tsx'
import type { PaneEntry, SharedFacts } from './file-source.ts'
import { HistoryDialog } from './history-dialog.tsx'
import { joinPath } from './home-path.ts'
import { PastDialog, type PastFolder } from './past-dialog.tsx'
import { ShareDialog } from './share-dialog.tsx'
import { TrashDialog } from './trash-dialog.tsx'

export type SharedEntry = PaneEntry & { readonly shared: SharedFacts }
export const isShared = (entry: PaneEntry | undefined): entry is SharedEntry => entry?.shared !== undefined

/** What is asked about something of a dataset, over its pane. */
export type PaneDialog =
  | { readonly kind: 'history' | 'conflict'; readonly entry: SharedEntry }
  | { readonly kind: 'trash'; readonly dataset: string; readonly name: string }
  | { readonly kind: 'share'; readonly dataset: string; readonly name: string }
  | { readonly kind: 'past'; readonly folder: PastFolder }
  | DatasetDialog

/** `path`: the folder that the pane shows, with its `entries`. */
export function PaneDialogs(props: {
  dialog: PaneDialog
  path: string | undefined
  entries: readonly PaneEntry[] | undefined
  onClose: () => void
  /** A dataset is to be shown, by its name. */
  onDataset: (name: string) => void
}) {
  const { dialog, path, entries, onClose } = props
  if (dialog.kind === 'trash') return <TrashDialog dataset={dialog.dataset} name={dialog.name} onClose={onClose} />
  if (dialog.kind === 'share') return <ShareDialog dataset={dialog.dataset} name={dialog.name} onClose={onClose} />
  if (dialog.kind === 'past') return <PastDialog folder={dialog.folder} onClose={onClose} />
  if (!('entry' in dialog)) return <DatasetDialogs dialog={dialog} onClose={onClose} onDone={props.onDataset} />
  const { entry } = dialog
  if (dialog.kind === 'history') return <HistoryDialog name={entry.name} shared={entry.shared} onClose={onClose} />
  if (path === undefined) return null
  return (
    <ConflictDialog
      path={joinPath(path, entry.name)}
      copy={entry}
      other={entries?.filter(isShared).find(({ name }) => name === originalName(entry.name))}
      taken={new Set(entries?.map(({ name }) => name))}
      onClose={onClose}
    />
  )
}
