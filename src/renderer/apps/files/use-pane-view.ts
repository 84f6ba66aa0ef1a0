import { useMemo, useState } from 'react'
import { type AppStateOf, ELSEWHERE } from '../../../session/app-state.ts'
import { useDeviceName } from '../app-hooks.ts'
import type { PaneEntry } from './file-source.ts'
import type { FolderView } from './folder-view.ts'
import { keepExisting, NOTHING_SELECTED, type Selection, select } from './selection.ts'
import { useArranged } from './use-arranged.ts'
import { useDatasets } from './use-datasets.ts'
import type { FolderHandle } from './use-folder.ts'

const NO_ENTRIES: readonly PaneEntry[] = []

/** What a pane shows of its folder, what is chosen there, and why something cannot be done there. `cameFrom`: chosen at first. */
export function usePaneView(state: AppStateOf<'files'>, folder: FolderHandle, visible: boolean, cameFrom: string | undefined) {
  const { device } = state
  const { listing, home } = folder
  const path = state.path ?? home
  const deviceName = useDeviceName(device)
  const datasets = useDatasets(visible)
  const [filter, setFilter] = useState('')
  const [chosenHere, setSelection] = useState<Selection>(() =>
    cameFrom === undefined ? NOTHING_SELECTED : select(NOTHING_SELECTED, [], cameFrom, 'one'),
  )
  const [isChoosing, setChoosing] = useState(false)
  const view: FolderView = useMemo(
    () => ({ layout: state.view, sort: state.sort, descending: state.descending, hidden: state.showHidden }),
    [state.view, state.sort, state.descending, state.showHidden],
  )
  const arranged = useArranged(listing?.entries, view, filter)
  const entries = arranged ?? NO_ENTRIES
  const names = useMemo(() => entries.map((entry) => entry.name), [entries])
  const selection = useMemo(() => keepExisting(chosenHere, names), [chosenHere, names])
  const isElsewhere = device === ELSEWHERE
  const isTop = isElsewhere && path === '/'
  const awayReason = folder.away ? `${deviceName} is away` : undefined
  const chosen = () => entries.filter((entry) => selection.names.has(entry.name))
  return {
    device,
    deviceName,
    path,
    home,
    listing,
    view,
    filter,
    setFilter,
    entries,
    selection,
    setSelection,
    /** Each press chooses one more: how a finger chooses several. */
    isChoosing,
    setChoosing,
    isElsewhere,
    isTop,
    isWaiting: !listing || !arranged,
    datasets,
    /** The dataset this folder is in. */
    here: isElsewhere ? datasets.find(({ name }) => path === `/${name}` || path?.startsWith(`/${name}/`)) : undefined,
    /** Nothing can be read here. */
    awayReason,
    /** Nothing can be changed here. */
    fixedReason: awayReason ?? (isTop ? 'These are your datasets; open one' : undefined),
    cursor: entries.find((entry) => entry.name === selection.cursor),
    chosen,
    /** What is meant by something done to `entry`: all that is chosen, if it is. */
    meantBy: (entry: PaneEntry) => (selection.names.has(entry.name) ? chosen() : [entry]),
  }
}

export type PaneView = ReturnType<typeof usePaneView>
