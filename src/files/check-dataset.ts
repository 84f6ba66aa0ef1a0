import { behindOf } from './checkpoint/segments-behind.ts'
import type { ChunkId } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import { errorMessage } from '../base/errors.ts'
import { type NodeId, ROOT_NODE } from './op.ts'
import { pagedVersions } from './paged-versions.ts'

export interface CheckResult {
  readonly nodes: number
  readonly versions: number
  readonly segments: number
  readonly chunks: number
  readonly awayChunks: number
  readonly problems: string[]
}

/** More are not told one by one. */
const MAX_PROBLEMS = 1000

/**
 * Looks through everything this device keeps of a dataset: the logs' chains and signatures, the tree against itself, and every
 * chunk of every kept version, opened and checked where it is here. Changes nothing.
 */
export async function checkDataset(dataset: Dataset, store: DatasetStore, chunks: ChunkStore, signal?: AbortSignal): Promise<CheckResult> {
  const problems: string[] = []
  const tell = (problem: string) => problems.length < MAX_PROBLEMS && problems.push(problem.slice(0, 500))

  const hashes = new Map<string, { seq: number; hash: string }>()
  const order = store.segmentOrder()
  for (const [log, seq] of order) {
    const bytes = store.segment(log, seq)
    try {
      if (!bytes) throw new Error('its bytes are missing')
      const head = dataset.codec.check(bytes)
      const before = hashes.get(log) ?? behindOf(store, log) ?? { seq: 0, hash: '0'.repeat(64) }
      if (head.log !== log || head.seq !== seq || before.seq + 1 !== seq || head.prev !== before.hash)
        throw new Error('it breaks the chain of its log')
      hashes.set(log, { seq, hash: head.hash })
    } catch (error) {
      tell(`segment ${seq} of log ${log}: ${errorMessage(error)}`)
    }
  }

  let nodes = 0
  const reached = new Set<NodeId>()
  const visit = (folder: NodeId) => {
    const names = new Set<string>()
    for (const { record, shown } of store.children(folder)) {
      nodes++
      if (reached.has(record.id)) tell(`${shown} (${record.id}) lies in two folders`)
      reached.add(record.id)
      if (names.has(shown)) tell(`two entries of ${dataset.pathOf(folder)} are called ${shown}`)
      names.add(shown)
      if (store.shownNode(folder, shown) !== record.id) tell(`${shown} in ${dataset.pathOf(folder)} is not found by its name`)
      visit(record.id)
    }
  }
  visit(ROOT_NODE)

  let versions = 0
  let away = 0
  const seen = new Set<ChunkId>()
  for (const { node, version } of pagedVersions(store)) {
    versions++
    if (version.content.kind !== 'file') continue
    const { manifest } = version.content
    const own = manifest.pieces.map(({ id }) => id)
    const isHere = manifest.depth === 0 || own.every((id) => id !== undefined && chunks.has(id))
    let all = own
    try {
      if (manifest.depth > 0 && isHere) all = [...own, ...(await dataset.reader.pieces(manifest)).map(({ id }) => id)]
    } catch (error) {
      tell(`a version of ${node}: ${errorMessage(error)}`)
    }
    for (const id of all) {
      if (id === undefined || seen.has(id)) continue
      seen.add(id)
      signal?.throwIfAborted()
      const chunk = await chunks.get(id)
      if (!chunk) away++
      else {
        try {
          dataset.reader.open(chunk)
        } catch (error) {
          tell(`chunk ${id.slice(0, 16)}: ${errorMessage(error)}`)
        }
      }
    }
  }
  return { nodes, versions, segments: order.length, chunks: chunks.stats.chunks, awayChunks: away, problems }
}
