import { FolderSearch, RotateCw } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from 'react'
import { errorCode } from '../../../base/errors.ts'
import { type AppStateOf, ELSEWHERE } from '../../../session/app-state.ts'
import { runWorkflowFile } from '../jobs/workflow-actions.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { openContextMenu } from '../../ui/menu.tsx'
import { openApp, openTab, useDeviceName, useIsLate, useNow, useOwnDevice } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { carryFiles } from '../drag-payload.ts'
import { agoText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { pasteClip, takeClip, useClip } from './clip.ts'
import { EmptyFolder } from './empty-folder.tsx'
import { EntryList } from './entry-list.tsx'
import { createFileActions } from './file-actions.ts'
import type { PaneEntry } from './file-source.ts'
import { FilesBar } from './files-bar.tsx'
import { FilesStatus } from './files-status.tsx'
import { type FolderView, type SortKey, sortBy } from './folder-view.ts'
import { takeBack, useFileSteps } from './file-undo.ts'
import { carryOut, readyToDragOut } from './drag-out.ts'
import { baseName, freeName, joinPath, parentPath } from './home-path.ts'
import type { LookAt } from './file-view.ts'
import { fileUse } from './look-kind.ts'
import { LookPanel } from './look-panel.tsx'
import { LookWhole } from './look-whole.tsx'
import { markdownTarget } from './markdown-link.ts'
import { downloadFiles, uploadFiles } from './move-files.ts'
import { type PaneDialog, PaneDialogs } from './pane-dialogs.tsx'
import { useDrop } from './pane-drop.ts'
import { paneMenu } from './pane-menu.ts'
import { Places } from './places.tsx'
import { notRunnable, runElsewhere, runPlaceOf } from './run-place.ts'
import { SearchResults } from './search-results.tsx'
import { keepExisting, NOTHING_SELECTED, type Selection, select } from './selection.ts'
import { TransferBar } from './transfer-bar.tsx'
import { Reading } from './reading.tsx'
import { useArranged } from './use-arranged.ts'
import { useDatasets } from './use-datasets.ts'
import { type FolderHandle, useFolder } from './use-folder.ts'
import { useHolders } from './use-holders.ts'
import { useMountedAt } from './use-mounted-at.ts'
import './files.css'

/** It is on other devices, and they do not bring it. */
const isNotHere = (error: unknown): boolean => ['chunk/unavailable', 'dataset/loading'].includes(errorCode(error) ?? '')
const NO_ENTRIES: readonly PaneEntry[] = []
type FilesState = AppStateOf<'files'>

/** The person's datasets and the home folder of each device. Every path carries its place; nothing here mixes two machines up. */
export default function FilesApp(props: AppProps<FilesState>) {
  const { device, path } = props.state
  const folder = useFolder(device, path, props.visible)
  // A folder one comes up from stays chosen in the folder one comes to.
  const [cameFrom, setCameFrom] = useState<string>()
  return <FolderPane key={`${device} ${path ?? ''}`} {...props} folder={folder} cameFrom={cameFrom} onLeave={setCameFrom} />
}

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
  const [dialog, setDialog] = useState<PaneDialog>()
  const [search, setSearch] = useState<string>()
  const [preview, setPreview] = useState<PaneEntry>()
  const list = useRef<HTMLDivElement>(null)
  const now = useNow()
  const view: FolderView = useMemo(
    () => ({ layout: state.view, sort: state.sort, descending: state.descending, hidden: state.showHidden }),
    [state.view, state.sort, state.descending, state.showHidden],
  )
  const arranged = useArranged(listing?.entries, view, filter)
  const entries = arranged ?? NO_ENTRIES
  const names = useMemo(() => entries.map((entry) => entry.name), [entries])
  const selection = useMemo(() => keepExisting(chosenHere, names), [chosenHere, names])
  const isWaiting = !listing || !arranged
  const late = useIsLate(isWaiting && folder.error === undefined && !folder.away)
  const actions = createFileActions(device, path, folder.reload)
  const root = useRef<HTMLDivElement>(null)
  const ready = !isWaiting
  useEffect(() => {
    if (active && ready && !root.current?.contains(document.activeElement)) list.current?.focus()
  }, [active, ready])
  const shown = search !== undefined ? 'search' : preview ? 'preview' : isWaiting ? 'waiting' : entries.length > 0 ? 'list' : 'empty'
  useEffect(() => {
    // What had the focus went: the last row of a list, a preview that was closed.
    const isFolder = shown === 'list' || shown === 'empty'
    if (active && isFolder && document.activeElement === document.body) list.current?.focus()
  }, [active, shown])

  const go = (to: string) => {
    onLeave(path !== undefined && parentPath(path) === to ? baseName(path) : undefined)
    setState({ path: to === home ? null : to })
  }
  const open = (entry: PaneEntry, beside = false) => {
    if (path === undefined) return
    const at = joinPath(path, entry.name)
    const use = fileUse(entry)
    if (use === 'folder') return beside ? openTab(windowId, { ...state, path: at }) : go(at)
    if (use === 'look') return setPreview(entry)
    if (use === 'text') openApp({ kind: 'editor', device, path: at, textDoc: null, version: null })
    else actions.explain(entry)
  }
  /** To an entry of another folder, or of this one, which is then chosen. */
  const goTo = (to: string, name: string) => {
    setSearch(undefined)
    setPreview(undefined)
    setFilter('')
    setSelection(select(NOTHING_SELECTED, [], name, 'one'))
    onLeave(name)
    setState({ path: to === home ? null : to })
  }
  const follow = (at: LookAt, target: string) => {
    const leads = markdownTarget(at.path, target)
    if (leads.kind === 'web') openApp({ kind: 'web', url: leads.url })
    else if (leads.kind === 'file') goTo(parentPath(leads.path), baseName(leads.path))
  }
  const step = (by: -1 | 1) => {
    const shown = entries.filter((entry) => fileUse(entry) === 'look')
    const next = shown[shown.findIndex(({ name }) => name === preview?.name) + by]
    if (!next) return
    setPreview(next)
    setSelection(select(NOTHING_SELECTED, [], next.name, 'one'))
  }
  const toggleLook = () => {
    setState({ look: !state.look })
    list.current?.focus()
  }
  const lastStep = useFileSteps(({ steps }) => steps.at(-1))
  const undo = () => lastStep && void takeBack(lastStep).then(folder.reload)
  const cursor = entries.find((entry) => entry.name === selection.cursor)
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
  const drop = useDrop({ device, path, refusal: awayReason, entries, reload: folder.reload })
  const trash = () => void actions.trash(chosen())
  const adding = useRef(false)
  const addFolder = async () => {
    if (adding.current) return // pressed twice: what is being made is not in the listing yet
    adding.current = true
    const name = freeName('New folder', new Set(listing?.entries.map((entry) => entry.name)))
    const made = await actions.makeFolder(name)
    adding.current = false
    if (!made) return
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
    if (event.key === 'F2' && cursor && !awayReason) setRenaming(cursor.name)
    else if (event.key === 'Delete' && selection.names.size > 0 && !awayReason) trash()
    else if (event.key === ' ') toggleLook()
    else if (event.key === 'F5') folder.reload()
    else if (event.ctrlKey && event.key === 'c') take(false)
    else if (event.ctrlKey && event.key === 'x' && !awayReason) take(true)
    else if (event.ctrlKey && event.key === 'v') pasteHere()
    else if (event.ctrlKey && event.key === 'z' && lastStep) undo()
    else if (event.key === 'Backspace' || (event.altKey && event.key === 'ArrowUp')) up?.()
    else if (event.ctrlKey && event.key === 'h') setState({ showHidden: !state.showHidden })
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const runPlace = path === undefined ? undefined : runPlaceOf(device, path, own, mountedAt)
  const namesWith = (entry: PaneEntry) => (selection.names.has(entry.name) ? chosen().map(({ name }) => name) : [entry.name])
  const handleMenu = (event: MouseEvent<HTMLElement>, entry: PaneEntry | undefined) =>
    path !== undefined &&
    runPlace &&
    openContextMenu(
      event,
      entry ? entry.name : 'Folder',
      paneMenu(entry, {
        state,
        path,
        chosen: selection.names.size,
        fixed: awayReason,
        away: folder.away ? awayReason : undefined,
        notRunnable: notRunnable(runPlace, own),
        canPaste: clip !== undefined,
        dataset: here,
        open,
        rename: ({ name }) => setRenaming(name),
        run: (one) => void runElsewhere(runPlace, one, namesWith(one)),
        runWorkflow: state.device === own || state.device === ELSEWHERE ? (at) => void runWorkflowFile(state.device, at) : undefined,
        take,
        paste: pasteHere,
        download,
        show: setDialog,
        copyPath: actions.copyPath,
        trash,
        addFolder: () => void addFolder(),
        pickFiles: () => picker.current?.click(),
        toggleHidden: () => setState({ showHidden: !state.showHidden }),
        toggleLook,
        undone: lastStep?.title,
        undo,
        reload: folder.reload,
      }),
    )
  const handleDrag = (event: DragEvent, entry: PaneEntry) => {
    if (path === undefined || runPlace === undefined) return
    const names = namesWith(entry)
    const isFolder = names.length === 1 && entry.kind === 'folder'
    if (names.length === 1) carryOut(event.dataTransfer, { device, path: joinPath(path, entry.name), entry })
    carryFiles(event.dataTransfer, { device, paths: names.map((name) => joinPath(path, name)) }, { ...runPlace, names, isFolder })
  }
  const unsafe = datasets.reduce((sum, { unsafeVersions }) => sum + unsafeVersions, 0)
  const here = isElsewhere ? datasets.find(({ name }) => path === `/${name}` || path?.startsWith(`/${name}/`)) : undefined
  const closeDialog = () => {
    setDialog(undefined)
    list.current?.focus()
  }
  const searchAll =
    !folder.away && filter.trim() !== '' && path !== undefined && !(isElsewhere && path === '/')
      ? () => setSearch(filter.trim())
      : undefined
  const up =
    path !== undefined && home !== undefined && (path !== home || isElsewhere) && path !== '/' ? () => go(parentPath(path)) : undefined

  return (
    <div ref={root} className="app files" data-keys={lastStep && 'edits'}>
      <FilesBar
        state={state}
        setState={setState}
        path={path}
        home={home}
        filter={filter}
        onFilter={setFilter}
        onSearch={searchAll}
        onGo={go}
        onUp={up}
        onDown={() => list.current?.focus()}
        onAddFolder={awayReason ? undefined : () => void addFolder()}
        onPut={put}
        canPut={!awayReason}
        picker={picker}
        onShare={here && (() => setDialog({ kind: 'share', dataset: here.dataset, name: here.name }))}
      />
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
          onDataset={setDialog}
        />
        <div className="app-body" data-away={folder.away || undefined} data-dropping={drop.isOver || undefined} {...drop.handlers}>
          {search !== undefined && path !== undefined ? (
            <SearchResults device={device} folder={path} text={search} onClose={() => setSearch(undefined)} onGo={goTo} />
          ) : preview && path !== undefined ? (
            <LookWhole
              at={{ device, path: joinPath(path, preview.name), entry: preview }}
              onClose={() => setPreview(undefined)}
              onStep={step}
              onFollow={follow}
            />
          ) : folder.error !== undefined && !listing ? (
            <ErrorState
              title={isNotHere(folder.error) ? 'What is in here cannot be had now' : 'This folder could not be read'}
              error={folder.error}
              safe={isNotHere(folder.error) ? 'It is safe where it is, and is asked for again by itself.' : 'Nothing was changed.'}
              action={
                <>
                  <Button icon={<RotateCw aria-hidden="true" />} onClick={folder.reload}>
                    Try again
                  </Button>
                  {home !== undefined && path !== home && <Button onClick={() => go(home)}>Go home</Button>}
                </>
              }
            />
          ) : !isWaiting && entries.length > 0 ? (
            <EntryList
              nowMs={now}
              label={`Contents of ${path ?? 'home'}`}
              entries={entries}
              at={(entry) => ({ device, path: joinPath(path ?? '/', entry.name), entry })}
              view={view}
              selection={selection}
              onSelect={setSelection}
              onSort={(key: SortKey) => {
                const next = sortBy(view, key)
                setState({ sort: next.sort, descending: next.descending })
              }}
              onOpen={open}
              onMenu={handleMenu}
              onPress={(entry) => path !== undefined && void readyToDragOut({ device, path: joinPath(path, entry.name), entry })}
              onDrag={handleDrag}
              onKey={handleKey}
              renaming={renaming}
              onRename={handleRename}
              listRef={list}
            />
          ) : !isWaiting ? (
            <div
              ref={list}
              className="files-none"
              role="group"
              aria-label={`Contents of ${path ?? 'home'}`}
              tabIndex={0}
              onKeyDown={handleKey}
              onContextMenu={(event) => handleMenu(event, undefined)}
            >
              <EmptyFolder
                filter={filter}
                onSearch={searchAll}
                hidden={listing.entries.length}
                onClear={() => setFilter('')}
                onShowHidden={() => setState({ showHidden: true })}
                onAdd={awayReason ? undefined : () => void addFolder()}
                isElsewhere={isElsewhere}
              />
            </div>
          ) : folder.away && !listing ? (
            <EmptyState icon={<FolderSearch aria-hidden="true" />} title="Nothing kept here yet">
              Folders you have looked at stay in sight while their device is away.
            </EmptyState>
          ) : (
            late && <Reading path={path} part={folder.part} loading={here?.loading} />
          )}
        </div>
        {state.look && shown !== 'preview' && shown !== 'search' && (
          <LookPanel
            at={cursor && path !== undefined ? { device, path: joinPath(path, cursor.name), entry: cursor } : undefined}
            nowMs={now}
            onClose={toggleLook}
            onOpen={({ entry }) => open(entry)}
            onFollow={follow}
          />
        )}
      </div>
      {dialog && (
        <PaneDialogs
          dialog={dialog}
          path={path}
          entries={listing?.entries}
          onClose={closeDialog}
          onDataset={(name) => setState({ device: ELSEWHERE, path: `/${name}` })}
        />
      )}
      <TransferBar />
      <FilesStatus
        shown={entries.length}
        chosen={selection.names.size}
        truncated={listing?.truncated ?? false}
        holders={holders}
        unsafe={isElsewhere ? unsafe : 0}
        dataset={here}
        onPolicy={({ dataset, name }) => setDialog({ kind: 'policy', dataset, name })}
        isOld={folder.error !== undefined && listing !== undefined}
      />
    </div>
  )
}
