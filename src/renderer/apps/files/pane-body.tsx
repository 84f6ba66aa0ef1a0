import { FolderSearch, RotateCw } from 'lucide-react'
import type { KeyboardEvent, MouseEvent, RefObject } from 'react'
import { errorCode } from '../../../base/errors.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { EmptyFolder } from './empty-folder.tsx'
import { EntryList } from './entry-list.tsx'
import type { PaneEntry } from './file-source.ts'
import { sortBy, type SortKey } from './folder-view.ts'
import { joinPath } from './home-path.ts'
import { LookWhole } from './look-whole.tsx'
import { Reading } from './reading.tsx'
import { SearchResults } from './search-results.tsx'
import type { FolderHandle } from './use-folder.ts'
import type { PaneMoves } from './use-pane-moves.ts'
import type { PaneView } from './use-pane-view.ts'
import type { PaneWork } from './use-pane-work.ts'

export interface PaneBodyProps {
  readonly pane: PaneView
  readonly folder: FolderHandle
  readonly moves: PaneMoves
  readonly work: PaneWork
  readonly nowMs: number
  /** It takes long enough to say so. */
  readonly isLate: boolean
  readonly listRef: RefObject<HTMLDivElement | null>
  readonly onSort: (change: { sort: SortKey; descending: boolean }) => void
  readonly onShowHidden: () => void
  readonly onKey: (event: KeyboardEvent) => void
  readonly onMenu: (event: MouseEvent<HTMLElement>, entry: PaneEntry | undefined) => void
}

/** It is on other devices, and they do not bring it. */
const isNotHere = (error: unknown): boolean => ['chunk/unavailable', 'dataset/loading'].includes(errorCode(error) ?? '')

/** What stands in the middle of a pane: a search, a preview, the folder, or why there is none. */
export function PaneBody(props: PaneBodyProps) {
  const { pane, folder, moves, work } = props
  const { device, path, entries, isWaiting, listing } = pane
  const { search, preview } = moves
  if (search !== undefined && path !== undefined)
    return <SearchResults device={device} folder={path} text={search} onClose={() => moves.setSearch(undefined)} onGo={moves.goTo} />
  if (preview && path !== undefined)
    return (
      <LookWhole
        at={{ device, path: joinPath(path, preview.name), entry: preview }}
        onClose={() => moves.setPreview(undefined)}
        onStep={moves.step}
        onFollow={moves.follow}
      />
    )
  if (folder.error !== undefined && !listing) return <NotRead {...props} />
  if (!isWaiting && entries.length > 0)
    return (
      <EntryList
        nowMs={props.nowMs}
        label={`Contents of ${path ?? 'home'}`}
        entries={entries}
        at={(entry) => ({ device, path: joinPath(path ?? '/', entry.name), entry })}
        view={pane.view}
        selection={pane.selection}
        onSelect={pane.setSelection}
        isChoosing={pane.isChoosing}
        onSort={(key) => {
          const { sort, descending } = sortBy(pane.view, key)
          props.onSort({ sort, descending })
        }}
        onOpen={moves.open}
        onMenu={props.onMenu}
        onPress={work.press}
        onDrag={work.drag}
        onKey={props.onKey}
        renaming={work.renaming}
        onRename={work.endRename}
        listRef={props.listRef}
      />
    )
  if (!isWaiting) return <NothingHere {...props} />
  if (folder.away && !listing)
    return (
      <EmptyState icon={<FolderSearch aria-hidden="true" />} title={`It opens when ${pane.deviceName} is back`}>
        Folders you have looked at on this display stay in sight meanwhile.
      </EmptyState>
    )
  return props.isLate && <Reading path={path} part={folder.part} loading={pane.here?.loading} />
}

function NotRead({ pane: { path, home }, folder, moves }: PaneBodyProps) {
  const { error, reload } = folder
  return (
    <ErrorState
      title={isNotHere(error) ? 'What is in here cannot be had now' : 'This folder could not be read'}
      error={error}
      safe={isNotHere(error) ? 'It is safe where it is, and is asked for again by itself.' : 'Nothing was changed.'}
      action={
        <>
          <Button icon={<RotateCw aria-hidden="true" />} onClick={reload}>
            Try again
          </Button>
          {home !== undefined && path !== home && <Button onClick={() => moves.go(home)}>Go home</Button>}
        </>
      }
    />
  )
}

function NothingHere({ pane, moves, work, listRef, onKey, onMenu, onShowHidden }: PaneBodyProps) {
  return (
    <div
      ref={listRef}
      className="files-none"
      role="group"
      aria-label={`Contents of ${pane.path ?? 'home'}`}
      tabIndex={0}
      onKeyDown={onKey}
      onContextMenu={(event) => onMenu(event, undefined)}
    >
      <EmptyFolder
        filter={pane.filter}
        onSearch={moves.searchAll}
        hidden={pane.listing?.entries.length ?? 0}
        onClear={() => pane.setFilter('')}
        onShowHidden={onShowHidden}
        onAdd={work.addFolder}
        isElsewhere={pane.isElsewhere}
      />
    </div>
  )
}
