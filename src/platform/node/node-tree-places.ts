import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, statSync, utimesSync } from 'node:fs'
import { realpath, rm } from 'node:fs/promises'
import path from 'node:path'
import { JobError } from '../../jobs/job-error.ts'
import type { LentTree, TreeFolder, TreePlaces } from '../../jobs/tree-folder.ts'
import { NodeTreeFolder } from './node-tree-folder.ts'
import { isFolder } from './pty-lydell.ts'

/** Copies of others' folders that are kept for the next job there, most recently used. */
const MAX_KEPT = 8

/** Copies of folders below one folder of the data folder: `run/` for attempts, `kept/` for the next one of the same origin. */
export class NodeTreePlaces implements TreePlaces {
  readonly #run: string
  readonly #kept: string
  readonly #home: string

  /** Removes what a host process before left in `run/`. */
  constructor(folder: string, home: string) {
    this.#run = path.join(folder, 'run')
    this.#kept = path.join(folder, 'kept')
    this.#home = home
    rmSync(this.#run, { recursive: true, force: true })
    for (const at of [this.#run, this.#kept]) mkdirSync(at, { recursive: true, mode: 0o700 })
  }

  async open(folder: string): Promise<TreeFolder> {
    if (!isFolder(folder)) throw new JobError('job/folder-gone', `the folder ${folder} is not there`)
    return new NodeTreeFolder(await realpath(folder))
  }

  async lend(attempt: string, origin: string): Promise<LentTree> {
    const kept = path.join(this.#kept, createHash('sha256').update(origin).digest('hex'))
    const at = path.join(this.#run, attempt)
    try {
      if (existsSync(kept)) renameSync(kept, at)
      else mkdirSync(at, { mode: 0o700 })
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      throw new JobError('job/disk-full', `there is no room for a job's folder on this device (${code}); free some space`, { cause })
    }
    return {
      folder: new NodeTreeFolder(at),
      path: at,
      freeBytes: () => {
        try {
          const { bavail, bsize } = statfsSync(at)
          return bavail * bsize
        } catch {
          return Number.POSITIVE_INFINITY // a job without a sandbox removed its folder: sending its results says so
        }
      },
      giveBack: async (keep) => {
        if (!keep || existsSync(kept)) return rm(at, { recursive: true, force: true })
        renameSync(at, kept)
        utimesSync(kept, new Date(), new Date())
        await this.#dropOldest()
      },
    }
  }

  refuses(folder: string): string | undefined {
    const at = path.resolve(folder)
    if (at === '/' || ['/usr', '/etc', '/var', '/bin', '/dev', '/proc', '/sys', '/tmp', '/home'].includes(at))
      return 'it belongs to the system'
    if (this.#home === at || this.#home.startsWith(`${at}/`)) return 'it is your whole home folder; run it from a folder in it'
    return undefined
  }

  async #dropOldest(): Promise<void> {
    const kept = readdirSync(this.#kept).map((name) => ({ name, atMs: statSync(path.join(this.#kept, name)).mtimeMs }))
    kept.sort((a, b) => b.atMs - a.atMs)
    for (const { name } of kept.slice(MAX_KEPT)) await rm(path.join(this.#kept, name), { recursive: true, force: true })
  }
}
