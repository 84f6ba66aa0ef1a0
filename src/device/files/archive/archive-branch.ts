import { bytesOfBase64 } from '../../../base/base64.ts'
import { DATASET_ROOT, type datasetContract, type DatasetNodeInfo, MAX_DATASET_PAGE } from '../../../files/dataset-contract.ts'
import { FileError } from '../../../files/file-error.ts'
import { type FileEntry, type homeFilesContract, MAX_LISTED_PAGE } from '../../../files/home-files-contract.ts'
import type { CallOptions } from '../../../rpc/contract.ts'
import type { FilesClient } from '../../device-parts.ts'

/** Something that is put into an archive, with what is in it. */
export interface ArchiveBranch {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly bytes: number
  readonly modifiedMs: number
  /** Undefined where its place does not say. */
  readonly mode?: number
  children(options: CallOptions): AsyncIterable<ArchiveBranch>
  /** A part of the version that was opened first; `total`: bytes of all of it. A link is read where it leads. */
  openContent(): PieceReader
}

export type PieceReader = (offset: number, length: number, options: CallOptions) => Promise<{ bytes: Uint8Array; total: number }>

/** Asked for again at each call: the process, or the link, may be another by then. */
type HomeCalls = () => Promise<Pick<FilesClient, keyof typeof homeFilesContract>>
type DatasetCalls = () => Promise<Pick<FilesClient, keyof typeof datasetContract>>

/** Links followed one after another before they are taken for a circle; what Linux allows. */
const MAX_LINKS = 40

/** Entries of a folder of a device's home, by their names; what is gone is told as such when it is read. */
export async function* homeBranches(
  calls: HomeCalls,
  at: { readonly device: string; readonly folder: string; readonly names: readonly string[] },
  options: CallOptions,
): AsyncGenerator<ArchiveBranch> {
  const wanted = new Set(at.names)
  for await (const branch of homeChildren(calls, at.device, at.folder, options)) {
    if (wanted.delete(branch.name)) yield branch
    if (wanted.size === 0) return
  }
  for (const name of wanted) yield homeBranch(calls, at.device, at.folder, { name, kind: 'file', bytes: 0, modifiedMs: 0 })
}

async function* homeChildren(calls: HomeCalls, device: string, path: string, options: CallOptions): AsyncGenerator<ArchiveBranch> {
  for (let from = 0; ; from += MAX_LISTED_PAGE) {
    const { entries, total, truncated } = await (await calls()).listFolderPage({ device, path, from }, options)
    for (const entry of entries) yield homeBranch(calls, device, path, entry)
    if (from + MAX_LISTED_PAGE < total) continue
    if (truncated) throw new FileError('file/too-large', `only the first ${total} names of this folder can be listed`)
    return
  }
}

function homeBranch(calls: HomeCalls, device: string, folder: string, entry: Omit<FileEntry, 'hidden'>): ArchiveBranch {
  const { name, kind, bytes, modifiedMs } = entry
  const path = folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`
  const openContent = (): PieceReader => {
    let opened: string | undefined
    return async (offset, length, options) => {
      const known = opened === undefined ? {} : { version: opened }
      const piece = await (await calls()).readPiece({ device, path, ...known, offset, length }, options)
      opened = piece.version
      return { bytes: bytesOfBase64(piece.base64), total: piece.bytes }
    }
  }
  return { name, kind, bytes, modifiedMs, children: (options) => homeChildren(calls, device, path, options), openContent }
}

/** Entries of datasets; the top of one is a folder by its name. */
export async function* datasetBranches(
  calls: DatasetCalls,
  nodes: readonly { readonly dataset: string; readonly node: string }[],
  options: CallOptions,
): AsyncGenerator<ArchiveBranch> {
  for (const { dataset, node } of nodes) {
    const client = await calls()
    const { info, path } = await client.datasetNode({ dataset, node }, options)
    const name = node === DATASET_ROOT ? (await client.listDatasets({}, options)).find((one) => one.dataset === dataset)?.name : info.name
    yield datasetBranch(calls, dataset, { ...info, name: name ?? 'Files' }, path)
  }
}

async function* datasetChildren(
  calls: DatasetCalls,
  dataset: string,
  node: string,
  path: string,
  options: CallOptions,
): AsyncGenerator<ArchiveBranch> {
  for (let from = 0; ; ) {
    const { entries, total } = await (await calls()).listDatasetFolder({ dataset, node, from, limit: MAX_DATASET_PAGE }, options)
    for (const info of entries) yield datasetBranch(calls, dataset, info, `${path === '/' ? '' : path}/${info.name}`)
    from += entries.length
    if (entries.length === 0 || from >= total) return
  }
}

function datasetBranch(calls: DatasetCalls, dataset: string, info: DatasetNodeInfo, path: string): ArchiveBranch {
  const { name, kind, bytes, mtimeMs, mode, node } = info
  const openContent = (): PieceReader => {
    let opened: DatasetNodeInfo | undefined
    return async (offset, length, options) => {
      opened ??= await followLink(await calls(), dataset, info, path, options)
      const { node: of, version } = opened
      const piece = await (await calls()).readDatasetBytes({ dataset, node: of, version, offset, length }, options)
      return { bytes: bytesOfBase64(piece.base64), total: piece.bytes }
    }
  }
  const children = (options: CallOptions) => datasetChildren(calls, dataset, node, path, options)
  return { name, kind, bytes, modifiedMs: mtimeMs, mode, children, openContent }
}

/** The file that a link means, as long as it stays in its dataset. */
async function followLink(
  client: Awaited<ReturnType<DatasetCalls>>,
  dataset: string,
  info: DatasetNodeInfo,
  path: string,
  options: CallOptions,
): Promise<DatasetNodeInfo> {
  let [at, found] = [path, info]
  for (let links = 0; found.kind === 'link'; links++) {
    const target = found.target ?? ''
    if (links === MAX_LINKS) throw new FileError('file/bad-path', `${path} is a link that leads in a circle`)
    if (target.startsWith('/')) throw new FileError('file/not-found', `${path} is a link to ${target}, which is not among these files`)
    at = resolvePath(at, target)
    found = await client.datasetAt({ dataset, path: at }, options)
  }
  if (found.kind === 'file') return found
  throw new FileError('file/not-a-file', `${path} is a link to a folder; what is in there was not followed`)
}

/** `../b` said by the link `/a/l` is `/b`. */
function resolvePath(link: string, target: string): string {
  const parts = link.split('/').filter(Boolean).slice(0, -1)
  for (const part of target.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
