import { createReadStream, lstatSync, readdirSync, readlinkSync, renameSync, type Stats, symlinkSync } from 'node:fs'
import path from 'node:path'
import { MAX_DATASET_PIECE_BYTES } from '../../files/dataset-contract.ts'
import type { DeviceClient } from './local-client.ts'

/** Files sent at once: small ones wait for answers, not for the disk. */
const AT_ONCE = 8

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
  for (const { at } of folders) {
    const there = await find(device, dataset, at)
    if (there && there.kind !== 'folder') throw new TypeError(`${at} is there and is no folder; choose another place`)
    const { node } =
      there ?? (await device.makeDatasetFolder({ dataset, parent: await nodeOf(path.posix.dirname(at)), name: path.posix.basename(at) }))
    ids.set(at, node)
    done.folders++
  }
  const put = async ({ from: file, at, stats }: Found) => {
    const there = await find(device, dataset, at)
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
  let next = 0
  const worker = async () => {
    for (let one = rest[next++]; one; one = rest[next++]) await put(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return done
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
