import type { Handlers } from '../rpc/contract.ts'
import type { datasetContract } from './dataset-contract.ts'
import type { DatasetHost } from './dataset-host.ts'
import { infoOf, msOf } from './dataset-info.ts'
import type { NodeId, OpId } from './op.ts'
import { restorePast, restoreVersion } from './restore-version.ts'
import { trashSize } from './trash-size.ts'

type HistoryCalls =
  | 'listDatasetTrash'
  | 'datasetTrashSize'
  | 'emptyDatasetTrash'
  | 'tidyDataset'
  | 'hasSeenVersion'
  | 'datasetVersions'
  | 'restoreDatasetNode'
  | 'restoreDatasetPast'

/** Told of one trash. */
const MAX_TRASH = 5000
const MAX_VERSIONS = 10_000

/** The part of `datasetContract` that is about what was. */
export function historyHandlers(host: DatasetHost): Pick<Handlers<typeof datasetContract>, HistoryCalls> {
  return {
    listDatasetTrash: ({ dataset }) => {
      const open = host.require(dataset)
      const rows = open.dataset.removed().slice(0, MAX_TRASH)
      return rows.map(({ node, removedAtMs }) => ({ info: infoOf(open, node), removedAtMs }))
    },
    datasetTrashSize: ({ dataset }, { signal }) => trashSize(host.require(dataset), signal),
    emptyDatasetTrash: ({ dataset, nodes }) => {
      const open = host.require(dataset)
      const ids = open.dataset.removed().map(({ node }) => node.id)
      const wanted = nodes ? new Set<string>(nodes) : undefined
      const gone = wanted ? ids.filter((id) => wanted.has(id)) : ids
      open.dataset.forget(gone)
      void open.housekeeping.run().catch(() => {}) // the next quiet moment tries again
      return { entries: gone.length }
    },
    tidyDataset: ({ dataset }) => host.require(dataset).housekeeping.run(),
    hasSeenVersion: ({ dataset, version }) => ({ isSeen: host.require(dataset).hasSeen(version as OpId) }),
    datasetVersions: ({ dataset, node }) => {
      const versions = host
        .require(dataset)
        .dataset.versions(node as NodeId)
        .slice(0, MAX_VERSIONS)
      return versions.map(({ mtimeNs, ...version }) => ({ ...version, mtimeMs: msOf(mtimeNs) }))
    },
    restoreDatasetNode: async ({ dataset, node, version }, { signal }) => {
      const open = host.require(dataset)
      return infoOf(open, await restoreVersion(open, node as NodeId, version ? (version as OpId) : undefined, signal))
    },
    restoreDatasetPast: async ({ dataset, node, atMs }, { signal }) => {
      const open = host.require(dataset)
      return restorePast(open, await open.past(atMs), node as NodeId, signal)
    },
  }
}
