/** Which entries of a folder are chosen: names, so that it survives sorting and reloading. */
export interface Selection {
  readonly names: ReadonlySet<string>
  /** Where a range starts. */
  readonly anchor: string | undefined
  /** Has the keyboard. */
  readonly cursor: string | undefined
}

export const NOTHING_SELECTED: Selection = { names: new Set(), anchor: undefined, cursor: undefined }

/** A press or a move to `name`: alone, added (Ctrl), or as a range from the anchor (Shift). `order` = names as shown. */
export function select(selection: Selection, order: readonly string[], name: string, how: 'one' | 'toggle' | 'range'): Selection {
  if (how === 'toggle') {
    const names = new Set(selection.names)
    if (!names.delete(name)) names.add(name)
    return { names, anchor: name, cursor: name }
  }
  if (how === 'range' && selection.anchor !== undefined) {
    const from = order.indexOf(selection.anchor)
    const to = order.indexOf(name)
    if (from >= 0 && to >= 0) {
      return { names: new Set(order.slice(Math.min(from, to), Math.max(from, to) + 1)), anchor: selection.anchor, cursor: name }
    }
  }
  return { names: new Set([name]), anchor: name, cursor: name }
}

export const selectAll = (order: readonly string[], selection: Selection): Selection => ({ ...selection, names: new Set(order) })

/** What is chosen once all that was is gone: what came after it, else what came before. */
export function selectAfter(selection: Selection, order: readonly string[]): Selection {
  const last = order.findLastIndex((name) => selection.names.has(name))
  const next = order.slice(last + 1).find((name) => !selection.names.has(name))
  const name = next ?? order.slice(0, last + 1).findLast((one) => !selection.names.has(one))
  return name === undefined ? NOTHING_SELECTED : select(NOTHING_SELECTED, order, name, 'one')
}

/** So many names are looked up one by one: quicker than a set of all that are there, in a folder of 100,000. */
const FEW = 8

/** After the folder changed: what is gone is no longer chosen. Returns `selection` itself when nothing changed. */
export function keepExisting(selection: Selection, order: readonly string[]): Selection {
  const there = selection.names.size > FEW ? new Set(order) : undefined
  const isThere = (name: string) => there?.has(name) ?? order.includes(name)
  const kept = (name: string | undefined) => (name !== undefined && isThere(name) ? name : undefined)
  const names = [...selection.names].filter(isThere)
  if (names.length === selection.names.size && kept(selection.cursor) === selection.cursor && kept(selection.anchor) === selection.anchor) {
    return selection
  }
  return { names: new Set(names), anchor: kept(selection.anchor), cursor: kept(selection.cursor) }
}
