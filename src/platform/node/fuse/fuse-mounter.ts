import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Logger } from '../../../base/logger.ts'
import type { MountSetting, TreeMount, TreeMounter } from '../../../files/mount-keeper.ts'
import type { MountedTree } from '../../../files/mounted-tree.ts'
import type { OwnMounts } from '../own-mounts.ts'
import { FuseMount } from './fuse-mount.ts'

export interface FuseMounterOptions {
  /** Where the datasets lie: the choice is kept there, and its disk is the room there is. */
  readonly folder: string
  readonly home: string
  /** ELSEWHERE_MOUNT: `off`, or a folder. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly mounts: OwnMounts
  readonly log: Logger
}

/** The folder in the person's home, when nothing else was chosen. */
const DEFAULT_NAME = 'Elsewhere'

/**
 * Mounts with FUSE, and keeps where. By default `~/Elsewhere`, when this device's data lies in the same home: a device that
 * was given a folder elsewhere (a second one, one of a test) mounts nothing before it is told to.
 */
export class FuseMounter implements TreeMounter {
  readonly #options: FuseMounterOptions
  readonly #file: string
  #setting: MountSetting

  constructor(options: FuseMounterOptions) {
    this.#options = options
    this.#file = path.join(options.folder, 'mount.json')
    this.#setting = this.#asked() ??
      this.#kept() ?? { isOn: isBelow(options.home, options.folder), at: path.join(options.home, DEFAULT_NAME) }
  }

  get setting(): MountSetting {
    return this.#setting
  }

  keep(setting: MountSetting): void {
    this.#setting = setting
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 })
    writeFileSync(this.#file, JSON.stringify(setting), { mode: 0o600 })
  }

  mount(at: string, tree: MountedTree): Promise<TreeMount> {
    const { folder, mounts, log } = this.#options
    const owner = createHash('sha256').update(path.resolve(folder)).digest('hex').slice(0, 12)
    return FuseMount.open({ at, owner, tree, mounts, log })
  }

  space() {
    const { blocks, bavail, bsize } = statfsSync(this.#options.folder)
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize }
  }

  #asked(): MountSetting | undefined {
    const asked = this.#options.environment.ELSEWHERE_MOUNT
    if (!asked) return undefined
    const at = path.isAbsolute(asked) ? asked : path.join(this.#options.home, DEFAULT_NAME)
    return { isOn: asked !== 'off', at }
  }

  #kept(): MountSetting | undefined {
    try {
      const { isOn, at } = JSON.parse(readFileSync(this.#file, 'utf8')) as Partial<MountSetting>
      return typeof isOn === 'boolean' && typeof at === 'string' && path.isAbsolute(at) ? { isOn, at } : undefined
    } catch {
      return undefined // never chosen, or unreadable: the default
    }
  }
}

const isBelow = (folder: string, file: string): boolean => path.resolve(file).startsWith(`${path.resolve(folder)}${path.sep}`)
