import { FileError } from './file-error.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { OpenDataset } from './open-dataset.ts'
import { sameManifest } from './manifest.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { type Content, type NodeId, type OpId, ROOT_NODE } from './op.ts'
import type { PastTree } from './past-tree.ts'

/**
 * Makes an earlier version the newest one, or brings back what was removed. Its bytes are brought here first: others may let go of
 * what history no longer shows, and whoever names it anew answers for it (rule GC3).
 * @throws ContentError `chunk/unavailable`; FileError `file/not-found`
 */
export async function restoreVersion(open: OpenDataset, id: NodeId, version: OpId | undefined, signal: AbortSignal): Promise<DatasetNode> {
  const within = version === undefined ? removedWith(open, id) : []
  const node = await restoreOne(open, id, version, signal)
  for (const one of within) await restoreOne(open, one, undefined, signal)
  return node
}

async function restoreOne({ dataset }: OpenDataset, id: NodeId, version: OpId | undefined, signal: AbortSignal): Promise<DatasetNode> {
  const manifest = dataset.restorable(id, version)
  const hold = dataset.holds.hold(() => (manifest ? [manifest] : []))
  try {
    if (manifest) await dataset.bringHere(manifest, signal)
    return dataset.restore(id, version)
  } finally {
    hold.dispose()
  }
}

/** What was removed in one step with a folder: its removals come right before the folder's own, what lies in a folder before it. */
function removedWith({ store }: OpenDataset, id: NodeId): NodeId[] {
  const folder = store.node(id)
  const [head] = folder?.heads ?? []
  if (folder?.kind !== 'folder' || head?.content.kind !== 'removed') return []
  const [log, number] = placeOf(head.op)
  const byNumber = new Map<number, NodeRecord>()
  for (const record of store.removedNodes()) {
    const [of, at] = placeOf((record.heads[0] as Head).op)
    if (of === log && at < number) byNumber.set(at, record)
  }
  const inside = new Set([id])
  const found: NodeId[] = []
  for (let at = number - 1; ; at--) {
    const record = byNumber.get(at)
    if (!record || !inside.has(record.parent)) return found
    inside.add(record.id)
    found.push(record.id)
  }
}

const placeOf = (op: OpId): readonly [log: string, number: number] => {
  const dot = op.indexOf('.')
  return [op.slice(0, dot), Number(op.slice(dot + 1))]
}

/** Makes a file or folder what it was, with all that was in it; what came to it since stays. Undone by restoring again. */
export async function restorePast(
  open: OpenDataset,
  past: PastTree,
  id: NodeId,
  signal: AbortSignal,
): Promise<{ restored: number; missing: number }> {
  const { dataset } = open
  let [restored, missing] = [0, 0]
  const visit = async (node: DatasetNode): Promise<void> => {
    signal.throwIfAborted()
    const before = dataset.node(node.id)
    let isChanged = false
    if (node.kind === 'folder') {
      if (!before && node.id !== ROOT_NODE) {
        dataset.restore(node.id)
        isChanged = true
      }
    } else {
      const { kept } = past.versionOf(node.id)
      if (!kept) {
        missing++
        return
      }
      const content = kept.content
      const isSame =
        before !== undefined &&
        (content.kind === 'file'
          ? before.kind === 'file' && sameManifest(before.manifest, content.manifest)
          : before.target === node.target)
      if (!isSame) {
        if (!node.isConflictCopy) await restoreVersion(open, node.id, kept.op, signal)
        else if (!(await restoreCopy(open, node, content, signal))) {
          missing++
          return
        }
        isChanged = true
      }
    }
    if (putInPlace(open, node)) isChanged = true
    if (isChanged) restored++
    if (node.kind === 'folder') for (const child of past.view.children(node.id)) await visit(child)
  }
  await visit(past.view.require(id))
  return { restored, missing }
}

/**
 * What was a conflict copy then, and is none of that content now: the file it became, or one of its own. Its versions are those of the
 * file it lost against. @returns false: something else has its place
 */
async function restoreCopy({ dataset, store }: OpenDataset, node: DatasetNode, content: Content, signal: AbortSignal): Promise<boolean> {
  const { id, parent, name, mode, mtimeNs } = node
  const record = store.node(id)
  if (content.kind !== 'file' || record?.copyOf || (record && record.kind !== 'file')) return false
  const { manifest } = content
  const hold = dataset.holds.hold(() => [manifest])
  try {
    await dataset.bringHere(manifest, signal)
    if (record) dataset.setContent(id, undefined, manifest, { mtimeNs })
    else dataset.createFile(parent, name, { manifest, mode, mtimeNs })
    return true
  } catch (error) {
    if (error instanceof FileError) return false
    throw error
  } finally {
    hold.dispose()
  }
}

/** A name or folder that is another now; where something else has its place it stays where it is. */
function putInPlace({ dataset }: OpenDataset, { id, parent, name }: DatasetNode): boolean {
  const now = dataset.node(id)
  if (!now || id === ROOT_NODE || now.isConflictCopy || (now.parent === parent && now.name === name)) return false
  if (parent !== ROOT_NODE && !dataset.node(parent)) return false
  try {
    dataset.move(id, parent, name)
    return true
  } catch (error) {
    if (error instanceof FileError) return false
    throw error
  }
}
