import { existsSync, mkdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { FileError, fileErrorOf } from '../../files/file-error.ts'
import type { WorkFolder, WorkFolders } from '../../files/work-folder.ts'
import { NodeTreeFolder } from './node-tree-folder.ts'

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
    if (!/^[0-9a-f]{32}$/.test(work)) throw new FileError('file/bad-path', 'that names no work folder')
    return path.join(this.#folder, work)
  }
}
