import { ArrowUp, Eye, EyeOff, FolderPlus, FolderSearch, LayoutGrid, List, RotateCw, Upload } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from 'react'
import { type AppStateOf, ELSEWHERE } from '../../../session/app-state.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { askForCommand } from '../../desk/run-plan-store.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { ErrorState } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { openContextMenu } from '../../ui/menu.tsx'
import { showToast } from '../../ui/toast.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { openApp, openTab, useDeviceName, useIsLate, useNow, useOwnDevice } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { DeviceChooser } from '../device-chooser.tsx'
import { carryFiles, FILES_DRAG_TYPE, readFilesPayload } from '../drag-payload.ts'
import { askedCommand, guessForFile } from '../guess-command.ts'
import { agoText, countText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { dropEntries, pasteClip, takeClip, useClip } from './clip.ts'
import { EntryList } from './entry-list.tsx'
import { createFileActions } from './file-actions.ts'
import { arrange, type FolderView, type SortKey, sortBy, fileUse } from './folder-view.ts'
import { ConflictDialog, originalName } from './conflict-dialog.tsx'
import { Crumbs } from './crumbs.tsx'
import { EmptyFolder } from './empty-folder.tsx'
import type { PaneEntry, SharedFacts } from './file-source.ts'
import { baseName, freeName, joinPath, parentPath } from './home-path.ts'
import { ImagePreview } from './image-preview.tsx'
import { HistoryDialog } from './history-dialog.tsx'
import { SearchResults } from './search-results.tsx'
import { TrashDialog } from './trash-dialog.tsx'
import { Places, unsafeText } from './places.tsx'
import { downloadFiles, droppedFiles, uploadFiles } from './move-files.ts'
import { TransferBar } from './transfer-bar.tsx'
import { useHolders } from './use-holders.ts'
import { keepExisting, NOTHING_SELECTED, type Selection, select } from './selection.ts'
import { useDatasets } from './use-datasets.ts'
import { useMountedAt } from './use-mounted-at.ts'
import { type FolderHandle, useFolder } from './use-folder.ts'
import './files.css'

type FilesState = AppStateOf<'files'>

/** The person's datasets and the home folder of each device. Every path carries its place; nothing here mixes two machines up. */
export default function FilesApp(props: AppProps<FilesState>) {
  const { device, path } = props.state
  const folder = useFolder(device, path, props.visible)
  // A folder one comes up from stays chosen in the folder one comes to.
  const [cameFrom, setCameFrom] = useState<string>()
  return <FolderPane key={`${device} ${path ?? ''}`} {...props} folder={folder} cameFrom={cameFrom} onLeave={setCameFrom} />
}

type SharedEntry = PaneEntry & { readonly shared: SharedFacts }
type PaneDialog =
  | { readonly kind: 'history' | 'conflict'; readonly entry: SharedEntry }
  | { readonly kind: 'trash'; readonly dataset: string; readonly name: string }
const isShared = (entry: PaneEntry | undefined): entry is SharedEntry => entry?.shared !== undefined

interface FolderPaneProps extends AppProps<FilesState> {
  readonly folder: FolderHandle
  readonly cameFrom: string | undefined
  readonly onLeave: (name: string | undefined) => void
}

function FolderPane({ state, setState, windowId, active, visible, folder, cameFrom, onLeave }: FolderPaneProps) {
  const { device } = state
  const deviceName = useDeviceName(device)
  const own = useOwnDevice()
  const mountedAt = useMountedAt(device === ELSEWHERE)
  const { listing, home } = folder
  const path = state.path ?? home
  const isElsewhere = device === ELSEWHERE
  const fixedReason = isElsewhere && path === '/' ? 'These are your datasets; open one' : undefined
  const awayReason = folder.away ? `${deviceName} is away` : fixedReason
  const datasets = useDatasets(visible)
  const [chosenHere, setSelection] = useState<Selection>(() =>
    cameFrom === undefined ? NOTHING_SELECTED : select(NOTHING_SELECTED, [], cameFrom, 'one'),
  )
  const [filter, setFilter] = useState('')
  const [renaming, setRenaming] = useState<string>()
  const [dropping, setDropping] = useState(false)
  const [dialog, setDialog] = useState<PaneDialog>()
  const [search, setSearch] = useState<string>()
  const [preview, setPreview] = useState<PaneEntry>()
  const list = useRef<HTMLDivElement>(null)
  const now = useNow()
  const view: FolderView = useMemo(
    () => ({ layout: state.view, sort: state.sort, descending: state.descending, hidden: state.showHidden }),
    [state.view, state.sort, state.descending, state.showHidden],
  )
  const entries = useMemo(() => (listing ? arrange(listing.entries, view, filter) : []), [listing, view, filter])
  const names = useMemo(() => entries.map((entry) => entry.name), [entries])
  const selection = useMemo(() => keepExisting(chosenHere, names), [chosenHere, names])
  const late = useIsLate(!listing && folder.error === undefined && !folder.away)
  const actions = createFileActions(device, path, folder.reload)
  const root = useRef<HTMLDivElement>(null)
  const ready = listing !== undefined
  useEffect(() => {
    if (active && ready && !root.current?.contains(document.activeElement)) list.current?.focus()
  }, [active, ready])

  const go = (to: string) => {
    onLeave(path !== undefined && parentPath(path) === to ? baseName(path) : undefined)
    setState({ path: to === home ? null : to })
  }
  const open = (entry: PaneEntry, beside = false) => {
    if (path === undefined) return
    const at = joinPath(path, entry.name)
    const use = fileUse(entry)
    if (use === 'folder') return beside ? openTab(windowId, { ...state, path: at }) : go(at)
    if (use === 'image') return setPreview(entry)
    if (use === 'text') openApp({ kind: 'editor', device, path: at, textDoc: null, version: null })
    else actions.explain(entry)
  }
  const chosen = () => entries.filter((entry) => selection.names.has(entry.name))
  const holders = useHolders(selection.names.size === 1 ? entries.find(({ name }) => selection.names.has(name)) : undefined)
  const clip = useClip((one) => one.clip)
  const picker = useRef<HTMLInputElement>(null)
  const take = (isCut: boolean) => path !== undefined && takeClip({ device, folder: path, entries: chosen(), isCut })
  const pasteHere = () => path !== undefined && !awayReason && void pasteClip(device, path).then(folder.reload)
  const download = () =>
    path !== undefined &&
    void downloadFiles(
      device,
      chosen()
        .filter(({ kind }) => kind === 'file' || kind === 'link')
        .map(({ name, bytes }) => ({ path: joinPath(path, name), bytes })),
    )
  const put = (files: readonly File[]) =>
    path !== undefined &&
    void uploadFiles(
      device,
      path,
      files.map((file) => ({ path: file.name, file })),
    ).then(folder.reload)
  const handleDrop = (event: DragEvent) => {
    setDropping(false)
    if (path === undefined || awayReason) return
    event.preventDefault()
    const row = event.target instanceof Element ? event.target.closest('[role="option"]') : null
    const over = row ? entries[Number(row.getAttribute('aria-posinset')) - 1] : undefined
    const target = over?.kind === 'folder' ? joinPath(path, over.name) : path
    const payload = readFilesPayload(event.dataTransfer)
    const failed = (error: unknown) => showToast({ severity: 'error', title: 'It could not be put here', body: errorWords(error) })
    if (payload) {
      const isHere = payload.device === device && payload.paths.every((one) => parentPath(one) === target)
      if (!isHere) void dropEntries(payload, device, target, event.ctrlKey).then(folder.reload, failed)
      return
    }
    void droppedFiles(event.dataTransfer)
      .then(({ files, folders }) => uploadFiles(device, target, files, folders))
      .then(folder.reload, failed)
  }
  const trash = () => void actions.trash(chosen())
  const addFolder = async () => {
    const name = freeName('New folder', new Set(listing?.entries.map((entry) => entry.name)))
    if (!(await actions.makeFolder(name))) return
    setSelection({ names: new Set([name]), anchor: name, cursor: name })
    setRenaming(name)
  }
  const handleRename = (name: string | undefined) => {
    const from = renaming
    setRenaming(undefined)
    list.current?.focus()
    if (from === undefined || name === undefined) return
    void actions.rename(from, name).then((done) => done && setSelection({ names: new Set([name]), anchor: name, cursor: name }))
  }
  const handleKey = (event: KeyboardEvent) => {
    const entry = entries.find((one) => one.name === selection.cursor)
    if (event.key === 'F2' && entry && !awayReason) setRenaming(entry.name)
    else if (event.key === 'Delete' && selection.names.size > 0 && !awayReason) trash()
    else if (event.key === 'F5') folder.reload()
    else if (event.ctrlKey && event.key === 'c') take(false)
    else if (event.ctrlKey && event.key === 'x' && !awayReason) take(true)
    else if (event.ctrlKey && event.key === 'v') pasteHere()
    else if (event.key === 'Backspace' || (event.altKey && event.key === 'ArrowUp')) up?.()
    else if (event.ctrlKey && event.key === 'h') setState({ showHidden: !state.showHidden })
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const notRunnable =
    device === own || mountedAt !== undefined ? undefined : isElsewhere ? 'Mount Elsewhere as a folder first' : `It lies on ${deviceName}`
  const handleMenu = (event: MouseEvent<HTMLElement>, entry: PaneEntry | undefined) =>
    openContextMenu(event, entry ? entry.name : 'Folder', [
      entry && { label: 'Open', shortcut: 'Enter', onSelect: () => open(entry) },
      entry?.kind === 'folder' && { label: 'Open in a new tab', onSelect: () => open(entry, true) },
      entry?.kind === 'folder' &&
        !isElsewhere &&
        path !== undefined && {
          label: 'Open a terminal here',
          onSelect: () => openApp({ kind: 'terminal', device, terminalId: null, cwd: joinPath(path, entry.name) }),
        },
      entry?.kind === 'file' &&
        fileUse(entry) !== 'text' &&
        path !== undefined && {
          label: 'Open as text',
          onSelect: () => openApp({ kind: 'editor', device, path: joinPath(path, entry.name), textDoc: null, version: null }),
        },
      'separator',
      entry && { label: 'Rename', shortcut: 'F2', disabledBecause: awayReason, onSelect: () => setRenaming(entry.name) },
      entry &&
        path !== undefined && {
          label: entry.kind === 'folder' ? 'Run a command on it elsewhere' : 'Run elsewhere',
          disabledBecause: awayReason ?? notRunnable,
          onSelect: () => void runElsewhere(entry),
        },
      entry && { label: 'Copy', shortcut: 'Ctrl+C', onSelect: () => take(false) },
      entry && { label: 'Cut', shortcut: 'Ctrl+X', disabledBecause: awayReason, onSelect: () => take(true) },
      clip && { label: 'Paste', shortcut: 'Ctrl+V', disabledBecause: awayReason, onSelect: pasteHere },
      (entry?.kind === 'file' || entry?.kind === 'link') && {
        label: 'Download',
        disabledBecause: folder.away ? `${deviceName} is away` : undefined,
        onSelect: download,
      },
      isShared(entry) && entry.kind === 'file' && { label: 'History…', onSelect: () => setDialog({ kind: 'history', entry }) },
      isShared(entry) &&
        entry.shared.isConflictCopy && { label: 'Choose a version…', onSelect: () => setDialog({ kind: 'conflict', entry }) },
      'separator',
      entry && { label: 'Copy path', onSelect: () => path !== undefined && actions.copyPath(joinPath(path, entry.name)) },
      entry && {
        label: selection.names.size > 1 ? `Move ${selection.names.size} to trash` : 'Move to trash',
        shortcut: 'Delete',
        danger: true,
        disabledBecause: awayReason,
        onSelect: trash,
      },
      'separator',
      { label: 'New folder', disabledBecause: awayReason, onSelect: () => void addFolder() },
      { label: 'Put files here…', disabledBecause: awayReason, onSelect: () => picker.current?.click() },
      isElsewhere &&
        here && { label: `Trash of ${here.name}…`, onSelect: () => setDialog({ kind: 'trash', dataset: here.dataset, name: here.name }) },
      { label: 'Hidden files', shortcut: 'Ctrl+H', checked: state.showHidden, onSelect: () => setState({ showHidden: !state.showHidden }) },
    ])
  // What lies in a dataset is run from where this device has it mounted: there it has a path that programs know.
  const runPlace =
    path === undefined
      ? undefined
      : isElsewhere && mountedAt !== undefined
        ? { device: own, parent: `${mountedAt}${path === '/' ? '' : path}` }
        : { device, parent: path }
  /** The keyboard's way to the elsewhere dock: the command field, with what is known filled in. */
  const runElsewhere = async (entry: PaneEntry) => {
    if (runPlace === undefined) return
    const { device: place, parent } = runPlace
    if (entry.kind === 'folder') return askForCommand({ folder: joinPath(parent, entry.name) })
    const names = selection.names.has(entry.name) ? chosen().map(({ name }) => name) : [entry.name]
    const guess = names.length === 1 ? await guessForFile(clientNow(), place, parent, entry.name) : undefined
    askForCommand({ line: guess ?? askedCommand(names), folder: parent })
  }
  const handleDrag = (event: DragEvent, entry: PaneEntry) => {
    if (path === undefined || runPlace === undefined) return
    const carried = selection.names.has(entry.name) ? chosen() : [entry]
    const isFolder = carried.length === 1 && carried[0]?.kind === 'folder'
    const names = carried.map(({ name }) => name)
    carryFiles(event.dataTransfer, { device, paths: names.map((name) => joinPath(path, name)) }, { ...runPlace, names, isFolder })
  }
  const unsafe = datasets.reduce((sum, { unsafeVersions }) => sum + unsafeVersions, 0)
  const here = datasets.find(({ name }) => path === `/${name}` || path?.startsWith(`/${name}/`))
  const closeDialog = () => {
    setDialog(undefined)
    list.current?.focus()
  }
  const searchAll = isElsewhere && filter.trim() !== '' && path !== undefined && path !== '/' ? () => setSearch(filter.trim()) : undefined
  const up =
    path !== undefined && home !== undefined && (path !== home || isElsewhere) && path !== '/' ? () => go(parentPath(path)) : undefined

  return (
    <div ref={root} className="app files">
      <div className="app-bar" role="toolbar" aria-label="Files">
        <DeviceChooser device={device} label="Place" withElsewhere onChoose={(chosen) => setState({ device: chosen, path: null })} />
        <span className="app-separator" />
        <IconButton label="Up one folder" shortcut="Backspace" icon={<ArrowUp aria-hidden="true" />} aria-disabled={!up} onClick={up} />
        <Crumbs path={path} home={isElsewhere ? '/' : home} homeName={isElsewhere ? 'Elsewhere' : 'Home'} onGo={go} />
        <input
          className="files-filter"
          type="search"
          aria-label="Filter this folder"
          placeholder="Filter"
          spellCheck={false}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') list.current?.focus()
            else if (event.key === 'Escape') setFilter('')
            else if (event.key === 'Enter' && searchAll) {
              event.preventDefault() // the button that gets the focus would be pressed by it
              searchAll()
            }
          }}
        />
        <IconButton
          label="New folder"
          icon={<FolderPlus aria-hidden="true" />}
          aria-disabled={awayReason !== undefined}
          onClick={awayReason ? undefined : () => void addFolder()}
        />
        <IconButton
          label="Put files here"
          icon={<Upload aria-hidden="true" />}
          aria-disabled={awayReason !== undefined}
          onClick={awayReason ? undefined : () => picker.current?.click()}
        />
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label="Files to put here"
          onChange={(event) => {
            put([...(event.target.files ?? [])])
            event.target.value = ''
          }}
        />
        <IconButton
          label={state.showHidden ? 'Hide hidden files' : 'Show hidden files'}
          shortcut="Ctrl+H"
          icon={state.showHidden ? <Eye aria-hidden="true" /> : <EyeOff aria-hidden="true" />}
          onClick={() => setState({ showHidden: !state.showHidden })}
        />
        <IconButton
          label={state.view === 'list' ? 'Show as tiles' : 'Show as a list'}
          icon={state.view === 'list' ? <LayoutGrid aria-hidden="true" /> : <List aria-hidden="true" />}
          onClick={() => setState({ view: state.view === 'list' ? 'grid' : 'list' })}
        />
      </div>
      {folder.away && (
        <Strip kind="away">
          {listing
            ? `${deviceName} is away. This is the folder as it was ${agoText(listing.readAtMs, now)}; its files open again when ${deviceName} is back.`
            : `${deviceName} is away, and this folder has not been seen on this display yet.`}
        </Strip>
      )}
      <div className="files-middle">
        <Places
          device={device}
          path={path}
          datasets={datasets}
          onGo={(to, at) => setState({ device: to, path: at })}
          onTrash={({ dataset, name }) => setDialog({ kind: 'trash', dataset, name })}
        />
        <div
          className="app-body"
          data-away={folder.away || undefined}
          data-dropping={dropping || undefined}
          onDragOver={(event) => {
            const { types } = event.dataTransfer
            if (awayReason || (!types.includes('Files') && !types.includes(FILES_DRAG_TYPE))) return
            event.preventDefault()
            setDropping(true)
          }}
          onDragLeave={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setDropping(false)}
          onDrop={handleDrop}
        >
          {search !== undefined && path !== undefined ? (
            <SearchResults
              folder={path}
              text={search}
              onClose={() => setSearch(undefined)}
              onGo={(to, name) => {
                setSearch(undefined)
                setFilter('')
                setSelection(select(NOTHING_SELECTED, [], name, 'one'))
                onLeave(name)
                setState({ path: to === home ? null : to })
              }}
            />
          ) : preview && path !== undefined ? (
            <ImagePreview device={device} path={joinPath(path, preview.name)} entry={preview} onClose={() => setPreview(undefined)} />
          ) : folder.error !== undefined && !listing ? (
            <ErrorState
              title="This folder could not be read"
              error={folder.error}
              safe="Nothing was changed."
              action={
                <>
                  <Button icon={<RotateCw aria-hidden="true" />} onClick={folder.reload}>
                    Try again
                  </Button>
                  {home !== undefined && path !== home && <Button onClick={() => go(home)}>Go home</Button>}
                </>
              }
            />
          ) : listing && entries.length > 0 ? (
            <EntryList
              nowMs={now}
              label={`Contents of ${path ?? 'home'}`}
              entries={entries}
              view={view}
              selection={selection}
              onSelect={setSelection}
              onSort={(key: SortKey) => {
                const next = sortBy(view, key)
                setState({ sort: next.sort, descending: next.descending })
              }}
              onOpen={open}
              onMenu={handleMenu}
              onDrag={handleDrag}
              onKey={handleKey}
              renaming={renaming}
              onRename={handleRename}
              listRef={list}
            />
          ) : listing ? (
            <EmptyFolder
              filter={filter}
              onSearch={searchAll}
              hidden={listing.entries.length}
              onClear={() => setFilter('')}
              onShowHidden={() => setState({ showHidden: true })}
              onAdd={awayReason ? undefined : () => void addFolder()}
              isElsewhere={isElsewhere}
            />
          ) : folder.away ? (
            <EmptyState icon={<FolderSearch aria-hidden="true" />} title="Nothing kept here yet">
              Folders you have looked at stay in sight while their device is away.
            </EmptyState>
          ) : (
            late && <Skeleton lines={9} label={`Reading ${path ?? 'the home folder'}`} />
          )}
        </div>
      </div>
      {dialog?.kind === 'history' && <HistoryDialog name={dialog.entry.name} shared={dialog.entry.shared} onClose={closeDialog} />}
      {dialog?.kind === 'trash' && <TrashDialog dataset={dialog.dataset} name={dialog.name} onClose={closeDialog} />}
      {dialog?.kind === 'conflict' && path !== undefined && (
        <ConflictDialog
          path={joinPath(path, dialog.entry.name)}
          copy={dialog.entry}
          other={listing?.entries.filter(isShared).find(({ name }) => name === originalName(dialog.entry.name))}
          taken={new Set(listing?.entries.map(({ name }) => name))}
          onClose={closeDialog}
        />
      )}
      <TransferBar />
      <div className="app-status">
        <span role="status">{statusText(entries.length, selection.names.size, listing?.truncated ?? false)}</span>
        {holders && <span>{holders}</span>}
        {isElsewhere && unsafe > 0 && <span className="files-unsafe">{unsafeText(unsafe)}</span>}
        {folder.error !== undefined && listing && <span>Could not be read again just now; this is the last listing.</span>}
      </div>
    </div>
  )
}

function statusText(shown: number, chosen: number, truncated: boolean): string {
  const all = truncated ? `First ${countText(shown, 'entry', 'entries')}; there are more` : countText(shown, 'entry', 'entries')
  return chosen > 1 ? `${all} · ${chosen.toLocaleString('en-US')} chosen` : all
}
