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
}

const SPACE = 'synced'

/**
 * What programs synced while they go on writing: it has to be there after a power cut, and is no version, or a database would
 * make one with each transaction. It goes when the version made from the same base is there; what a start finds becomes one.
 */
export class SyncedContents {
  readonly #store: DatasetStore

  constructor(store: DatasetStore) {
    this.#store = store
  }

  keep({ node, base, manifest, mtimeNs }: SyncedContent): void {
    const content = plainContent({ kind: 'file', manifest })
    this.#store.putValue(SPACE, keyOf(node, base), utf8(JSON.stringify({ v: 1, node, base, content, mtimeNs: String(mtimeNs) })))
  }

  /** Call it in the transaction that makes the version. */
  drop(node: NodeId, base: OpId): void {
    this.#store.putValue(SPACE, keyOf(node, base), undefined)
  }

  /** What an earlier start left and is to become a version; the rest is forgotten. */
  takeLeft(isNews: (left: SyncedContent) => boolean): SyncedContent[] {
    const all = this.all()
    for (const left of all) if (!isNews(left)) this.drop(left.node, left.base)
    return all.filter(isNews)
  }

  all(): SyncedContent[] {
    return this.#store.values(SPACE).flatMap(([, value]) => {
      const { node, base, content, mtimeNs } = JSON.parse(fromUtf8(value)) as {
        node: NodeId
        base: OpId
        content: unknown
        mtimeNs: string
      }
      const of = contentOf(content)
      return of.kind === 'file' ? [{ node, base, manifest: of.manifest, mtimeNs: BigInt(mtimeNs) }] : []
    })
  }
}

const keyOf = (node: NodeId, base: OpId): string => `${node}/${base}`
