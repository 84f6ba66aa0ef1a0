import { randomBytes } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fchmodSync,
  futimesSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  type WriteStream,
} from 'node:fs'
import { finished } from 'node:stream/promises'
import path from 'node:path'
import { once } from 'node:events'
import { type DatasetNodeInfo, type DatasetStatus, MAX_DATASET_PAGE, MAX_DATASET_PIECE_BYTES } from '../../files/dataset-contract.ts'
import type { DeviceClient } from './local-client.ts'

/** One call of `elsewhere fs VERB`. */
export interface FsCall {
  readonly device: DeviceClient
  readonly dataset: string
  readonly json: boolean
  readonly force: boolean
  readonly link: boolean
  /** The files as they were then; undefined: now. */
  readonly atMs: number | undefined
  /** For `policy`. */
  readonly copies?: string | undefined
  readonly on?: readonly string[] | undefined
  readonly args: readonly string[]
}

export const past = (atMs: number | undefined) => (atMs === undefined ? {} : { atMs })

export async function pin({ device, dataset, json, args }: FsCall, isPinned: boolean): Promise<number> {
  const { node, name } = await device.datasetAt({ dataset, path: required(args[0], 'PATH') })
  const size = await device.pinDatasetNode({ dataset, node, isPinned })
  const missing = size.missingFiles > 0 ? `; ${size.missingFiles} of them, ${megabytes(size.missingBytes)}, are on their way` : ''
  if (json) console.log(JSON.stringify(size))
  else if (isPinned) console.log(`${name || 'All of it'} is kept here: ${size.files} files, ${megabytes(size.bytes)}${missing}`)
  else console.log(`${name || 'All of it'} is not kept here any more than other files`)
  return 0
}

export async function emptyTrash(
  device: DeviceClient,
  dataset: string,
  nodes: readonly string[],
  { json, force }: Pick<FsCall, 'json' | 'force'>,
): Promise<number> {
  if (!force) {
    const { entries, bytes, freedBytes } = await device.datasetTrashSize({ dataset })
    const what = nodes.length > 0 ? `${nodes.length} of ${entries}` : String(entries)
    console.error(
      `${what} files and folders in the trash, ${megabytes(bytes)} in all; emptying all of it frees ${megabytes(freedBytes)} on this device`,
    )
    console.error('once your other devices have heard of it. They are gone on every device, and this cannot be undone: --force does it.')
    return 1
  }
  const emptied = await device.emptyDatasetTrash({ dataset, ...(nodes.length > 0 && { nodes: [...nodes] }) })
  console.log(json ? JSON.stringify(emptied) : `${emptied.entries} files and folders are gone for good`)
  return 0
}

export async function allOf(device: DeviceClient, dataset: string, node: string, atMs: number | undefined): Promise<DatasetNodeInfo[]> {
  const entries: DatasetNodeInfo[] = []
  for (;;) {
    const page = await device.listDatasetFolder({ dataset, node, ...past(atMs), from: entries.length, limit: MAX_DATASET_PAGE })
    entries.push(...page.entries)
    if (page.entries.length === 0 || entries.length >= page.total) return entries
  }
}

export async function readInto(device: DeviceClient, dataset: string, info: DatasetNodeInfo, to: NodeJS.WritableStream): Promise<void> {
  const { node, version } = info
  if (info.past === 'gone') throw new TypeError(`${info.name}: no version of that time is kept any more`)
  if (info.past === 'earlier') console.error(`${info.name}: that version is not kept any more; this is the one before it that is`)
  const ask = (offset: number) => device.readDatasetBytes({ dataset, node, version, offset, length: MAX_DATASET_PIECE_BYTES })
  let asked = ask(0)
  for (let offset = 0; ; ) {
    const { base64, bytes } = await asked
    const piece = Buffer.from(base64, 'base64')
    offset += piece.length
    const isLast = offset >= bytes || piece.length === 0
    // The next piece is on its way while this one is written.
    if (!isLast) {
      asked = ask(offset)
      asked.catch(() => {}) // told when it is waited for
    }
    if (piece.length > 0 && !to.write(piece)) await once(to, 'drain')
    if (isLast) return
  }
}

/** Copies a file out: whole, or what was there stays. */
export async function getInto(device: DeviceClient, dataset: string, info: DatasetNodeInfo, to: string): Promise<void> {
  const there = statSync(to, { throwIfNoEntry: false })
  if (there && !there.isFile()) return writeInto(device, dataset, info, createWriteStream(to)) // a pipe, a terminal
  const mode = there ? there.mode & 0o777 : 0o666 & ~process.umask()
  await getWhole(device, dataset, info, there ? realpathSync(to) : to, { mode })
}

/**
 * Takes the place of what is there, a link too, once all of it is written: until then it lies beside it under a name nobody knows before,
 * and is its owner's alone.
 */
export async function getWhole(
  device: DeviceClient,
  dataset: string,
  info: DatasetNodeInfo,
  to: string,
  { mode, mtimeMs }: { readonly mode: number; readonly mtimeMs?: number },
): Promise<void> {
  const part = path.join(path.dirname(to), `.elsewhere-${randomBytes(8).toString('hex')}.part`)
  const file = openSync(part, 'wx', 0o600)
  try {
    await writeInto(device, dataset, info, createWriteStream(part, { fd: file, autoClose: false })) // closes it where it fails
    try {
      fchmodSync(file, mode)
      if (mtimeMs !== undefined) futimesSync(file, mtimeMs / 1000, mtimeMs / 1000)
    } finally {
      closeSync(file)
    }
    renameSync(part, to)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}

/** What cannot be written (no such folder, a full disk) is heard of also while the device is waited for. */
async function writeInto(device: DeviceClient, dataset: string, info: DatasetNodeInfo, to: WriteStream): Promise<void> {
  const written = finished(to)
  try {
    await Promise.race([written, readInto(device, dataset, info, to).then(() => to.end())])
    await written
  } catch (error) {
    to.destroy()
    await written.catch(() => {}) // it is closed; the first error is the one to be told
    throw error
  }
}

/** Copies a file in: into a folder under its own name, or to a path. */
export async function put(device: DeviceClient, dataset: string, from: string, to: string): Promise<DatasetNodeInfo> {
  const source = statSync(from)
  if (!source.isFile()) throw new TypeError(`${from} is not a file`)
  const there = await find(device, dataset, to)
  const isFolder = there?.kind === 'folder'
  const { folder, name } = isFolder ? { folder: to, name: path.basename(from) } : splitPath(to)
  const found = isFolder ? await find(device, dataset, `${to}/${name}`) : there
  const parent = (await device.datasetAt({ dataset, path: folder })).node
  const target = found ? { node: found.node, base: found.version } : { parent, name, mode: source.mode & 0o777 }
  const { write } = await device.beginDatasetWrite({ dataset, to: target, mtimeMs: source.mtimeMs })
  for await (const piece of createReadStream(from, { highWaterMark: MAX_DATASET_PIECE_BYTES })) {
    await device.appendDatasetWrite({ write, base64: (piece as Buffer).toString('base64') })
  }
  return device.commitDatasetWrite({ write })
}

async function find(device: DeviceClient, dataset: string, at: string): Promise<DatasetNodeInfo | undefined> {
  try {
    return await device.datasetAt({ dataset, path: at })
  } catch (error) {
    if ((error as { code?: string }).code === 'file/not-found') return undefined
    throw error
  }
}

export function splitPath(at: string): { folder: string; name: string } {
  const trimmed = at.replace(/\/+$/, '')
  const slash = trimmed.lastIndexOf('/')
  const name = trimmed.slice(slash + 1)
  if (name === '') throw new TypeError('the top of a dataset has no name')
  return { folder: trimmed.slice(0, Math.max(slash, 0)) || '/', name }
}

export function lineOf({
  kind,
  bytes,
  mtimeMs,
  name,
  place,
  hasConflict,
  isConflictCopy,
  past,
  isLocal,
  pinned,
  isClockAhead,
}: DatasetNodeInfo): string {
  const letter = { file: '-', folder: 'd', link: 'l' }[kind]
  const kept = { exact: false, earlier: 'an earlier version of it is kept', gone: 'not kept any more' } as const
  const notes = [
    pinned && 'pinned',
    isLocal && 'only on this device',
    past && kept[past],
    place !== 'here' && place,
    hasConflict && 'written at once elsewhere',
    isConflictCopy && 'conflict copy',
    isClockAhead && 'by a clock that is ahead',
  ].filter(Boolean)
  return `${letter} ${String(bytes).padStart(12)}  ${timeOf(mtimeMs)}  ${name}${notes.length > 0 ? `  (${notes.join(', ')})` : ''}`
}

const STOPPED = {
  idle: '',
  fetching: ', being fetched',
  waiting: ', the rest waits for a device that has it',
  metered: ', the rest waits for a network that is not metered',
  full: ', there is no room for the rest',
} as const

/** What was fetched before anybody asked; undefined: nothing was wanted. */
export function prefetchLine({ state, files, bytes, doneFiles, doneBytes }: DatasetStatus['prefetch']): string | undefined {
  if (files === 0) return undefined
  return `${doneFiles} of ${files} files of your windows and the last ones written, ${megabytes(doneBytes)} of ${megabytes(bytes)}${STOPPED[state]}`
}

export const timeOf = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

export function required(value: string | undefined, what: string): string {
  if (value === undefined) throw new TypeError(`${what} is missing; "elsewhere fs --help" says more`)
  return value
}
