import type { Disposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Handlers } from '../rpc/contract.ts'
import type { datasetContract, DatasetNodeInfo } from './dataset-contract.ts'
import { whileLoading } from './checkpoint/while-loading.ts'
import type { DatasetHost } from './dataset-host.ts'
import type { OpenDataset } from './open-dataset.ts'
import { byName, type DatasetNode } from './dataset-node.ts'
import type { Dataset } from './dataset.ts'
import { DatasetWrites } from './dataset-writes.ts'
import { infoOf, localInfoOf, pastInfoOf } from './dataset-info.ts'
import { holdersOf } from './dataset-holders.ts'
import { ContentError } from './content-error.ts'
import { fileAway } from './file-away.ts'
import { FileError } from './file-error.ts'
import { GatheredChanges } from './gathered-changes.ts'
import { base64Of, bytesOfBase64 } from '../base/base64.ts'
import type { NodeId, OpId } from './op.ts'
import { putSmallFiles } from './put-small-files.ts'
import { policyState } from './policy-state.ts'
import { historyHandlers } from './serve-dataset-history.ts'

/** Of one search. */
const MAX_FOUND = 500
/** Nodes looked at before a search says that it is not complete. */
const MAX_SEARCHED = 200_000

/** The files process's side of `datasetContract` for one connection; disposing gives up what it was writing. */
export function datasetHandlers(host: DatasetHost): { handlers: Handlers<typeof datasetContract>; owned: Disposable } {
  const writes = new DatasetWrites(host.crypto)
  const id = (text: string) => text as NodeId
  const handlers: Handlers<typeof datasetContract> = {
    ...historyHandlers(host),
    listDatasets: () => host.open.map(({ id, name }) => ({ dataset: id, name })),
    datasetStatus: ({ dataset }) => host.require(dataset).status(),
    datasetAt: async ({ dataset, path, atMs }) => {
      const open = host.require(dataset)
      if (atMs !== undefined) {
        const past = await open.past(atMs)
        return pastInfoOf(open, past, past.view.at(path))
      }
      const local = localAt(open, path)
      return local ? localInfoOf(open, local) : infoOf(open, open.dataset.at(path))
    },
    datasetNode: ({ dataset, node }) => {
      const open = host.require(dataset)
      return { info: infoOf(open, open.dataset.require(id(node))), path: open.dataset.pathOf(id(node)) }
    },
    listDatasetFolder: async ({ dataset, node, atMs, from, limit, withoutLocal = false }) => {
      const open = host.require(dataset)
      if (atMs !== undefined) {
        const past = await open.past(atMs)
        const all = past.sortedChildren(id(node))
        return { entries: all.slice(from, from + limit).map((entry) => pastInfoOf(open, past, entry)), total: all.length }
      }
      const inside = treeOf(open, id(node)) === open.local.dataset ? open.local.dataset.require(id(node)) : undefined
      if (inside) {
        const all = byName(open.local.dataset.children(inside.id))
        return { entries: all.slice(from, from + limit).map((entry) => localInfoOf(open, entry)), total: all.length }
      }
      const local = withoutLocal ? [] : byName(open.local.children(id(node)))
      const all = [...local, ...open.sortedChildren(id(node))]
      if (local.length > 0) {
        const entries = all
          .slice(from, from + limit)
          .map((entry, n) => (from + n < local.length ? localInfoOf(open, entry) : infoOf(open, entry)))
        return { entries, total: all.length }
      }
      return { entries: all.slice(from, from + limit).map((entry) => infoOf(open, entry)), total: all.length }
    },
    searchDataset: ({ dataset, node, text }, { signal }) => search(host.require(dataset), id(node), text, signal),
    readDatasetBytes: async ({ dataset, node, version, offset, length }, { signal }) => {
      const open = host.require(dataset)
      const options = { signal, ...(version && { version: version as OpId }) }
      const of = treeOf(open, id(node))
      const { bytes } = of.manifestOf(id(node), options.version)
      const read = of.readRange(id(node), offset, length, options).catch((error: unknown) => {
        throw fileAway(open, id(node), options.version, error)
      })
      return { base64: base64Of(await read), bytes }
    },
    beginDatasetWrite: ({ dataset, to, mtimeMs }) => {
      const target = 'node' in to ? { node: id(to.node), base: to.base as OpId } : { ...to, parent: id(to.parent) }
      const mtimeNs = nsOf(mtimeMs)
      const open = host.require(dataset)
      return { write: writes.begin(treeOf(open, id('node' in to ? to.node : to.parent)), target, mtimeNs) }
    },
    appendDatasetWrite: async ({ write, base64 }) => ({ bytes: await writes.append(write, bytesOfBase64(base64)) }),
    commitDatasetWrite: async ({ write }) => {
      const { open, node } = await host.committed(() => writes.commit(write))
      return anyInfoOf(open, node)
    },
    abandonDatasetWrite: ({ write }) => {
      writes.abandon(write)
      return {}
    },
    putDatasetFiles: async ({ dataset, files }) => {
      const open = host.require(dataset)
      const all = files.map(({ parent, mtimeMs, base64, ...file }) => {
        const bytes = bytesOfBase64(base64)
        return { tree: treeOf(open, id(parent)), file: { ...file, parent: id(parent), bytes, mtimeNs: nsOf(mtimeMs) } }
      })
      const put = all.map(() => false)
      for (const tree of new Set(all.map((one) => one.tree))) {
        const places = all.flatMap((one, n) => (one.tree === tree ? [n] : []))
        const done = await putSmallFiles(
          tree,
          places.map((n) => (all[n] as (typeof all)[number]).file),
        )
        for (const [n, place] of places.entries()) put[place] = done[n] === true
      }
      return { put }
    },
    makeDatasetLink: ({ dataset, parent, name, target }) => {
      const open = host.require(dataset)
      return anyInfoOf(open, treeOf(open, id(parent)).makeLink(id(parent), name, target))
    },
    pinDatasetNode: ({ dataset, node, isPinned }) => {
      const open = host.require(dataset)
      open.dataset.require(id(node))
      open.pins.pin(id(node), isPinned)
      return open.pins.size(id(node))
    },
    setDatasetPolicy: ({ dataset, copies, on }) => {
      const open = host.require(dataset)
      const unknown = on.find((device) => !open.isMember(device))
      if (unknown !== undefined) {
        const text = `${unknown.slice(0, 12)} is not one of your devices; the policy of ${open.name} stays as it was`
        throw new ContentError('policy/unknown-device', text)
      }
      open.policy.set({ copies, on: [...new Set(on)] as DeviceId[] })
      return policyState(open)
    },
    makeDatasetFolder: async ({ dataset, parent, name }) => {
      const open = host.require(dataset)
      const isHere = treeOf(open, id(parent)) === open.dataset && !open.dataset.lookup(id(parent), name)
      if (isHere && (await open.local.isLocal(id(parent), name))) {
        if (open.local.lookup(id(parent), name)) throw new FileError('file/exists', `${name} is there already; choose another name`)
        return localInfoOf(open, open.local.make(id(parent), name, 0o755))
      }
      return anyInfoOf(open, treeOf(open, id(parent)).makeFolder(id(parent), name))
    },
    moveDatasetNode: ({ dataset, node, parent, name, replace }) => {
      const open = host.require(dataset)
      const { local } = open
      const isInside = (at: NodeId) => treeOf(open, at) === local.dataset
      if (isInside(id(node)) && !isInside(id(parent))) {
        if (local.parentOf(local.dataset.require(id(node))) === undefined)
          throw new FileError('file/bad-path', 'what is in a folder of this device only cannot be moved out of it; copy it')
        open.dataset.require(id(parent))
        if (open.dataset.lookup(id(parent), name)) throw new FileError('file/exists', `${name} is there already; choose another name`)
        return localInfoOf(open, local.move(id(node), id(parent), name))
      }
      return anyInfoOf(open, treeOf(open, id(node)).move(id(node), id(parent), name, { replace }))
    },
    copyDatasetNode: ({ dataset, node, parent, name }) => {
      const open = host.require(dataset)
      return infoOf(open, copyTree(open, id(node), id(parent), name))
    },
    removeDatasetNode: ({ dataset, node }) => {
      treeOf(host.require(dataset), id(node)).removeAll(id(node))
      return {}
    },
    datasetHolders: ({ dataset, node }) => holdersOf(host.require(dataset), id(node)),
    checkDataset: ({ dataset }, { signal }) => host.check(dataset, signal),
    onDidChangeDataset: (listener) => {
      const told = new Emitter<Parameters<typeof listener>[0]>()
      const inner = told.event(listener)
      const gathered = new GatheredChanges(host.clock, (change) => told.fire(change))
      const outer = host.onDidChange((change) => gathered.add(change))
      return {
        dispose() {
          outer.dispose()
          gathered.dispose()
          inner.dispose()
        },
      }
    },
  }
  return { handlers: whileLoading((dataset) => host.open.find(({ id }) => id === dataset), handlers), owned: writes }
}

const nsOf = (ms: number | undefined): bigint | undefined => (ms === undefined ? undefined : BigInt(Math.round(ms * 1000)) * 1000n)

/** The tree that a node is in: of all devices, or of this one only. */
const treeOf = ({ dataset, local }: OpenDataset, node: NodeId): Dataset =>
  local.dataset.node(node) && node !== dataset.root ? local.dataset : dataset

const anyInfoOf = (open: OpenDataset, node: DatasetNode): DatasetNodeInfo =>
  treeOf(open, node.id) === open.dataset ? infoOf(open, node) : localInfoOf(open, node)

/** What lies at a path that leads through a folder of this device only. */
function localAt({ dataset, local }: OpenDataset, path: string): DatasetNode | undefined {
  let [at, inside]: [DatasetNode | undefined, DatasetNode | undefined] = [dataset.require(dataset.root), undefined]
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name === '..') return undefined
    const next: DatasetNode | undefined = inside ? local.dataset.lookup(inside.id, name) : at && local.lookup(at.id, name)
    if (inside && !next) throw new FileError('file/not-found', `${path} is not in this dataset`)
    if (next) inside = next
    else at = at && dataset.lookup(at.id, name)
  }
  return inside
}

/** A copy names the same chunks: nothing is read. */
function copyTree(open: OpenDataset, from: NodeId, parent: NodeId, name: string): DatasetNode {
  const { dataset } = open
  const node = dataset.require(from)
  for (const at of dataset.upFrom(parent)) {
    if (at.id === from) throw new FileError('file/bad-path', `${node.name} cannot be copied into itself`)
  }
  const { mode, mtimeNs, manifest, target } = node
  if (node.kind === 'file') return dataset.createFile(parent, name, { mode, mtimeNs, manifest })
  if (node.kind === 'link') return dataset.makeLink(parent, name, target ?? '', { mode, mtimeNs })
  const folder = dataset.makeFolder(parent, name, { mode })
  for (const child of dataset.children(from)) copyTree(open, child.id, folder.id, child.name)
  return folder
}

async function search(open: OpenDataset, from: NodeId, text: string, signal: AbortSignal) {
  const wanted = text.toLowerCase()
  const found: { info: DatasetNodeInfo; path: string }[] = []
  const waiting = [from]
  let looked = 0
  for (let folder = waiting.pop(); folder; folder = waiting.pop()) {
    signal.throwIfAborted()
    for (const child of open.dataset.children(folder)) {
      if (++looked > MAX_SEARCHED || found.length >= MAX_FOUND) return { found, isComplete: false }
      if (child.name.toLowerCase().includes(wanted)) found.push({ info: infoOf(open, child), path: open.dataset.pathOf(child.id) })
      if (child.kind === 'folder') waiting.push(child.id)
    }
    await Promise.resolve() // a call that is cancelled is heard between two folders
  }
  return { found, isComplete: true }
}
