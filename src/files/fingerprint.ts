import { toHex, utf8 } from '../base/bytes.ts'
import { sha256 } from '../base/sha256.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { DatasetView } from './dataset-view.ts'

/** Of what is not there. */
export const MISSING = 'missing'
/** Whether it may be run; what else a mode says depends on the machine it came from. */
const RUNS = 0o100

/**
 * What lies at a path, by content (rule FW1): the names of chunks are what is in them, so nothing is read. Of a folder also the names in it;
 * not its mode, times, or folders of this device only.
 */
export function fingerprintAt(view: DatasetView, path: string): string {
  const node = nodeAt(view, path)
  return node ? fingerprintOf(view, node) : MISSING
}

/** Undefined: nothing is there. */
export function nodeAt(view: DatasetView, path: string): DatasetNode | undefined {
  let node: DatasetNode | undefined = view.require(view.root)
  for (const name of path.split('/')) if (name !== '') node = node && node.kind === 'folder' ? view.lookup(node.id, name) : undefined
  return node
}

export function fingerprintOf(view: DatasetView, node: DatasetNode): string {
  if (node.kind === 'file') {
    const { bytes, depth, pieces } = node.manifest
    return digest(['file', node.mode & RUNS ? 'x' : '-', bytes, depth, pieces.map(({ id, length }) => [id ?? '', length])])
  }
  if (node.kind === 'link') return digest(['link', node.target ?? ''])
  const children = view.children(node.id).map((child) => [child.name, fingerprintOf(view, child)] as const)
  return digest(['folder', children.toSorted(([a], [b]) => (a < b ? -1 : 1))])
}

const digest = (value: unknown): string => toHex(sha256(utf8(JSON.stringify(value)))).slice(0, 32)
