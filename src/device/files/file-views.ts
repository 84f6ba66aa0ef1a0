import { toBase64Url } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { RandomSource } from '../../base/random.ts'
import { bytesOfBase64 } from '../../base/base64.ts'
import type { datasetContract } from '../../files/dataset-contract.ts'
import { FileError } from '../../files/file-error.ts'
import type { homeFilesContract } from '../../files/home-files-contract.ts'
import type { CallOptions, Handlers } from '../../rpc/contract.ts'
import { DeviceError } from '../device-error.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'
import type { DisplaySession } from '../desk/display-session.ts'
import { Archive } from './archive/archive.ts'
import { datasetBranches, homeBranches } from './archive/archive-branch.ts'
import { archiveFileName } from './archive/archive-name.ts'
import { type fileViewContract, PLAIN_BYTES, VIEW_PATH, VIEW_TYPES } from './file-view-contract.ts'

/** Open at a time by one display: a folder of pictures, seen whole, and a few that were opened. */
const MAX_VIEWS = 256

/** A file that one display looks at. It stays the version it was when it was opened. */
export interface FileView {
  readonly name: string
  readonly type: string
  readonly bytes: number
  readonly isDownload: boolean
  /** Aborted when nobody may look any more. */
  readonly signal: AbortSignal
  /** At most 1 MiB; fewer bytes at the end. @throws FileError `file/changed` and the like */
  read(offset: number, length: number, options: CallOptions): Promise<Uint8Array>
}

type Opened = Pick<FileView, 'name' | 'bytes' | 'read'>
type HomeCalls = Pick<FilesClient, keyof typeof homeFilesContract>
type DatasetCalls = Pick<FilesClient, keyof typeof datasetContract>

export interface FileViewsOptions {
  readonly local: ProcessConnection<FilesClient>
  /** Files of a device's home, wherever it is. @throws FileError `file/device-away` */
  homeOf(device: string): Promise<HomeCalls>
  readonly random: RandomSource
  readonly clock: Clock
}

interface Held {
  readonly view: FileView | Archive
  readonly entrance: string
  readonly closing: AbortController
}

/**
 * The files that displays look at, and the archives they bring out, over HTTP. Each has an address of 256 random bits, good for the cookie of the display that opened it
 * and for as long as that display is unlocked; whoever reads then is cut off.
 */
export class FileViews {
  readonly #options: FileViewsOptions
  readonly #held = new Map<string, Held>()

  constructor(options: FileViewsOptions) {
    this.#options = options
  }

  /** @param entrance  names the cookie of whoever asks */
  find(path: string, entrance: string): FileView | Archive | undefined {
    const held = this.#held.get(path)
    return held?.entrance === entrance ? held.view : undefined
  }

  handlers(session: DisplaySession): Handlers<typeof fileViewContract> {
    let own: Set<string> | undefined
    const close = (path: string) => {
      this.#held.get(path)?.closing.abort()
      this.#held.delete(path)
      own?.delete(path)
    }
    /** What this display opens until it is locked. */
    const hold = () => {
      const paths = new Set<string>()
      const dispose = () => {
        for (const one of [...paths]) close(one)
        if (own === paths) own = undefined
      }
      session.hold({ dispose })
      return paths
    }
    const entranceOf = () => {
      if (session.entrance !== undefined) return session.entrance
      throw new DeviceError('view/no-page', 'only a page can look at a file so; read it with "elsewhere fs get"')
    }
    const keep = (entrance: string, make: (signal: AbortSignal) => FileView | Archive) => {
      if (!session.isUnlocked) throw new DeviceError('device/locked', 'this display was locked meanwhile')
      const paths = (own ??= hold())
      // What is on its way to where the person wanted it is not cut off for a picture more.
      if (paths.size >= MAX_VIEWS) {
        const oldest = [...paths].find((one) => !isRead(this.#held.get(one)?.view))
        if (oldest === undefined) throw new DeviceError('view/too-many', `${MAX_VIEWS} archives are being read; wait for one of them`)
        close(oldest)
      }
      const path = `${VIEW_PATH}${toBase64Url(this.#options.random.bytes(32))}`
      const closing = new AbortController()
      this.#held.set(path, { view: make(closing.signal), entrance, closing })
      paths.add(path)
      return path
    }
    return {
      openFileView: async ({ of, isDownload = false }, { signal }) => {
        const entrance = entranceOf()
        const { name, bytes, read } = await ('dataset' in of ? this.#openShared(of, { signal }) : this.#openHome(of, { signal }))
        const type = VIEW_TYPES.get(endingOf(name)) ?? PLAIN_BYTES
        const path = keep(entrance, (closing) => ({ name, type, bytes, isDownload, read, signal: closing }))
        return { path, type, bytes }
      },
      openArchive: ({ name: what, of }) => {
        const name = archiveFileName(what)
        const { local, homeOf, clock } = this.#options
        const tops = (options: CallOptions) =>
          'nodes' in of ? datasetBranches(() => local.client(), of.nodes, options) : homeBranches(() => homeOf(of.device), of, options)
        return { path: keep(entranceOf(), (signal) => new Archive({ name, tops, signal, clock })), name }
      },
      archiveState: async ({ path, after }, { signal }) => {
        const held = own?.has(path) ? this.#held.get(path) : undefined
        if (!(held?.view instanceof Archive)) throw new DeviceError('view/closed', 'it is not open any more')
        return held.view.stateAfter(after, signal)
      },
      closeFileView: ({ path }) => {
        if (own?.has(path)) close(path)
        return {}
      },
    }
  }

  async #openHome({ device, path }: { device: string; path: string }, options: CallOptions): Promise<Opened> {
    const { homeOf } = this.#options
    const { bytes, version } = await (await homeOf(device)).readPiece({ device, path, offset: 0, length: 1 }, options)
    return {
      name: path.split('/').at(-1) ?? '',
      bytes,
      read: async (offset, length, reading) => {
        const piece = await (await homeOf(device)).readPiece({ device, path, version, offset, length }, reading)
        return bytesOfBase64(piece.base64)
      },
    }
  }

  async #openShared(of: { dataset: string; node: string; version?: string | undefined }, options: CallOptions): Promise<Opened> {
    const { dataset, node } = of
    const client: DatasetCalls = await this.#options.local.client()
    const { info } = await client.datasetNode({ dataset, node }, options)
    if (info.kind !== 'file') throw new FileError('file/not-a-file', `${info.name} is a ${info.kind}, not a file; it was not opened`)
    const version = of.version ?? info.version
    const isShown = version === info.version
    const bytes = isShown ? info.bytes : (await client.readDatasetBytes({ dataset, node, version, offset: 0, length: 1 }, options)).bytes
    return {
      name: info.name,
      bytes,
      read: async (offset, length, reading) => {
        const files = await this.#options.local.client()
        return bytesOfBase64((await files.readDatasetBytes({ dataset, node, version, offset, length }, reading)).base64)
      },
    }
  }
}

const isRead = (view: FileView | Archive | undefined): boolean => view instanceof Archive && view.isRead

/** `a.PNG` > `png`; none for `.profile`. */
function endingOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : ''
}
