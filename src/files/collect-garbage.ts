import type { ChunkId } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import { ContentError } from './content-error.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { DroppedBatch } from './dropped-versions.ts'
import type { Manifest, Piece } from './manifest.ts'
import type { NodeId, OpId } from './op.ts'

export interface GarbageParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  /** Versions that history dropped and that still count. */
  batches(): readonly DroppedBatch[]
  mustKeep(op: OpId): boolean
  /** Others have the loop. Rejects when it is time to stop. */
  pause(): Promise<void>
}

/** Nodes looked at before others have the loop. */
const NODES_AT_ONCE = 50
/** Chunks dropped before others have the loop: each is read a little and a record is written for it. */
const DROPPED_AT_ONCE = 200

/**
 * Forgets chunks that nothing names: no version that is kept, none that was dropped and still counts, nothing that is being written
 * or is open (rule GC1). Whatever changes while it looks is looked at again before anything goes, and again after each pause.
 * @returns how many chunks went
 * @throws ContentError `chunk/unavailable`: the list of a content that this device must keep cannot be read; nothing went
 */
export async function collectGarbage(parts: GarbageParts): Promise<number> {
  const { dataset, store, chunks, pause } = parts
  const garbage = new Set<ChunkId>(chunks.ids())
  const changed = new Set<NodeId>()
  const watching = dataset.onDidChange(({ nodes }) => {
    for (const node of nodes) changed.add(node)
  })
  const spare = async (manifest: Manifest, op?: OpId): Promise<void> => {
    const spareAll = (pieces: readonly Piece[]) => {
      for (const { id } of pieces) if (id !== undefined) garbage.delete(id)
    }
    spareAll(manifest.pieces)
    if (manifest.depth === 0) return
    const isWhole = await dataset.reader.eachListedHere(manifest, spareAll)
    if (!isWhole && op !== undefined && parts.mustKeep(op))
      throw new ContentError('chunk/unavailable', 'a list of the pieces of a file cannot be read here; no space is freed before it can')
  }
  const spareNode = async (node: NodeId): Promise<void> => {
    for (const { op, content } of store.versions(node)) if (content.kind === 'file') await spare(content.manifest, op)
  }
  try {
    for (let after: NodeId | undefined; ; ) {
      const nodes = store.versionedNodes(after, NODES_AT_ONCE, 1)
      for (const node of nodes) await spareNode(node)
      after = nodes.at(-1)
      if (after === undefined) break
      await pause()
    }
    // What was dropped meanwhile is in a batch; what is held may have changed: until a look finds nothing new, without a pause.
    const seen = new Set<string>()
    const lookAgain = async (): Promise<void> => {
      for (let isNews = true; isNews; ) {
        isNews = false
        const left = [...parts.batches().flatMap(({ versions }) => versions), ...inUse(dataset)]
        for (const { op, manifest } of left) {
          const name = `${op} ${manifest.depth} ${manifest.pieces.map(({ id }) => id).join()}`
          if (seen.has(name)) continue
          seen.add(name)
          await spare(manifest, op)
          isNews = true
        }
        for (const node of [...changed]) {
          changed.delete(node)
          await spareNode(node)
          isNews = true
        }
      }
    }
    let count = 0
    for (;;) {
      await lookAgain()
      const gone: ChunkId[] = []
      for (const id of garbage) {
        garbage.delete(id)
        if (!dataset.writer.isFresh(id)) gone.push(id)
        if (gone.length === DROPPED_AT_ONCE) break
      }
      if (gone.length > 0) await chunks.drop(gone)
      count += gone.length
      if (garbage.size === 0) return count
      await pause()
    }
  } finally {
    watching.dispose()
  }
}

const inUse = (dataset: Dataset): { op?: OpId; manifest: Manifest }[] => dataset.contentsInUse().map((manifest) => ({ manifest }))
