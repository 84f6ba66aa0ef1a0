import { chmodSync, lstatSync, mkdirSync, readlinkSync, type Stats, symlinkSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { errorMessage } from '../../base/errors.ts'
import type { DatasetNodeInfo } from '../../files/dataset-contract.ts'
import { allOf, getWhole } from './fs-calls.ts'
import type { DeviceClient } from './local-client.ts'

/** Files that are copied at once: while one waits for another device, the next is asked for. */
const AT_ONCE = 4
/** A folder that is being filled: its owner's alone, and by a bit that no other folder of one owner has, known by the next export. */
const FILLING = 0o1700

export interface Exported {
  readonly files: number
  readonly folders: number
  readonly bytes: number
  /** There already, equal by size and time. */
  readonly same: number
  /** Not copied, each with why. */
  readonly skipped: readonly string[]
}

export interface ExportOptions {
  /** The files as they were then. */
  readonly atMs: number | undefined
  /** What is there and differs is replaced; else it is left, and said. */
  readonly force: boolean
  tell(done: { files: number; bytes: number }): void
}

type Doing = { -readonly [Key in keyof Exported]: Exported[Key] } & { skipped: string[] }

/**
 * Copies a folder of a dataset out to this machine, with modes, times and links; what is there already and equal is left, so one that
 * was cut off goes on. Until all is in it a folder is its owner's alone. What cannot be read is told in the end and stops nothing else. Never writes through a link that lies in the way.
 *
 * @param to  the folder itself; made when it is not there
 */
export async function exportFolder(
  device: DeviceClient,
  dataset: string,
  folder: DatasetNodeInfo,
  to: string,
  { atMs, force, tell }: ExportOptions,
): Promise<Exported> {
  const done: Doing = { files: 0, folders: 0, bytes: 0, same: 0, skipped: [] }
  const skip = (at: string, why: unknown) => void done.skipped.push(`${at}: ${typeof why === 'string' ? why : errorMessage(why)}`)
  const copy = async (info: DatasetNodeInfo, at: string) => {
    const there = lookAt(at)
    if (info.kind === 'link') {
      const target = info.target ?? ''
      if (there?.isSymbolicLink() && readlinkSync(at) === target) done.same++
      else if (there) return skip(at, 'something else is there; it was left')
      else symlinkSync(target, at)
    } else if (there && !there.isFile()) return skip(at, 'something else is there; it was left')
    else if (there && there.size === info.bytes && Math.abs(there.mtimeMs - info.mtimeMs) < 2) done.same++
    else if (there && !force) return skip(at, 'another file is there; it was left (--force replaces it)')
    else {
      await getWhole(device, dataset, info, at, { mode: info.mode & 0o777 & ~process.umask(), mtimeMs: info.mtimeMs })
      done.bytes += info.bytes
    }
    done.files++
    tell(done)
  }
  const walk = async (info: DatasetNodeInfo, at: string): Promise<void> => {
    const there = lookAt(at)
    if (there && !there.isDirectory()) return skip(at, 'something else is there; it was left')
    const isOurs = !there || (there.mode & 0o7777) === FILLING // one that was cut off left it so
    if (!there) {
      if (at === to) mkdirSync(path.dirname(at), { recursive: true })
      mkdirSync(at, { mode: 0o700 })
      chmodSync(at, FILLING)
    }
    done.folders++
    const entries = await allOf(device, dataset, info.node, atMs)
    const rest = entries.filter(({ kind }) => kind !== 'folder').values()
    const worker = async () => {
      for (const one of rest) {
        const below = path.join(at, one.name)
        if (isName(one.name)) await copy(one, below).catch((error: unknown) => skip(below, error))
        else skip(at, `${JSON.stringify(one.name)} is no name here`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    for (const one of entries) {
      if (one.kind !== 'folder') continue
      const below = path.join(at, one.name)
      if (isName(one.name)) await walk(one, below).catch((error: unknown) => skip(below, error))
      else skip(at, `${JSON.stringify(one.name)} is no name here`)
    }
    // Last: who may not write into it could not have filled it, and filling it changed its time.
    if (isOurs) {
      chmodSync(at, info.mode & 0o777 & ~process.umask())
      utimesSync(at, info.mtimeMs / 1000, info.mtimeMs / 1000)
    }
  }
  await walk(folder, to)
  return done
}

/** What other devices wrote names it: nothing here leads out of the folder. */
const isName = (name: string) => name !== '' && name !== '.' && name !== '..' && path.basename(name) === name && !name.includes('\0')

/** The thing itself, where it is a link too. */
const lookAt = (at: string): Stats | undefined => lstatSync(at, { throwIfNoEntry: false })
