import type { DatasetStore } from './dataset-store.ts'
import type { NodeRecord } from './node-record.ts'
import { isLater, type NodeId } from './op.ts'
import { firstNameOf, secondName, wholeSecondName } from './shown-name.ts'

/**
 * Brings what the nodes of one name in a folder are shown as in order (rule FT7): the first to have the name has it, every later one carries
 * letters of its id. A name that so became another one's is taken: who has it by its own name carries letters, too. It depends on
 * the names of the listed nodes alone, never on what came first.
 *
 * `left`: what one of them was shown as before the change, which may be free now.
 * @returns the nodes that are shown as something else now
 */
export function nameAll(store: DatasetStore, parent: NodeId, name: string, left?: string): readonly NodeId[] {
  const changed: NodeId[] = []
  // What was given or is free again, and is somebody's own name, perhaps.
  const given = new Set<string>(left === undefined || left === name ? [] : [left])
  const ids = store.namesakes(parent, name)
  const isPlain = ids.length === 1 && store.shownName(ids[0] as NodeId) === name && firstNameOf(name) === undefined
  if (ids.length > 0 && !isPlain) {
    for (const { record, shown } of shownIn(store, parent, name)) {
      const before = store.shownName(record.id)
      if (before === shown) continue
      store.putNode(record, shown)
      changed.push(record.id)
      for (const one of [before, shown]) if (one !== undefined && one !== name) given.add(one)
    }
  }
  for (const one of given) changed.push(...nameAll(store, parent, one))
  return changed
}

/** The listed nodes of one name, the first to have it first, and what each is shown as. */
function shownIn(store: DatasetStore, parent: NodeId, name: string): { record: NodeRecord; shown: string }[] {
  const records = store.namesakes(parent, name).map((id) => store.node(id) as NodeRecord)
  if (records.length === 0) return []
  records.sort((a, b) => (isLater(a.nameAt, b.nameAt) || (isSameMark(a, b) && a.id > b.id) ? 1 : -1))
  const used = new Set<string>()
  const isFree = !isSecondName(store, parent, name)
  return records.map((record, n) => {
    if (n === 0 && isFree) return { record, shown: name }
    const second = secondName(name, record.id)
    const shown = used.has(second) ? wholeSecondName(name, record.id) : second
    used.add(second)
    return { record, shown }
  })
}

/** Is it what a node of another name is shown as? Ends: that name is shorter. */
function isSecondName(store: DatasetStore, parent: NodeId, name: string): boolean {
  const first = firstNameOf(name)
  return first !== undefined && shownIn(store, parent, first).some(({ shown }) => shown === name)
}

const isSameMark = (a: NodeRecord, b: NodeRecord): boolean => a.nameAt.stamp === b.nameAt.stamp && a.nameAt.op === b.nameAt.op
