import type { DatasetNodeInfo } from './dataset-contract.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { OpenDataset } from './open-dataset.ts'
import type { PastTree } from './past-tree.ts'

export const msOf = (ns: bigint): number => Number(ns / 1_000_000n)

/** A node as displays are told of it. */
export function infoOf(open: OpenDataset, node: DatasetNode): DatasetNodeInfo {
  const { id, parent, name, kind, mode, mtimeNs, changedMs, bytes, version, target, isConflictCopy, hasConflict, isClockAhead } = node
  const pinned = open.pins.pinOf(node)
  return {
    node: id,
    parent,
    name,
    kind,
    mode,
    mtimeMs: msOf(mtimeNs),
    changedMs,
    bytes,
    version,
    ...(target !== undefined && { target }),
    isConflictCopy,
    hasConflict,
    ...(isClockAhead && { isClockAhead }),
    place: kind === 'file' ? open.placeOf(node.manifest) : 'here',
    isSafe: kind !== 'file' || open.isSafe(version, bytes),
    ...(pinned && { pinned }),
  }
}

/** As infoOf, of something in a folder of this device only, or such a folder. */
export function localInfoOf(open: OpenDataset, node: DatasetNode): DatasetNodeInfo {
  const parent = open.local.parentOf(node) ?? node.parent
  return { ...infoOf(open, node), parent, place: 'here', isSafe: true, isLocal: true }
}

/** As infoOf, of a tree of the past: with the version that is kept of what was there. */
export function pastInfoOf(open: OpenDataset, past: PastTree, node: DatasetNode): DatasetNodeInfo {
  const info = infoOf(open, node)
  if (node.kind === 'folder') return { ...info, past: 'exact' }
  const { kept, isExact } = past.versionOf(node.id)
  if (!kept) return { ...info, place: 'away', past: 'gone' }
  if (isExact || kept.content.kind !== 'file') return { ...info, past: isExact ? 'exact' : 'earlier' }
  const { manifest } = kept.content
  return {
    ...info,
    version: kept.op,
    bytes: manifest.bytes,
    mtimeMs: msOf(kept.mtimeNs),
    place: open.placeOf(manifest),
    isSafe: open.isSafe(kept.op, manifest.bytes),
    past: 'earlier',
  }
}
