import { errorCode, errorMessage } from '../base/errors.ts'
import { checkContents } from './check-contents.ts'
import { checkLogs } from './check-logs.ts'
import { checkTree } from './check-tree.ts'
import type { ChunkStore } from './chunk-store.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { DroppedVersions } from './dropped-versions.ts'
import type { LocalFolders } from './local-folders.ts'
import type { ReplicationBook } from './replication-book.ts'

export interface CheckResult {
  readonly nodes: number
  readonly versions: number
  readonly segments: number
  readonly chunks: number
  readonly awayChunks: number
  readonly unlistedVersions: number
  readonly problems: string[]
  /** Which trees are not what their logs say, or cannot be read. */
  readonly damaged: readonly ('shared' | 'local')[]
}

export interface CheckedParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly book: Pick<ReplicationBook, 'mustKeep'>
  readonly dropped: Pick<DroppedVersions, 'batches'>
  /** Folders of this device only: nobody else has anything of them. */
  readonly local?: Pick<LocalFolders, 'dataset' | 'store' | 'chunks'>
}

/** More are not told one by one. */
const MAX_PROBLEMS = 1000

/**
 * Looks through everything this device keeps of a dataset (rule CK1): the logs' chains and signatures, the tree against itself and
 * against the logs, and every chunk of every version that is kept. Changes nothing but this: what is damaged is forgotten, and asked of
 * linked devices, as what should be here and is not. `pause`: others have the loop.
 */
export async function checkDataset(
  parts: CheckedParts,
  options: { readonly signal?: AbortSignal; readonly pause?: () => Promise<void> } = {},
): Promise<CheckResult> {
  const { dataset, store, chunks, local } = parts
  const { signal } = options
  const pause = async () => {
    await options.pause?.()
    signal?.throwIfAborted()
  }
  const problems: string[] = []
  const tell = (problem: string) => void (problems.length < MAX_PROBLEMS && problems.push(problem.slice(0, 500)))
  dataset.flush()
  /** What cannot be read at all is one problem, and the rest is looked at. */
  const look = async <T>(what: string, otherwise: T, work: () => T | Promise<T>, part: 'shared' | 'local' = 'shared'): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      tell(`${what}: ${errorMessage(error)}`)
      if (errorCode(error) === 'store/damaged') damaged.add(part)
      return otherwise
    }
  }
  const damaged = new Set<'shared' | 'local'>()
  const tellTree = (problem: string) => {
    damaged.add('shared')
    tell(problem)
  }
  const none = { versions: 0, awayChunks: 0, unlistedVersions: 0 }
  const segments = await look('the logs cannot be read', 0, () => checkLogs(dataset, store, tellTree, pause))
  const nodes = await look('the tree cannot be read', 0, () => checkTree(dataset, store, tellTree, pause))
  const contents = await look('the history cannot be read', none, () => checkContents({ ...parts, signal, pause }, tell))
  if (local) {
    const tellLocal = (problem: string) => tell(`in folders of this device only: ${problem}`)
    const work = async () => {
      await checkTree(local.dataset, local.store, tellLocal, pause)
      await checkContents({ ...local, signal, pause }, tellLocal)
    }
    await look('folders of this device only cannot be read', undefined, work, 'local')
  }
  return { nodes, segments, chunks: chunks.stats.chunks, ...contents, problems, damaged: [...damaged] }
}
