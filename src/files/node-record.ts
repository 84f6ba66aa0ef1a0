import type { DeviceId } from '../base/ids.ts'
import type { Content, Mark, NodeId, OpId } from './op.ts'
import { sameManifest } from './manifest.ts'

/** One version that no other version replaced. Two: they were written at once. */
export interface Head extends Mark {
  readonly device: DeviceId
  /** What that device was called then. */
  readonly deviceName: string
  readonly content: Content
  readonly mtimeNs: bigint
}

/**
 * A node as all ops together make it. Each field is the last writer's; `heads` are a set; `parent` of a folder is what the
 * moves in their order made it, those that would close a circle left out.
 */
export interface NodeRecord {
  readonly id: NodeId
  /** As it was created; a folder stays one. */
  readonly kind: 'file' | 'folder' | 'link'
  readonly created: Mark
  readonly parent: NodeId
  readonly parentAt: Mark
  readonly name: string
  readonly nameAt: Mark
  readonly mode: number
  readonly modeAt: Mark
  readonly mtimeNs: bigint
  readonly mtimeAt: Mark
  readonly xattrs: Readonly<Record<string, { readonly value: string | null; readonly at: Mark }>>
  /** The last first. */
  readonly heads: readonly Head[]
  /** Ids of the conflict copies shown beside it. */
  readonly copies: readonly NodeId[]
  /** Its versions up to this stamp were taken out of the trash for good. */
  readonly forgottenAt?: number | undefined
  /** Set for a conflict copy that no op made: a head of another node that lost. */
  readonly copyOf?: { readonly node: NodeId; readonly op: OpId } | undefined
}

/** What a node is now: the last version that is not a removal (an edit beats it). */
export function winnerOf({ heads }: NodeRecord): Head {
  return heads.find(({ content }) => content.kind !== 'removed') ?? (heads[0] as Head)
}

/** Versions written at once that the winner would hide, each content once. */
export function losersOf(record: NodeRecord): Head[] {
  const winner = winnerOf(record)
  const shown: Head[] = [winner]
  for (const head of record.heads) {
    if (head.content.kind !== 'removed' && !shown.some((other) => sameContent(other.content, head.content))) shown.push(head)
  }
  return shown.slice(1)
}

export function sameContent(a: Content, b: Content): boolean {
  if (a.kind === 'file' && b.kind === 'file') return sameManifest(a.manifest, b.manifest)
  if (a.kind === 'link' && b.kind === 'link') return a.target === b.target
  return a.kind === b.kind
}
