import type { DatasetStore } from './dataset-store.ts'
import { FileError } from './file-error.ts'
import { type Head, losersOf, type NodeRecord, winnerOf } from './node-record.ts'
import { type Content, type NodeId, type OpBody, ROOT_NODE } from './op.ts'

/** What settles a conflict: each copy becomes a file of its own, the winner replaces all (rule FT6). Empty: there is none. */
export function settlingBodies(store: DatasetStore, id: NodeId): OpBody[] {
  const found = store.node(id)
  const record = found?.copyOf ? store.node(found.copyOf.node) : found
  if (!record || record.copies.length === 0) return []
  const winner = winnerOf(record)
  const copies = losersOf(record).flatMap((head, n): OpBody[] => {
    const copy = store.node(record.copies[n] as NodeId)
    if (!copy?.copyOf) return []
    const { parent, name, mode } = copy
    return [{ kind: 'create', node: copy.id, parent, name, mode, mtimeNs: head.mtimeNs, content: head.content }]
  })
  return [...copies, { kind: 'write', node: record.id, content: winner.content, mtimeNs: winner.mtimeNs, bases: basesOf(record) }]
}

/**
 * What brings a node back as `found` was, with the folders it lay in that are gone (rule FT10).
 * @throws FileError `file/not-found`
 */
export function restoringBodies(
  store: DatasetStore,
  record: NodeRecord,
  found: Head | undefined,
  isShown: (folder: NodeId) => boolean,
): OpBody[] {
  const content: Content | undefined = record.kind === 'folder' ? { kind: 'folder' } : found?.content
  if (!content || content.kind === 'removed') throw new FileError('file/not-found', 'that version is not kept any more')
  const bodies: OpBody[] = []
  const seen = new Set<NodeId>()
  for (let parent = record.parent; parent !== ROOT_NODE && !isShown(parent); ) {
    const folder = seen.has(parent) ? undefined : store.node(parent)
    seen.add(parent)
    if (!folder) {
      bodies.push({ kind: 'move', node: record.id, parent: ROOT_NODE })
      break
    }
    bodies.unshift({ kind: 'write', node: parent, content: { kind: 'folder' }, mtimeNs: folder.mtimeNs, bases: basesOf(folder) })
    parent = folder.parent
  }
  bodies.push({ kind: 'write', node: record.id, content, mtimeNs: found?.mtimeNs ?? record.mtimeNs, bases: basesOf(record) })
  return bodies
}

/** The versions that a change of this one replaces: all there are. */
export const basesOf = (record: NodeRecord) => record.heads.map(({ op }) => op)
