import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { Manifest } from './manifest.ts'
import { contentOf } from './node-record-codec.ts'
import { type NodeId, type OpId, plainContent } from './op.ts'

/** A content that a program synced and that is not a version yet. */
export interface SyncedContent {
  readonly node: NodeId
  /** The version it was made from. */
  readonly base: OpId
  readonly manifest: Manifest
  readonly mtimeNs: bigint
  /** Where it lay: a start may find no node of it any more. What was kept before 2026-12 has none. */
  readonly last?: LastPlace | undefined
}

/** Where a file was seen last. */
export interface LastPlace {
  readonly parent: NodeId
  readonly name: string
  readonly mode: number
}

const SPACE = 'synced'

/**
 * What programs synced while they go on writing: it has to be there after a power cut, and is no version, or a database would
 * make one with each transaction. It goes when the version made from the same base is there; what a start finds becomes one, of a file of its own where its node is gone.
 */
export class SyncedContents {
  readonly #store: DatasetStore

  constructor(store: DatasetStore) {
    this.#store = store
  }

  keep({ node, base, manifest, mtimeNs, last }: SyncedContent): void {
    const content = plainContent({ kind: 'file', manifest })
    const place = last && { last: { parent: last.parent, name: last.name, mode: last.mode } }
    const plain = { v: 1, node, base, content, mtimeNs: String(mtimeNs), ...place }
    this.#store.putValue(SPACE, keyOf(node, base), utf8(JSON.stringify(plain)))
  }

  /** Call it in the transaction that makes the version. */
  drop(node: NodeId, base: OpId): void {
    this.#store.putValue(SPACE, keyOf(node, base), undefined)
  }

  all(): SyncedContent[] {
    return this.#store.values(SPACE).flatMap(([, value]) => {
      const { node, base, content, mtimeNs, last } = JSON.parse(fromUtf8(value)) as {
        node: NodeId
        base: OpId
        content: unknown
        mtimeNs: string
        last?: LastPlace
      }
      const of = contentOf(content)
      return of.kind === 'file' ? [{ node, base, manifest: of.manifest, mtimeNs: BigInt(mtimeNs), ...(last && { last }) }] : []
    })
  }
}

const keyOf = (node: NodeId, base: OpId): string => `${node}/${base}`
