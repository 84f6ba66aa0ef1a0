import { DATASET_ROOT, type DatasetNodeInfo, MAX_DATASET_PAGE, MAX_DATASET_PIECE_BYTES } from '../../../files/dataset-contract.ts'
import { MAX_READ_BYTES } from '../../../files/home-files-contract.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import { base64Of, bytesOfBase64 } from '../../../base/base64.ts'
import { type FileSource, type ListOptions, type PaneEntry, type PieceWork, SourceError, type SourceListing } from './file-source.ts'
import { baseName, parentPath } from './home-path.ts'

/** Links followed one after another before they are taken for a circle; what Linux allows. */
const MAX_LINKS = 40

type Calls = Pick<
  DeviceClient,
  | 'listDatasets'
  | 'datasetAt'
  | 'listDatasetFolder'
  | 'searchDataset'
  | 'readDatasetBytes'
  | 'makeDatasetFolder'
  | 'moveDatasetNode'
  | 'removeDatasetNode'
  | 'restoreDatasetNode'
  | 'copyDatasetNode'
  | 'beginDatasetWrite'
  | 'appendDatasetWrite'
  | 'commitDatasetWrite'
  | 'abandonDatasetWrite'
>

/** A file or folder of a dataset, and in which one. */
export interface Found {
  readonly dataset: string
  readonly info: DatasetNodeInfo
}

/** The person's datasets as this device has them: `/` lists them, `/Home/notes.md` lies in Home. */
export function datasetSource(client: Calls): FileSource {
  return {
    list: (path, options) => (path === '/' ? listDatasets(client) : listFolder(client, path, options)),
    async search(path, text, options) {
      const { dataset, info } = await findNode(client, path)
      const { found, isComplete } = await client.searchDataset({ dataset, node: info.node, text }, options)
      const top = `/${path.split('/')[1] ?? ''}`
      return { found: found.map((one) => ({ entry: one.info, path: `${top}${one.path}` })), isComplete }
    },
    async makeFolder(path) {
      const { dataset, info } = await findNode(client, parentPath(path))
      return client.makeDatasetFolder({ dataset, parent: info.node, name: baseName(path) })
    },
    async rename(path, to) {
      const { dataset, info } = await findNode(client, path)
      const target = await findNode(client, parentPath(to))
      if (target.dataset !== dataset) throw new SourceError('file/other-disk', 'that is another dataset; copy it there')
      return client.moveDatasetNode({ dataset, node: info.node, parent: target.info.node, name: baseName(to), replace: false })
    },
    async trash(path) {
      const { dataset, info } = await findNode(client, path)
      if (info.node === DATASET_ROOT) throw new SourceError('file/bad-path', 'a dataset cannot be put in its own trash')
      await client.removeDatasetNode({ dataset, node: info.node })
      return () => client.restoreDatasetNode({ dataset, node: info.node })
    },
    async readBytes(path, { signal }) {
      const found = await followLinks(client, path)
      if (found.info.bytes > MAX_READ_BYTES)
        throw new SourceError('file/too-large', `${path} is larger than ${MAX_READ_BYTES} bytes; download it to look at it`)
      return readAll(client, found, signal)
    },
    async download(path, { signal, onBytes }) {
      const found = await followLinks(client, path)
      let blob = new Blob([])
      for await (const piece of piecesOf(client, found, signal)) {
        blob = new Blob([blob, piece]) // the browser keeps large ones on its disk
        onBytes(piece.length)
      }
      return blob
    },
    async upload(path, blob, work) {
      const { dataset, info } = await findNode(client, parentPath(path))
      const to = { parent: info.node, name: baseName(path), mode: 0o644 }
      return writeContent(client, { dataset, to, ...(work.modifiedMs !== undefined && { mtimeMs: work.modifiedMs }) }, blob, work)
    },
    copy: (path, to) => copyNode(client, path, to),
    async archiveOf(folder, entries) {
      if (folder !== '/')
        return { nodes: entries.flatMap(({ shared }) => (shared ? [{ dataset: shared.dataset, node: shared.node }] : [])) }
      const names = new Set(entries.map(({ name }) => name))
      const datasets = (await client.listDatasets({})).filter(({ name }) => names.has(name))
      return { nodes: datasets.map(({ dataset }) => ({ dataset, node: DATASET_ROOT })) }
    },
    refusal: (path) => (path === '/' ? 'These are your datasets; open one' : undefined),
  }
}

/** What lies at a path, links not followed. @throws `dataset/locked` while the device opens its files, `file/not-found` */
export async function findNode(client: Pick<DeviceClient, 'listDatasets' | 'datasetAt'>, path: string): Promise<Found> {
  const [name = '', ...rest] = path.split('/').filter((part) => part !== '')
  const datasets = await client.listDatasets({})
  const found = datasets.find((one) => one.name === name)
  if (!found && datasets.length === 0)
    throw new SourceError('dataset/locked', 'your files are still being opened on this device; they are there in a moment')
  if (!found) throw new SourceError('file/not-found', `there is no dataset called ${name || '“”'}`)
  return { dataset: found.dataset, info: await client.datasetAt({ dataset: found.dataset, path: `/${rest.join('/')}` }) }
}

/** As findNode, but a link leads on, as long as it stays among the datasets. */
export async function followLinks(client: Pick<DeviceClient, 'listDatasets' | 'datasetAt'>, path: string): Promise<Found> {
  let at = path
  for (let links = 0; links < MAX_LINKS; links++) {
    const found = await findNode(client, at)
    if (found.info.kind !== 'link') return found
    const target = found.info.target ?? ''
    if (target.startsWith('/')) throw new SourceError('file/not-found', `${path} is a link to ${target}, which is not among these files`)
    at = resolvePath(parentPath(at), target)
  }
  throw new SourceError('file/bad-path', `${path} is a link that leads in a circle`)
}

/** The bytes of the version found, piece by piece; it stays that version while it is read. */
export async function* piecesOf(
  client: Pick<DeviceClient, 'readDatasetBytes'>,
  { dataset, info }: Found,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { node, version, bytes, kind, name } = info
  if (kind !== 'file') throw new SourceError('file/not-a-file', `${name} is not a file`)
  for (let offset = 0; offset < bytes; ) {
    const length = Math.min(MAX_DATASET_PIECE_BYTES, bytes - offset)
    const read = await client.readDatasetBytes({ dataset, node, version, offset, length }, signal ? { signal } : {})
    const piece = bytesOfBase64(read.base64)
    if (piece.length === 0) throw new SourceError('file/failed', `${name} ended before its ${bytes} bytes were read; try again`)
    yield piece
    offset += piece.length
  }
}

type WriteCalls = Pick<DeviceClient, 'beginDatasetWrite' | 'appendDatasetWrite' | 'commitDatasetWrite' | 'abandonDatasetWrite'>

/** New content of a file, or a new one. Given up whole when it is cut off or cancelled. */
export async function writeContent(
  client: WriteCalls,
  begin: Parameters<WriteCalls['beginDatasetWrite']>[0],
  blob: Blob,
  { signal, onBytes }: PieceWork,
): Promise<DatasetNodeInfo> {
  const { write } = await client.beginDatasetWrite(begin)
  try {
    for (let at = 0; at < blob.size; at += MAX_DATASET_PIECE_BYTES) {
      const piece = new Uint8Array(await blob.slice(at, at + MAX_DATASET_PIECE_BYTES).arrayBuffer())
      signal.throwIfAborted()
      await client.appendDatasetWrite({ write, base64: base64Of(piece) }, { signal })
      onBytes(piece.length)
    }
    signal.throwIfAborted()
    return await client.commitDatasetWrite({ write })
  } catch (error) {
    await client.abandonDatasetWrite({ write }).catch(() => undefined) // what went wrong first is what is told
    throw error
  }
}

async function copyNode(client: Calls, path: string, to: string): Promise<unknown> {
  const { dataset, info } = await findNode(client, path)
  const target = await findNode(client, parentPath(to))
  if (target.dataset !== dataset) throw new SourceError('file/other-disk', 'that is another dataset; download it and put it there')
  return client.copyDatasetNode({ dataset, node: info.node, parent: target.info.node, name: baseName(to) })
}

/** All bytes of the version found. */
export async function readAll(
  client: Pick<DeviceClient, 'readDatasetBytes'>,
  found: Found,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(found.info.bytes)
  let at = 0
  for await (const piece of piecesOf(client, found, signal)) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

async function listDatasets(client: Calls): Promise<SourceListing> {
  const datasets = await client.listDatasets({})
  const entries = datasets.map(({ name }): PaneEntry => ({ name, kind: 'folder', bytes: 0, modifiedMs: 0, hidden: false }))
  return { entries, truncated: false }
}

async function listFolder(client: Calls, path: string, { signal, onPart }: ListOptions): Promise<SourceListing> {
  const { dataset, info } = await findNode(client, path)
  const entries: PaneEntry[] = []
  for (;;) {
    const page = await client.listDatasetFolder({ dataset, node: info.node, from: entries.length, limit: MAX_DATASET_PAGE }, { signal })
    for (const one of page.entries) entries.push(entryOf(dataset, one))
    if (page.entries.length === 0 || entries.length >= page.total) return { entries, truncated: false }
    onPart?.(entries.length, page.total)
  }
}

function entryOf(dataset: string, info: DatasetNodeInfo): PaneEntry {
  const { name, kind, bytes, mtimeMs, node, version, place, isSafe, isConflictCopy, isLocal, pinned, isClockAhead } = info
  const shared = {
    dataset,
    node,
    version,
    place,
    isSafe,
    isConflictCopy,
    ...(isLocal && { isLocal }),
    ...(pinned && { pinned }),
    ...(isClockAhead && { isClockAhead }),
  }
  return { name, kind, bytes, modifiedMs: mtimeMs, hidden: name.startsWith('.'), shared }
}

/** `../b` seen from `/Home/a` is `/Home/b`. */
function resolvePath(folder: string, relative: string): string {
  const parts = folder.split('/').filter(Boolean)
  for (const part of relative.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
