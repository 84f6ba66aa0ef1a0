import type { Handlers } from '../../rpc/contract.ts'
import type { datasetContract } from '../dataset-contract.ts'
import type { OpenDataset } from '../open-dataset.ts'
import type { NodeId } from '../op.ts'
import { whenLoaded } from './still-loading.ts'

type DatasetHandlers = Handlers<typeof datasetContract>
type Call = (input: never, context: never) => unknown

/** What these say is of the whole tree, or of what was; or they do much in one turn. */
const NEED_ALL: ReadonlySet<keyof DatasetHandlers> = new Set([
  'searchDataset',
  'listDatasetTrash',
  'datasetTrashSize',
  'emptyDatasetTrash',
  'tidyDataset',
  'datasetVersions',
  'restoreDatasetNode',
  'restoreDatasetPast',
  'checkDataset',
  'putDatasetFiles',
  'setDatasetPolicy',
])

/** What a call names. */
interface Named {
  readonly dataset?: string
  readonly node?: NodeId
  readonly parent?: NodeId
  readonly atMs?: number
  readonly to?: { readonly node?: NodeId; readonly parent?: NodeId }
}

/**
 * Handlers that wait for the part of a checkpoint they need; all others are answered meanwhile. A call that was begun without it begins
 * anew, so what does several things in turn has all of it first.
 */
export function whileLoading(openOf: (dataset: string) => OpenDataset | undefined, handlers: DatasetHandlers): DatasetHandlers {
  const waiting = Object.entries(handlers).map(([name, handler]) => {
    if (name.startsWith('onDid')) return [name, handler]
    const call = (input: Named, context: unknown): unknown => {
      const open = input.dataset === undefined ? undefined : openOf(input.dataset)
      const work = () => (handler as Call)(input as never, context as never)
      return open?.loader.isLoading ? brought(open, name as keyof DatasetHandlers, input).then(() => whenLoaded(work)) : work()
    }
    return [name, call]
  })
  return Object.fromEntries(waiting) as DatasetHandlers
}

async function brought(open: OpenDataset, name: keyof DatasetHandlers, { node, parent, atMs, to }: Named): Promise<void> {
  const { loader, dataset, local } = open
  const ids = [node, parent, to?.node, to?.parent].filter((id) => id !== undefined)
  const isAway = (id: NodeId) => !loader.knows(id) && !local.dataset.node(id)
  if (NEED_ALL.has(name) || atMs !== undefined || ids.some(isAway)) return loader.bringAll()
  if (name === 'copyDatasetNode' && node !== undefined && dataset.node(node)) await whenLoaded(() => dataset.within(node))
  // A write is committed long after it began, in one turn.
  const place = to?.parent ?? (to?.node === undefined ? undefined : dataset.node(to.node)?.parent)
  if (place !== undefined && dataset.node(place)?.kind === 'folder') await whenLoaded(() => dataset.children(place))
}
