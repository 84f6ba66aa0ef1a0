import type { FileEntry } from '../../../files/home-files-contract.ts'

export type SortKey = 'name' | 'size' | 'modified' | 'kind'

/** How a folder is shown; lies in the tab's state and follows the person. */
export interface FolderView {
  readonly layout: 'list' | 'grid'
  readonly sort: SortKey
  readonly descending: boolean
  readonly hidden: boolean
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** What to show of a folder, in order: folders first, names as people count (2 before 10), ties by name. Pure. */
export function arrange<Entry extends FileEntry>(entries: readonly Entry[], view: FolderView, filter = ''): readonly Entry[] {
  const wanted = filter.trim().toLocaleLowerCase()
  const shown = entries.filter(
    (entry) => (view.hidden || !entry.hidden) && (wanted === '' || entry.name.toLocaleLowerCase().includes(wanted)),
  )
  const sign = view.descending ? -1 : 1
  return shown.sort((a, b) => {
    const folders = Number(b.kind === 'folder') - Number(a.kind === 'folder')
    return folders || sign * compare(a, b, view.sort) || collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1)
  })
}

function compare(a: FileEntry, b: FileEntry, sort: SortKey): number {
  switch (sort) {
    case 'name':
      return collator.compare(a.name, b.name)
    case 'size':
      return a.bytes - b.bytes
    case 'modified':
      return a.modifiedMs - b.modifiedMs
    case 'kind':
      return collator.compare(extension(a.name), extension(b.name))
  }
}

/** `notes.md` > `md`; none for `.profile` and `Makefile`. */
export function extension(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : ''
}

/** A press on a column: the same key turns the order round, another starts in its natural order (newest, largest first). */
export function sortBy(view: FolderView, key: SortKey): FolderView {
  if (view.sort === key) return { ...view, descending: !view.descending }
  return { ...view, sort: key, descending: key === 'size' || key === 'modified' }
}

/** Which rows to draw: the visible ones and a few around. `first` inclusive, `last` exclusive. */
export function visibleRows(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
  around = 8,
): { first: number; last: number } {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - around)
  const last = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + around)
  return { first: Math.min(first, Math.max(0, last)), last: Math.max(0, last) }
}

/** The scroll offset that brings a row into view, or the same one if it is. */
export function scrollToRow(scrollTop: number, height: number, rowHeight: number, row: number): number {
  const top = row * rowHeight
  if (top < scrollTop) return top
  return top + rowHeight > scrollTop + height ? top + rowHeight - height : scrollTop
}

/** Where a key moves the cursor among `count` entries laid out in `columns`; undefined: the key is not about moving. */
export function moveCursor(key: string, at: number, count: number, columns: number, page: number): number | undefined {
  const to = {
    ArrowDown: at + columns,
    ArrowUp: at - columns,
    ArrowRight: columns > 1 ? at + 1 : undefined,
    ArrowLeft: columns > 1 ? at - 1 : undefined,
    Home: 0,
    End: count - 1,
    PageDown: at + page,
    PageUp: at - page,
  }[key]
  if (to === undefined || count === 0) return undefined
  if ((key === 'ArrowDown' || key === 'ArrowUp') && (to < 0 || to >= count)) return at < 0 ? 0 : at
  return Math.max(0, Math.min(count - 1, to))
}

/** The entry that typing a few letters jumps to: first after the cursor whose name starts so, going round. */
export function typeAhead(entries: readonly Pick<FileEntry, 'name'>[], at: number, typed: string): number | undefined {
  const wanted = typed.toLocaleLowerCase()
  const from = typed.length > 1 ? Math.max(0, at) : at + 1 // another letter of one word may stay where it is
  for (let step = 0; step < entries.length; step++) {
    const index = (from + step + entries.length) % entries.length
    if (entries[index]?.name.toLocaleLowerCase().startsWith(wanted)) return index
  }
  return undefined
}
