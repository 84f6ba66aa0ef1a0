import { createReadStream, lstatSync, readdirSync, readlinkSync, renameSync, type Stats, symlinkSync } from 'node:fs'
import path from 'node:path'
import { readFile } from 'node:fs/promises'
import { type DatasetNodeInfo, MAX_DATASET_FILES, MAX_DATASET_PIECE_BYTES, MAX_SMALL_FILE_BYTES } from '../../files/dataset-contract.ts'
import { allOf } from './fs-calls.ts'
import type { DeviceClient } from './local-client.ts'

/** Calls at once, of one file or of many small ones: while one waits for the disk, the next is read. */
const AT_ONCE = 4

export interface Imported {
  readonly files: number
  readonly folders: number
  readonly bytes: number
  /** There already, equal by size and time. */
  readonly same: number
  /** Neither file, folder nor link, or something else has its name there. */
  readonly skipped: readonly string[]
}

interface Found {
  readonly from: string
  readonly at: string
  readonly stats: Stats
}

/**
 * Copies a folder of this machine in, with modes, times and links; what is there already and equal is left, so an import that was cut
 * off goes on. Nothing of the folder is changed.
 *
 * @param to  path of the folder in the dataset; made when it is not there
 * @param tell  called now and then with what is done and what there is in all
 */
export async function importFolder(
  device: DeviceClient,
  dataset: string,
  from: string,
  to: string,
  tell: (done: { files: number; bytes: number }, all: { files: number; bytes: number }) => void,
): Promise<Imported> {
  const found = [...walk(from, to)]
  const folders = found.filter(({ stats }) => stats.isDirectory())
  const rest = found.filter(({ stats }) => !stats.isDirectory())
  const all = { files: rest.length, bytes: rest.reduce((sum, { stats }) => sum + (stats.isFile() ? stats.size : 0), 0) }
  const done = { files: 0, folders: 0, bytes: 0, same: 0, skipped: [] as string[] }
  const ids = new Map<string, string>()
  const nodeOf = async (at: string) => {
    const known = ids.get(at)
    if (known) return known
    const { node } = await device.datasetAt({ dataset, path: at })
    ids.set(at, node)
    return node
  }
  /** What lies in each folder that was there before. */
  const names = new Map<string, ReadonlyMap<string, DatasetNodeInfo>>()
  for (const { at } of folders) {
    const there = await find(device, dataset, at)
    if (there && there.kind !== 'folder') throw new TypeError(`${at} is there and is no folder; choose another place`)
    const { node } =
      there ?? (await device.makeDatasetFolder({ dataset, parent: await nodeOf(path.posix.dirname(at)), name: path.posix.basename(at) }))
    ids.set(at, node)
    if (there) names.set(at, new Map((await allOf(device, dataset, node, undefined)).map((entry) => [entry.name, entry])))
    done.folders++
  }
  const thereAt = (at: string) => names.get(path.posix.dirname(at))?.get(path.posix.basename(at))
  const put = async ({ from: file, at, stats }: Found) => {
    const there = thereAt(at)
    const parent = await nodeOf(path.posix.dirname(at))
    const name = path.posix.basename(at)
    if (stats.isSymbolicLink()) {
      const target = readlinkSync(file)
      if (there?.kind === 'link' && there.target === target) done.same++
      else if (there) done.skipped.push(file)
      else await device.makeDatasetLink({ dataset, parent, name, target })
    } else if (!stats.isFile() || (there && there.kind !== 'file')) done.skipped.push(file)
    else if (there && there.bytes === stats.size && Math.abs(there.mtimeMs - stats.mtimeMs) < 2) done.same++
    else {
      const target = there ? { node: there.node, base: there.version } : { parent, name, mode: stats.mode & 0o777 }
      const { write } = await device.beginDatasetWrite({ dataset, to: target, mtimeMs: stats.mtimeMs })
      for await (const piece of createReadStream(file, { highWaterMark: MAX_DATASET_PIECE_BYTES })) {
        await device.appendDatasetWrite({ write, base64: (piece as Buffer).toString('base64') })
        done.bytes += (piece as Buffer).length
        tell(done, all)
      }
      await device.commitDatasetWrite({ write })
    }
    done.files++
    tell(done, all)
  }
  const putMany = async (files: readonly Found[]) => {
    const contents = await Promise.all(files.map(({ from: file }) => readFile(file)))
    const isTooMuch = contents.reduce((sum, { length }) => sum + length, 0) > MAX_DATASET_PIECE_BYTES
    const grown = files.filter((_file, n) => isTooMuch || (contents[n] as Buffer).length > MAX_SMALL_FILE_BYTES)
    const same = files.flatMap((file, n) => (grown.includes(file) ? [] : [{ file, bytes: contents[n] as Buffer }]))
    const small = same.map(async ({ file: { at, stats }, bytes }) => ({
      parent: await nodeOf(path.posix.dirname(at)),
      name: path.posix.basename(at),
      mode: stats.mode & 0o777,
      mtimeMs: stats.mtimeMs,
      base64: bytes.toString('base64'),
    }))
    const answer = small.length > 0 ? await device.putDatasetFiles({ dataset, files: await Promise.all(small) }) : { put: [] }
    for (const [n, { file, bytes }] of same.entries()) {
      if (answer.put[n]) done.bytes += bytes.length
      else done.skipped.push(file.from)
      done.files++
    }
    for (const file of grown) await put(file)
    tell(done, all)
  }
  const isSmall = ({ at, stats }: Found) => stats.isFile() && stats.size <= MAX_SMALL_FILE_BYTES && !thereAt(at)
  const work: (() => Promise<void>)[] = [...inCalls(rest.filter(isSmall)).map((files) => () => putMany(files))]
  for (const file of rest) if (!isSmall(file)) work.push(() => put(file))
  let next = 0
  const worker = async () => {
    for (let one = work[next++]; one; one = work[next++]) await one()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return done
}

/** As many in each as one call takes, with some room: a file that is written to grows. */
function inCalls(files: readonly Found[]): (readonly Found[])[] {
  const calls: Found[][] = []
  let bytes = 0
  for (const file of files) {
    const last = calls.at(-1)
    bytes += file.stats.size
    if (last && last.length < MAX_DATASET_FILES && bytes <= MAX_DATASET_PIECE_BYTES / 2) last.push(file)
    else {
      calls.push([file])
      bytes = file.stats.size
    }
  }
  return calls
}

/** The folder gets another name, and a link to what was imported lies in its place. @returns the other name */
export function linkFromOldPlace(folder: string, mounted: string): string {
  const aside = `${folder} (before Elsewhere)`
  renameSync(folder, aside)
  try {
    symlinkSync(mounted, folder)
  } catch (error) {
    renameSync(aside, folder)
    throw error
  }
  return aside
}

/** Folders before what is in them. */
function* walk(from: string, at: string): Iterable<Found> {
  const stats = lstatSync(from)
  yield { from, at, stats }
  if (stats.isDirectory()) for (const name of readdirSync(from).sort()) yield* walk(path.join(from, name), path.posix.join(at, name))
}

async function find(device: DeviceClient, dataset: string, at: string) {
  try {
    return await device.datasetAt({ dataset, path: at })
  } catch (error) {
    if ((error as { code?: string }).code === 'file/not-found') return undefined
    throw error
  }
}
