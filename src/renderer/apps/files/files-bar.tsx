import { ArrowUp, Ellipsis, Eye, EyeOff, FolderPlus, LayoutGrid, List, PanelRight, Upload, UserPlus } from 'lucide-react'
import type { MouseEvent, RefObject } from 'react'
import { type AppStateOf, ELSEWHERE } from '../../../session/app-state.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { DeviceChooser } from '../device-chooser.tsx'
import { Crumbs } from './crumbs.tsx'

export interface FilesBarProps {
  readonly state: AppStateOf<'files'>
  readonly setState: (change: Partial<AppStateOf<'files'>>) => void
  readonly path: string | undefined
  readonly home: string | undefined
  readonly filter: string
  readonly onFilter: (text: string) => void
  /** Looks in the folders below too; undefined where the place cannot. */
  readonly onSearch: (() => void) | undefined
  readonly onGo: (path: string) => void
  /** To the folder above; undefined at the top. */
  readonly onUp: (() => void) | undefined
  /** From the filter down into the list. */
  readonly onDown: () => void
  /** Undefined while nothing can be put here. */
  readonly onAddFolder: (() => void) | undefined
  readonly onPut: (files: readonly File[]) => void
  readonly canPut: boolean
  /** Who has this dataset; undefined outside of one. */
  readonly onShare: (() => void) | undefined
  /** All that can be done with the folder, also where its buttons have no room. */
  readonly onMenu: (event: MouseEvent<HTMLElement>) => void
  readonly picker: RefObject<HTMLInputElement | null>
}

/** Where the pane is, what of it is shown, and what can be put into it. */
export function FilesBar(props: FilesBarProps) {
  const { state, setState, home, picker } = props
  const isElsewhere = state.device === ELSEWHERE
  return (
    <div className="app-bar" role="toolbar" aria-label="Files">
      <DeviceChooser device={state.device} label="Place" withElsewhere onChoose={(device) => setState({ device, path: null })} />
      <span className="app-separator" />
      <IconButton
        label="Up one folder"
        shortcut="Backspace"
        icon={<ArrowUp aria-hidden="true" />}
        aria-disabled={!props.onUp}
        onClick={props.onUp}
      />
      <Crumbs path={props.path} home={isElsewhere ? '/' : home} homeName={isElsewhere ? 'Elsewhere' : 'Home'} onGo={props.onGo} />
      <input
        className="app-filter"
        type="search"
        aria-label="Filter this folder"
        placeholder="Filter"
        spellCheck={false}
        value={props.filter}
        onChange={(event) => props.onFilter(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') props.onDown()
          else if (event.key === 'Escape') props.onFilter('')
          else if (event.key === 'Enter' && props.onSearch) {
            event.preventDefault() // the button that gets the focus would be pressed by it
            props.onSearch()
          }
        }}
      />
      <IconButton
        className="files-wide"
        label="New folder"
        icon={<FolderPlus aria-hidden="true" />}
        aria-disabled={!props.onAddFolder}
        onClick={props.onAddFolder}
      />
      <IconButton
        className="files-wide"
        label="Put files here"
        icon={<Upload aria-hidden="true" />}
        aria-disabled={!props.canPut}
        onClick={props.canPut ? () => picker.current?.click() : undefined}
      />
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-label="Files to put here"
        onChange={(event) => {
          props.onPut([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
      {props.onShare && <IconButton className="files-wide" label="Share" icon={<UserPlus aria-hidden="true" />} onClick={props.onShare} />}
      <IconButton
        className="files-wide"
        label={state.showHidden ? 'Hide hidden files' : 'Show hidden files'}
        shortcut="Ctrl+H"
        icon={state.showHidden ? <Eye aria-hidden="true" /> : <EyeOff aria-hidden="true" />}
        onClick={() => setState({ showHidden: !state.showHidden })}
      />
      <IconButton
        className="files-wide"
        label={state.view === 'list' ? 'Show as tiles' : 'Show as a list'}
        icon={state.view === 'list' ? <LayoutGrid aria-hidden="true" /> : <List aria-hidden="true" />}
        onClick={() => setState({ view: state.view === 'list' ? 'grid' : 'list' })}
      />
      <IconButton
        className="files-wide"
        label={state.look ? 'Close quick look' : 'Quick look'}
        shortcut="Space"
        icon={<PanelRight aria-hidden="true" />}
        aria-pressed={state.look}
        onClick={() => setState({ look: !state.look })}
      />
      <IconButton label="This folder" aria-haspopup="menu" icon={<Ellipsis aria-hidden="true" />} onClick={props.onMenu} />
    </div>
  )
}
