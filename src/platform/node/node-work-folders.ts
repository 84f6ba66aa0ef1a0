import { existsSync, mkdirSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { FileError, fileErrorOf } from '../../files/file-error.ts'
import { MAX_WORK_FOLDERS } from '../../files/work-contract.ts'
import type { WorkFolder, WorkFolders } from '../../files/work-folder.ts'
import { NodeTreeFolder } from './node-tree-folder.ts'

const WORK = /^[0-9a-f]{32}$/

/** Work folders below one folder of the data folder, only this account's (rule FW4). */
export class NodeWorkFolders implements WorkFolders {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async make(work: string): Promise<{ readonly folder: WorkFolder; readonly path: string }> {
    const at = this.#at(work)
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      await rm(at, { recursive: true, force: true })
      await mkdir(at, { mode: 0o700 })
    } catch (error) {
      throw fileErrorOf(error, at)
    }
    return { folder: new NodeTreeFolder(at), path: at }
  }

  async list(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [] // none was made yet
      throw fileErrorOf(error, this.#folder)
    })
    return names.filter((name) => WORK.test(name)).slice(0, MAX_WORK_FOLDERS)
  }

  async open(work: string): Promise<WorkFolder> {
    const at = this.#at(work)
    if (!existsSync(at)) throw new FileError('file/not-found', `the folder of this work is gone from ${this.#folder}`)
    return new NodeTreeFolder(at)
  }

  async drop(work: string): Promise<void> {
    await rm(this.#at(work), { recursive: true, force: true }).catch((error: unknown) => {
      throw fileErrorOf(error, work)
    })
  }

  #at(work: string): string {
    if (!WORK.test(work)) throw new FileError('file/bad-path', 'that names no work folder')
    return path.join(this.#folder, work)
  }
}
