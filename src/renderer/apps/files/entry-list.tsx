import { ArrowDown, ArrowUp } from 'lucide-react'
import {
  type DragEvent,
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { useCoarse } from '../app-hooks.ts'
import { bytesText, momentText } from '../plain-words.ts'
import { EntryIcon } from './entry-icon.tsx'
import { EntryPicture } from './entry-picture.tsx'
import { FileName } from './file-name.tsx'
import type { PaneEntry } from './file-source.ts'
import type { LookAt } from './file-view.ts'
import { type FolderView, moveCursor, scrollToRow, type SortKey, typeAhead, visibleRows } from './folder-view.ts'
import { NameField } from './name-field.tsx'
import { type Selection, select, selectAll } from './selection.ts'
import { WhereBadge, WhereCell, whereOf } from './where-mark.tsx'

export interface EntryListProps {
  readonly label: string
  readonly entries: readonly PaneEntry[]
  /** Where an entry lies; its small picture is read from there. */
  readonly at: (entry: PaneEntry) => LookAt
  readonly view: FolderView
  /** The moment now: what changed today is told by the hour. */
  readonly nowMs: number
  readonly selection: Selection
  readonly onSelect: (selection: Selection) => void
  /** Each press adds or takes one away: how a finger chooses several. */
  readonly isChoosing: boolean
  readonly onSort: (key: SortKey) => void
  readonly onOpen: (entry: PaneEntry) => void
  readonly onMenu: (event: MouseEvent<HTMLElement>, entry: PaneEntry | undefined) => void
  /** The button of a mouse went down on it, these being chosen now: a drag of them may follow. */
  readonly onPress: (names: ReadonlySet<string>) => void
  readonly onDrag: (event: DragEvent, entry: PaneEntry) => void
  /** Keys that are not about moving and choosing. */
  readonly onKey: (event: KeyboardEvent) => void
  /** The entry whose name is being changed. */
  readonly renaming: string | undefined
  readonly onRename: (name: string | undefined) => void
  readonly listRef: RefObject<HTMLDivElement | null>
}

const ROW_PX = 28
/** For a finger. */
const TOUCH_ROW_PX = 40
/** Free space above the first and below the last row. */
const LIST_EDGE_PX = 4
const TILE_WIDTH_PX = 108
const TILE_HEIGHT_PX = 112
/** Letters typed within this time belong to one word. */
const TYPE_AHEAD_MS = 800

/** Entries as rows or tiles. Only those in sight are in the page: 100,000 scroll as smoothly as 20. One stop of the Tab key. */
export function EntryList(props: EntryListProps) {
  const { entries, view, selection, listRef } = props
  const [box, setBox] = useState({ top: 0, width: 600, height: 400 })
  const typed = useRef({ text: '', atMs: 0 })
  const order = useMemo(() => entries.map((entry) => entry.name), [entries])
  const at = useMemo(() => (selection.cursor === undefined ? -1 : order.indexOf(selection.cursor)), [order, selection.cursor])
  const grid = view.layout === 'grid'
  const isTouch = useCoarse()
  const columns = grid ? Math.max(1, Math.floor((box.width - 16) / TILE_WIDTH_PX)) : 1
  // What is left over is shared out; a few tiles do not drift apart.
  const tilePx = Math.min(TILE_WIDTH_PX * 1.4, (box.width - 16) / columns)
  const rowPx = grid ? TILE_HEIGHT_PX : isTouch ? TOUCH_ROW_PX : ROW_PX
  const rows = Math.ceil(entries.length / columns)
  const { first, last } = visibleRows(box.top, box.height, rowPx, rows)

  useLayoutEffect(() => {
    const element = listRef.current
    if (!element) return
    const measure = () => setBox({ top: element.scrollTop, width: element.clientWidth, height: element.clientHeight })
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    element.addEventListener('scroll', measure, { passive: true })
    measure()
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', measure)
    }
  }, [listRef])

  useEffect(() => {
    const element = listRef.current
    if (!element || at < 0) return
    element.scrollTop = scrollToRow(element.scrollTop, element.clientHeight - 2 * LIST_EDGE_PX, rowPx, Math.floor(at / columns))
  }, [listRef, at, rowPx, columns])

  const choose = (index: number, how: 'one' | 'toggle' | 'range') => {
    const name = order[index]
    if (name === undefined) return selection
    const next = select(selection, order, name, how)
    props.onSelect(next)
    return next
  }
  const press = (event: PointerEvent, index: number, name: string) => {
    const isChosen = selection.names.has(name)
    const isPlain = event.button === 0 && !event.ctrlKey && !event.shiftKey
    if (event.button === 2 && isChosen) return
    const mayDragMany = isPlain && !props.isChoosing && isChosen && selection.names.size > 1
    const isToggle = event.ctrlKey || event.metaKey || (props.isChoosing && event.button === 0)
    const how = event.shiftKey ? 'range' : isToggle ? 'toggle' : 'one'
    const { names } = mayDragMany ? selection : choose(index, how)
    if (event.button === 0 && event.pointerType === 'mouse') props.onPress(names.has(name) ? names : new Set([name]))
  }
  const handleKey = (event: KeyboardEvent) => {
    if (props.renaming !== undefined) return
    const to =
      event.altKey || event.metaKey
        ? undefined
        : moveCursor(event.key, at, entries.length, columns, Math.max(1, Math.floor(box.height / rowPx) - 1) * columns)
    const entry = entries[at]
    if (to !== undefined) choose(to, event.shiftKey ? 'range' : 'one')
    else if (event.key === 'Enter' && entry) props.onOpen(entry)
    else if (event.key === ' ' && event.ctrlKey && at >= 0) choose(at, 'toggle')
    else if (event.key === 'a' && event.ctrlKey) props.onSelect(selectAll(order, selection))
    else if (event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.altKey && !event.metaKey) {
      const now = event.timeStamp
      const text = now - typed.current.atMs < TYPE_AHEAD_MS ? typed.current.text + event.key : event.key
      typed.current = { text, atMs: now }
      const found = typeAhead(entries, at, text)
      if (found !== undefined) choose(found, 'one')
    } else return props.onKey(event)
    event.preventDefault()
    event.stopPropagation()
  }

  const isShared = useMemo(() => entries.some(({ shared }) => shared), [entries])
  return (
    <div className="files-table" role="presentation" data-shared={isShared || undefined}>
      {!grid && <Columns view={view} onSort={props.onSort} isShared={isShared} />}
      <div
        ref={listRef}
        className="files-list"
        data-layout={view.layout}
        role="listbox"
        aria-label={props.label}
        aria-multiselectable="true"
        aria-activedescendant={at >= first * columns && at < last * columns ? `${props.label}-${at}` : undefined}
        tabIndex={0}
        onKeyDown={handleKey}
        onFocus={() => at < 0 && entries.length > 0 && selection.names.size === 0 && choose(0, 'one')}
        onContextMenu={(event) => props.onMenu(event, entries[at])}
        onPointerDown={(event) => event.target === event.currentTarget && props.onSelect({ ...selection, names: new Set() })}
      >
        <div role="presentation" style={{ height: rows * rowPx + 16 }} />
        {entries.slice(first * columns, last * columns).map((entry, offset) => {
          const index = first * columns + offset
          const chosen = selection.names.has(entry.name)
          return (
            <div
              key={entry.name}
              id={`${props.label}-${index}`}
              role="option"
              aria-selected={chosen}
              aria-posinset={index + 1}
              aria-setsize={entries.length}
              aria-label={describe(entry)}
              className={grid ? 'files-tile' : 'files-row'}
              data-cursor={entry.name === selection.cursor || undefined}
              data-hidden={entry.hidden || undefined}
              draggable={props.renaming !== entry.name}
              style={
                grid
                  ? {
                      top: 8 + Math.floor(index / columns) * rowPx,
                      left: 8 + (index % columns) * tilePx,
                      width: tilePx - 8,
                      height: rowPx - 8,
                    }
                  : { top: LIST_EDGE_PX + index * rowPx, height: rowPx }
              }
              onPointerDown={(event) => press(event, index, entry.name)}
              onClick={(event) => {
                if (event.ctrlKey || event.shiftKey || event.metaKey || props.isChoosing) return
                // A finger has no double press: one opens.
                if ((event.nativeEvent as globalThis.PointerEvent).pointerType === 'touch') props.onOpen(entry)
                else if (selection.names.size > 1) choose(index, 'one')
              }}
              onDoubleClick={() => props.onOpen(entry)}
              onContextMenu={(event) => props.onMenu(event, entry)}
              onDragStart={(event) => props.onDrag(event, entry)}
            >
              {grid ? <EntryPicture at={props.at(entry)} /> : <EntryIcon entry={entry} />}
              {props.renaming === entry.name ? (
                <NameField name={entry.name} taken={new Set(order)} onDone={props.onRename} />
              ) : (
                <EntryName name={entry.name} isTile={grid} />
              )}
              {grid && entry.kind === 'file' && entry.shared && <WhereBadge shared={entry.shared} />}
              {!grid && (
                <>
                  <span className="files-cell numbers">{momentText(entry.modifiedMs, props.nowMs)}</span>
                  <span className="files-cell numbers">{entry.kind === 'folder' ? '' : bytesText(entry.bytes)}</span>
                  {entry.shared && <WhereCell shared={entry.shared} isFile={entry.kind === 'file'} />}
                </>
              )}
            </div>
          )
        })}
      </div>
    </div>
  )
}

function EntryName({ name, isTile }: { name: string; isTile: boolean }) {
  if (!isTile) return <FileName name={name} />
  return (
    <span className="files-name" dir="auto" title={name}>
      {name}
    </span>
  )
}

function describe(entry: PaneEntry): string {
  const what = { file: 'file', folder: 'folder', link: 'link', other: 'special file' }[entry.kind]
  const size = entry.kind === 'file' ? `, ${bytesText(entry.bytes)}` : ''
  const where =
    entry.shared && (entry.kind === 'file' || entry.shared.isLocal)
      ? `, ${entry.shared.isConflictCopy ? 'a conflict copy, ' : ''}${whereOf(entry.shared).sentence}`
      : ''
  return `${entry.name}, ${what}${size}${where}`
}

const COLUMNS: readonly { readonly key: SortKey; readonly label: string }[] = [
  { key: 'name', label: 'Name' },
  { key: 'modified', label: 'Changed' },
  { key: 'size', label: 'Size' },
]

function Columns({ view, onSort, isShared }: { view: FolderView; onSort: (key: SortKey) => void; isShared: boolean }) {
  return (
    <div className="files-columns" role="group" aria-label="Sort by">
      {COLUMNS.map(({ key, label }) => (
        <button key={key} type="button" aria-pressed={view.sort === key} onClick={() => onSort(key)}>
          {label}
          {view.sort === key && (view.descending ? <ArrowDown aria-label="descending" /> : <ArrowUp aria-label="ascending" />)}
        </button>
      ))}
      {isShared && <span className="files-column">Where</span>}
    </div>
  )
}
