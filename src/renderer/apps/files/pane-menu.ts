import { type AppStateOf, ELSEWHERE } from '../../../session/app-state.ts'
import type { RefObject } from 'react'
import type { MenuEntry } from '../../ui/menu.tsx'
import { openApp } from '../app-hooks.ts'
import type { PaneEntry } from './file-source.ts'
import { joinPath } from './home-path.ts'
import { fileUse } from './look-kind.ts'
import { pinFiles } from './pin-file.ts'
import { isShared, type PaneDialog, type SharedEntry } from './pane-dialogs.tsx'

/** What the menu of a pane knows of it, and what its entries do there. */
export interface PaneMenuParts {
  readonly state: AppStateOf<'files'>
  readonly path: string
  /** How many entries are chosen. */
  readonly chosen: number
  /** Why nothing can be changed here, not even read, and not run; undefined: it can. */
  readonly fixed: string | undefined
  readonly away: string | undefined
  readonly notRunnable: string | undefined
  readonly canPaste: boolean
  readonly picker: RefObject<HTMLInputElement | null>
  /** The dataset this folder is in. */
  readonly dataset: { readonly dataset: string; readonly name: string } | undefined
  open(entry: PaneEntry, beside?: boolean): void
  rename(name: string): void
  run(entry: PaneEntry): unknown
  /** Undefined: it is no workflow's file, or not one that this device can read. */
  readonly runWorkflow: ((path: string) => void) | undefined
  take(isCut: boolean): unknown
  paste(): unknown
  download(): unknown
  show(dialog: PaneDialog): void
  /** Of all that is meant by something done to `entry`. */
  copyPaths(entry: PaneEntry): void
  canPin(): boolean
  pin(): void
  readonly isChoosing: boolean
  setChoosing(isChoosing: boolean): void
  toggleTiles(): void
  trash(): void
  /** Undefined: nothing can be made here. */
  readonly addFolder: (() => void) | undefined
  toggleHidden(): void
  toggleLook(): void
  /** What was done last to files on this display; undefined: nothing can be taken back. */
  readonly undone: string | undefined
  undo(): unknown
  reload(): void
}

/** All that can be done with an entry, with several where they are chosen, or, without one, with the folder that is shown. */
export function paneMenu(entry: PaneEntry | undefined, pane: PaneMenuParts): readonly MenuEntry[] {
  if (!entry) return folderMenu(pane)
  return pane.chosen > 1 ? manyMenu(entry, pane) : entryMenu(entry, pane)
}

const pasteEntry = ({ canPaste, fixed, paste }: PaneMenuParts) => [
  canPaste && { label: 'Paste', shortcut: 'Ctrl+V', disabledBecause: fixed, onSelect: paste },
]
const undoEntry = ({ undone, undo }: PaneMenuParts) =>
  undone !== undefined && { label: `Undo: ${undone}`, shortcut: 'Ctrl+Z', onSelect: undo }

const clipEntries = (pane: PaneMenuParts): readonly MenuEntry[] => [
  { label: 'Copy', shortcut: 'Ctrl+C', onSelect: () => pane.take(false) },
  { label: 'Cut', shortcut: 'Ctrl+X', disabledBecause: pane.fixed, onSelect: () => pane.take(true) },
  ...pasteEntry(pane),
]

const endEntries = (entry: PaneEntry, pane: PaneMenuParts): readonly MenuEntry[] => [
  'separator',
  { label: pane.chosen > 1 ? 'Copy paths' : 'Copy path', onSelect: () => pane.copyPaths(entry) },
  {
    label: pane.chosen > 1 ? `Move ${pane.chosen.toLocaleString('en-US')} to trash` : 'Move to trash',
    shortcut: 'Delete',
    danger: true,
    disabledBecause: pane.fixed,
    onSelect: pane.trash,
  },
]

/** What is done with all that is chosen, and with nothing less. */
function manyMenu(entry: PaneEntry, pane: PaneMenuParts): readonly MenuEntry[] {
  return [
    { label: 'Run elsewhere', disabledBecause: pane.fixed ?? pane.notRunnable, onSelect: () => pane.run(entry) },
    'separator',
    ...clipEntries(pane),
    { label: downloadLabel(entry, pane.chosen), shortcut: 'Ctrl+S', disabledBecause: pane.away, onSelect: pane.download },
    pane.canPin() && { label: `Keep ${pane.chosen.toLocaleString('en-US')} on this device`, onSelect: pane.pin },
    ...endEntries(entry, pane),
  ]
}

function entryMenu(entry: PaneEntry, pane: PaneMenuParts): readonly MenuEntry[] {
  const { fixed, away, notRunnable, state, runWorkflow } = pane
  const { device } = state
  const path = joinPath(pane.path, entry.name)
  const isFolder = entry.kind === 'folder'
  return [
    { label: 'Open', shortcut: 'Enter', onSelect: () => pane.open(entry) },
    { label: 'Quick look', shortcut: 'Space', checked: state.look, onSelect: pane.toggleLook },
    isFolder && { label: 'Open in a new tab', onSelect: () => pane.open(entry, true) },
    isFolder &&
      device !== ELSEWHERE && {
        label: 'Open a terminal here',
        onSelect: () => openApp({ kind: 'terminal', device, terminalId: null, cwd: path }),
      },
    entry.kind === 'file' &&
      fileUse(entry) !== 'text' && {
        label: 'Open as text',
        onSelect: () => openApp({ kind: 'editor', device, path, textDoc: null, version: null }),
      },
    {
      label: isFolder ? 'Run a command on it elsewhere' : 'Run elsewhere',
      disabledBecause: fixed ?? notRunnable,
      onSelect: () => pane.run(entry),
    },
    entry.kind === 'file' &&
      runWorkflow &&
      /\.ya?ml$/i.test(entry.name) && { label: 'Run as a workflow', onSelect: () => runWorkflow(path) },
    'separator',
    { label: 'Rename', shortcut: 'F2', disabledBecause: fixed, onSelect: () => pane.rename(entry.name) },
    ...clipEntries(pane),
    entry.kind !== 'other' && { label: downloadLabel(entry, 1), shortcut: 'Ctrl+S', disabledBecause: away, onSelect: pane.download },
    { label: 'Choose more', checked: pane.isChoosing, onSelect: () => pane.setChoosing(!pane.isChoosing) },
    'separator',
    isFolder && pane.dataset && asItWas(pane.dataset, path, pane.show),
    isShared(entry) && !entry.shared.isLocal && entry.shared.pinned !== 'above' && pinEntry(entry, pane),
    isShared(entry) && entry.kind === 'file' && { label: 'History…', onSelect: () => pane.show({ kind: 'history', entry }) },
    isShared(entry) &&
      entry.shared.isConflictCopy && { label: 'Choose a version…', onSelect: () => pane.show({ kind: 'conflict', entry }) },
    ...endEntries(entry, pane),
  ]
}

function downloadLabel({ kind }: PaneEntry, chosen: number): string {
  if (chosen > 1) return `Download ${chosen.toLocaleString('en-US')} as a zip`
  return kind === 'folder' ? 'Download as a zip' : 'Download'
}

function folderMenu(pane: PaneMenuParts): readonly MenuEntry[] {
  const { fixed, dataset, state } = pane
  const isTop = state.device === ELSEWHERE && pane.path === '/'
  return [
    isTop && { label: 'New data set…', onSelect: () => pane.show({ kind: 'new-dataset' }) },
    { label: 'New folder', disabledBecause: fixed, onSelect: () => pane.addFolder?.() },
    { label: 'Put files here…', disabledBecause: fixed, onSelect: () => pane.picker.current?.click() },
    ...pasteEntry(pane),
    undoEntry(pane),
    dataset && 'separator',
    dataset && asItWas(dataset, pane.path, pane.show),
    dataset && { label: `Share ${dataset.name}…`, onSelect: () => pane.show({ kind: 'share', ...named(dataset) }) },
    dataset && { label: `Trash of ${dataset.name}…`, onSelect: () => pane.show({ kind: 'trash', ...named(dataset) }) },
    dataset && { label: 'Where copies are…', onSelect: () => pane.show({ kind: 'policy', ...named(dataset) }) },
    'separator',
    { label: 'As tiles', checked: state.view === 'grid', onSelect: pane.toggleTiles },
    { label: 'Quick look', shortcut: 'Space', checked: state.look, onSelect: pane.toggleLook },
    { label: 'Hidden files', shortcut: 'Ctrl+H', checked: state.showHidden, onSelect: pane.toggleHidden },
  ]
}

const named = ({ dataset, name }: NonNullable<PaneMenuParts['dataset']>) => ({ dataset, name })

/** `path`: as the pane has it, with the name of the dataset in front. */
const asItWas = ({ dataset, name }: NonNullable<PaneMenuParts['dataset']>, path: string, show: PaneMenuParts['show']): MenuEntry => ({
  label: 'As it was…',
  onSelect: () => show({ kind: 'past', folder: { dataset, name, path: path.slice(name.length + 1) || '/' } }),
})

const pinEntry = (entry: SharedEntry, { reload }: PaneMenuParts): MenuEntry => ({
  label: 'Keep on this device',
  checked: entry.shared.pinned === 'self',
  onSelect: () => void pinFiles([entry], entry.shared.pinned !== 'self').then(reload),
})
