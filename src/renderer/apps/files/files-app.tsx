import { type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from 'react'
import { type AppStateOf, ELSEWHERE } from '../../../session/app-state.ts'
import { runWorkflowFile } from '../jobs/workflow-actions.ts'
import { openContextMenu, openMenu } from '../../ui/menu.tsx'
import { useIsLate, useNow, useOwnDevice } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { agoText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { ChosenBar, chosenText, hasChosenBar } from './chosen-bar.tsx'
import { createFileActions } from './file-actions.ts'
import type { PaneEntry } from './file-source.ts'
import { FilesBar } from './files-bar.tsx'
import { FilesStatus } from './files-status.tsx'
import { joinPath } from './home-path.ts'
import { LookPanel } from './look-panel.tsx'
import { PaneBody } from './pane-body.tsx'
import { type PaneDialog, PaneDialogs } from './pane-dialogs.tsx'
import { useDrop } from './pane-drop.ts'
import { handlePaneKey } from './pane-keys.ts'
import { paneMenu } from './pane-menu.ts'
import { Places } from './places.tsx'
import { TransferBar } from './transfer-bar.tsx'
import { type FolderHandle, useFolder } from './use-folder.ts'
import { useHolders } from './use-holders.ts'
import { usePaneMoves } from './use-pane-moves.ts'
import { usePaneView } from './use-pane-view.ts'
import { usePaneWork } from './use-pane-work.ts'
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

interface FolderPaneProps extends AppProps<FilesState> {
  readonly folder: FolderHandle
  readonly cameFrom: string | undefined
  readonly onLeave: (name: string | undefined) => void
}

function FolderPane({ state, setState, windowId, active, visible, folder, cameFrom, onLeave }: FolderPaneProps) {
  const pane = usePaneView(state, folder, visible, cameFrom)
  const { device, path, home, listing, entries, selection, isElsewhere, here, datasets, fixedReason, cursor } = pane
  const own = useOwnDevice()
  const now = useNow()
  const [dialog, setDialog] = useState<PaneDialog>()
  const root = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const focusList = () => list.current?.focus()
  const actions = createFileActions(device, path, folder.reload)
  const moves = usePaneMoves({ state, setState, windowId, pane, onLeave, explain: actions.explain })
  const work = usePaneWork(pane, actions, folder.reload, focusList)
  const drop = useDrop({ device, path, refusal: fixedReason, entries, reload: folder.reload })
  const holders = useHolders(selection.names.size === 1 ? entries.find(({ name }) => selection.names.has(name)) : undefined)
  const isLate = useIsLate(pane.isWaiting && folder.error === undefined && !folder.away)

  const ready = !pane.isWaiting
  useEffect(() => {
    if (active && ready && !root.current?.contains(document.activeElement)) list.current?.focus()
  }, [active, ready])
  const isWhole = moves.search !== undefined || moves.preview !== undefined
  const shown = isWhole ? 'whole' : !ready ? 'waiting' : entries.length > 0 ? 'list' : 'empty'
  useEffect(() => {
    // What had the focus went: the last row of a list, a preview that was closed.
    const isFolder = shown === 'list' || shown === 'empty'
    if (active && isFolder && document.activeElement === document.body) list.current?.focus()
  }, [active, shown])
  const hasBar = hasChosenBar(pane)
  useEffect(() => {
    if (active && !hasBar && document.activeElement === document.body) list.current?.focus() // the bar had it
  }, [active, hasBar])

  const toggleHidden = () => setState({ showHidden: !state.showHidden })
  const toggleLook = () => {
    setState({ look: !state.look })
    focusList()
  }
  const keys = { pane, moves, work, toggleLook, toggleHidden, reload: folder.reload }
  const handleKey = (event: KeyboardEvent) => handlePaneKey(event, keys)
  const menuOf = (entry: PaneEntry | undefined, at: string) =>
    paneMenu(entry, {
      ...keys,
      ...work,
      state,
      path: at,
      chosen: selection.names.size,
      isChoosing: pane.isChoosing,
      setChoosing: pane.setChoosing,
      fixed: fixedReason,
      away: pane.awayReason,
      dataset: here,
      open: moves.open,
      runWorkflow: device === own || isElsewhere ? (file) => void runWorkflowFile(device, file) : undefined,
      show: setDialog,
      copyPaths: (one) => actions.copyPaths(pane.meantBy(one).map(({ name }) => joinPath(at, name))),
      toggleTiles: () => setState({ view: state.view === 'grid' ? 'list' : 'grid' }),
    })
  const handleMenu = (event: MouseEvent<HTMLElement>, entry: PaneEntry | undefined) =>
    path !== undefined && openContextMenu(event, entry ? entry.name : 'Folder', menuOf(entry, path))
  return (
    <div ref={root} className="app files" data-keys={work.undone !== undefined && 'edits'}>
      <FilesBar
        state={state}
        setState={setState}
        path={path}
        home={home}
        filter={pane.filter}
        onFilter={pane.setFilter}
        onSearch={moves.searchAll}
        onGo={moves.go}
        onUp={moves.up}
        onDown={focusList}
        onAddFolder={work.addFolder}
        onPut={work.put}
        canPut={!fixedReason}
        onMenu={({ currentTarget }) =>
          path !== undefined && openMenu(currentTarget, 'This folder', menuOf(undefined, path), { align: 'end' })
        }
        picker={work.picker}
        onShare={here && (() => setDialog({ kind: 'share', dataset: here.dataset, name: here.name }))}
      />
      {folder.away && (
        <Strip kind="away">
          {listing
            ? `${pane.deviceName} is away. This is the folder as it was ${agoText(listing.readAtMs, now)}; its files open again when ${pane.deviceName} is back.`
            : `${pane.deviceName} is away.`}
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
          <PaneBody
            pane={pane}
            folder={folder}
            moves={moves}
            work={work}
            nowMs={now}
            isLate={isLate}
            listRef={list}
            onSort={setState}
            onShowHidden={() => setState({ showHidden: true })}
            onKey={handleKey}
            onMenu={handleMenu}
          />
        </div>
        {state.look && !isWhole && (
          <LookPanel
            at={cursor && path !== undefined ? { device, path: joinPath(path, cursor.name), entry: cursor } : undefined}
            many={selection.names.size > 1 ? chosenText(pane.chosen(), entries.length) : undefined}
            nowMs={now}
            onClose={toggleLook}
            onOpen={({ entry }) => moves.open(entry)}
            onFollow={moves.follow}
          />
        )}
      </div>
      {dialog && (
        <PaneDialogs
          dialog={dialog}
          path={path}
          entries={listing?.entries}
          onClose={() => {
            setDialog(undefined)
            focusList()
          }}
          onDataset={(name) => setState({ device: ELSEWHERE, path: `/${name}` })}
        />
      )}
      <TransferBar />
      <ChosenBar pane={pane} work={work} onKey={handleKey} />
      <FilesStatus
        shown={pane.isWaiting ? undefined : entries.length}
        truncated={listing?.truncated ?? false}
        holders={holders}
        unsafe={isElsewhere ? datasets.reduce((sum, { unsafeVersions }) => sum + unsafeVersions, 0) : 0}
        dataset={here}
        onPolicy={({ dataset, name }) => setDialog({ kind: 'policy', dataset, name })}
        isOld={folder.error !== undefined && listing !== undefined}
      />
    </div>
  )
}
