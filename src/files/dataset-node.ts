import type { DeviceId } from '../base/ids.ts'
import { EMPTY_MANIFEST, type Manifest } from './manifest.ts'
import { type Head, type NodeRecord, winnerOf } from './node-record.ts'
import { type Mark, type NodeId, type OpId, ROOT_NODE } from './op.ts'

/** A file, folder or link as a dataset shows it now. */
export interface DatasetNode {
  readonly id: NodeId
  readonly parent: NodeId
  /** As its folder lists it: with a mark where another one has its name. */
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link'
  readonly mode: number
  readonly mtimeNs: bigint
  /** When anything of it last changed, by its author's clock, in ms; 5 minutes ahead at most. */
  readonly changedMs: number
  /** Times of it are not its author's: that clock was further ahead (rule FT9). */
  readonly isClockAhead: boolean
  /** A file's length; a link's text in bytes; 0 for a folder. */
  readonly bytes: number
  /** The version shown: what `commitContent` is told as its base. */
  readonly version: OpId
  readonly manifest: Manifest
  readonly target: string | undefined
  readonly xattrs: ReadonlyMap<string, string>
  /** It lost against a version written at the same time, and waits for somebody to choose. */
  readonly isConflictCopy: boolean
  readonly hasConflict: boolean
  readonly writtenBy: DeviceId | undefined
}

/** A version of a file that is or was. */
export interface DatasetVersion {
  readonly version: OpId
  readonly device: DeviceId
  readonly deviceName: string
  readonly atMs: number
  readonly isClockAhead: boolean
  readonly mtimeNs: bigint
  readonly bytes: number
  readonly isRemoval: boolean
}

/** Clocks further ahead are shown as this much (rule FT9). */
export const MAX_CLOCK_AHEAD_MS = 5 * 60_000

export const clampedMs = (ms: number, nowMs: number): number => Math.min(ms, nowMs + MAX_CLOCK_AHEAD_MS)

const isAhead = (ms: number, nowMs: number): boolean => ms > nowMs + MAX_CLOCK_AHEAD_MS

export function rootNode(createdMs: number): DatasetNode {
  return {
    id: ROOT_NODE,
    parent: ROOT_NODE,
    name: '',
    kind: 'folder',
    mode: 0o755,
    mtimeNs: BigInt(createdMs) * 1_000_000n,
    changedMs: createdMs,
    isClockAhead: false,
    bytes: 0,
    version: '' as OpId,
    manifest: EMPTY_MANIFEST,
    target: undefined,
    xattrs: new Map(),
    isConflictCopy: false,
    hasConflict: false,
    writtenBy: undefined,
  }
}

export function nodeOf(record: NodeRecord, shown: string, nowMs: number): DatasetNode {
  const { op, content, device } = winnerOf(record)
  const changedMs = lastStamp(record) / 1000
  const isFolder = record.kind === 'folder' || content.kind === 'folder'
  return {
    id: record.id,
    parent: record.parent,
    name: shown,
    kind: isFolder ? 'folder' : content.kind === 'link' ? 'link' : 'file',
    mode: record.mode,
    mtimeNs: shownTime(record, nowMs),
    changedMs: clampedMs(changedMs, nowMs),
    isClockAhead: isAhead(changedMs, nowMs),
    bytes: content.kind === 'file' ? content.manifest.bytes : content.kind === 'link' ? new TextEncoder().encode(content.target).length : 0,
    version: op,
    manifest: content.kind === 'file' ? content.manifest : EMPTY_MANIFEST,
    target: content.kind === 'link' ? content.target : undefined,
    xattrs: xattrsOf(record),
    isConflictCopy: record.copyOf !== undefined,
    hasConflict: record.copies.length > 0,
    writtenBy: device,
  }
}

/** A time that its author's clock had set ahead is shown as its clock is (rule FT9). */
function shownTime({ mtimeNs, mtimeAt }: NodeRecord, nowMs: number): bigint {
  const aheadMs = nowMs + MAX_CLOCK_AHEAD_MS
  if (mtimeAt.stamp / 1000 <= aheadMs) return mtimeNs
  const aheadNs = BigInt(Math.floor(aheadMs)) * 1_000_000n
  return mtimeNs > aheadNs ? aheadNs : mtimeNs
}

function lastStamp({ nameAt, parentAt, modeAt, mtimeAt, heads, xattrs }: NodeRecord): number {
  let last = Math.max(nameAt.stamp, parentAt.stamp, modeAt.stamp, mtimeAt.stamp)
  for (const { stamp } of heads) last = Math.max(last, stamp)
  for (const name in xattrs) last = Math.max(last, (xattrs[name] as { at: Mark }).at.stamp)
  return last
}

const NO_XATTRS: ReadonlyMap<string, string> = new Map()

function xattrsOf({ xattrs }: NodeRecord): ReadonlyMap<string, string> {
  const all = Object.entries(xattrs)
  if (all.length === 0) return NO_XATTRS // nearly all
  return new Map(all.flatMap(([name, { value }]) => (value === null ? [] : [[name, value] as const])))
}

export function versionOf(head: Head, nowMs: number): DatasetVersion {
  const { op, device, deviceName, stamp, mtimeNs, content } = head
  return {
    version: op,
    device,
    deviceName,
    atMs: clampedMs(stamp / 1000, nowMs),
    isClockAhead: isAhead(stamp / 1000, nowMs),
    mtimeNs,
    bytes: content.kind === 'file' ? content.manifest.bytes : 0,
    isRemoval: content.kind === 'removed',
  }
}

/** As people sort: folders and files alike, `2` before `10`. */
export function byName(nodes: readonly DatasetNode[]): DatasetNode[] {
  const order = new Intl.Collator(undefined, { numeric: true })
  return [...nodes].sort((a, b) => order.compare(a.name, b.name) || (a.name < b.name ? -1 : 1))
}
