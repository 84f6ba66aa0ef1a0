import { useState } from 'react'
import type { AppStateOf } from '../../../session/app-state.ts'
import { openApp, openTab } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import type { PaneEntry } from './file-source.ts'
import type { LookAt } from './file-view.ts'
import { baseName, joinPath, parentPath } from './home-path.ts'
import { fileUse } from './look-kind.ts'
import { markdownTarget } from './markdown-link.ts'
import { NOTHING_SELECTED, select } from './selection.ts'
import type { PaneView } from './use-pane-view.ts'

interface PaneMovesParts extends Pick<AppProps<AppStateOf<'files'>>, 'state' | 'setState' | 'windowId'> {
  readonly pane: PaneView
  /** What is to be chosen in the folder that one comes to. */
  readonly onLeave: (name: string | undefined) => void
  readonly explain: (entry: PaneEntry) => void
}

/** Where a pane goes: into folders, files, previews, what a search found, and back. */
export function usePaneMoves({ state, setState, windowId, pane, onLeave, explain }: PaneMovesParts) {
  const [search, setSearch] = useState<string>()
  const [preview, setPreview] = useState<PaneEntry>()
  const { device, path, home, entries, filter, isTop, isElsewhere, setFilter, setSelection } = pane
  const choose = (name: string) => setSelection(select(NOTHING_SELECTED, [], name, 'one'))
  const show = (folder: string) => setState({ path: folder === home ? null : folder })

  const go = (to: string) => {
    onLeave(path !== undefined && parentPath(path) === to ? baseName(path) : undefined)
    show(to)
  }
  const open = (entry: PaneEntry, beside = false) => {
    if (path === undefined) return
    const at = joinPath(path, entry.name)
    const use = fileUse(entry)
    if (use === 'folder') return beside ? openTab(windowId, { ...state, path: at }) : go(at)
    if (use === 'look') return setPreview(entry)
    if (use === 'text') openApp({ kind: 'editor', device, path: at, textDoc: null, version: null })
    else explain(entry)
  }
  /** To an entry of another folder, or of this one, which is then chosen. */
  const goTo = (to: string, name: string) => {
    setSearch(undefined)
    setPreview(undefined)
    setFilter('')
    choose(name)
    onLeave(name)
    show(to)
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
    choose(next.name)
  }
  const canSearch = !pane.awayReason && filter.trim() !== '' && path !== undefined && !isTop
  const canGoUp = path !== undefined && home !== undefined && (path !== home || isElsewhere) && path !== '/'
  return {
    search,
    setSearch,
    preview,
    setPreview,
    go,
    open,
    goTo,
    follow,
    step,
    /** Looks in the folders below too; undefined where the place cannot. */
    searchAll: canSearch ? () => setSearch(filter.trim()) : undefined,
    up: canGoUp ? () => go(parentPath(path)) : undefined,
  }
}

export type PaneMoves = ReturnType<typeof usePaneMoves>
