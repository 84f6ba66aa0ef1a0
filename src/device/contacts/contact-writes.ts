import type { DisposableStore } from '../../base/disposable.ts'
import { errorCode } from '../../base/errors.ts'
import type { DatasetId, DeviceId } from '../../base/ids.ts'
import { FileError } from '../../files/file-error.ts'
import type { LogGrantCheck } from '../../identity/log-grant-check.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { contactFilesContract } from './contact-contract.ts'
import { sharedEntryOf } from './contact-files.ts'
import { DeviceError } from '../device-error.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'

type WritingClient = Pick<
  FilesClient,
  | 'datasetAt'
  | 'beginDatasetWrite'
  | 'appendDatasetWrite'
  | 'commitDatasetWrite'
  | 'abandonDatasetWrite'
  | 'makeDatasetFolder'
  | 'removeDatasetNode'
>

export interface ContactWritesOptions {
  readonly device: DeviceId
  readonly grants: Pick<LogGrantCheck, 'require' | 'watch'>
  readonly files: Pick<ProcessConnection<WritingClient>, 'client'>
  /** Lives as long as the link: what was not committed by then is given up. */
  readonly owned: DisposableStore
}

/** Files that one device of a contact writes at once. */
export const MAX_CONTACT_WRITES = 8
/** Of one of them: it lies on this device's disk before anybody has seen it. */
const MAX_WRITE_BYTES = 1024 ** 3

interface OpenWrite {
  readonly dataset: string
  readonly path: string
  bytes: number
  /** No longer asks whether it may go on. */
  stop: () => void
}

type Writing = 'beginSharedWrite' | 'appendSharedWrite' | 'commitSharedWrite' | 'abandonSharedWrite' | 'makeSharedFolder' | 'removeShared'

/**
 * Changing a dataset as a contact may (rule ID163): through this device, by path, only what is in the dataset, and what goes goes to its
 * trash. The grant is asked for at each call; where it ends, what is being written is given up.
 */
export function contactWritesHandlers(options: ContactWritesOptions): Pick<Handlers<typeof contactFilesContract>, Writing> {
  const { device, grants, files, owned } = options
  const open = new Map<string, OpenWrite>()
  /** Asked for and not open yet: they count as well, or as many as are asked for at once would pass the limit. */
  let begun = 0
  const question = (dataset: string, path: string) =>
    ({ device, ability: 'files:write', dataset: dataset as DatasetId, target: path }) as const
  const allowed = async (dataset: string, path: string) => {
    grants.require(question(dataset, path))
    const client = await files.client()
    grants.require(question(dataset, path))
    return client
  }
  const giveUp = (write: string) => {
    open.get(write)?.stop()
    if (!open.delete(write)) return
    void files
      .client()
      .then((client) => client.abandonDatasetWrite({ write }))
      .catch(() => undefined) // the files process is away, and with it what was not committed
  }
  owned.defer(() => {
    for (const write of [...open.keys()]) giveUp(write)
  })
  const find = async (client: WritingClient, dataset: string, path: string) => {
    try {
      return await client.datasetAt({ dataset, path })
    } catch (error) {
      if (errorCode(error) === 'file/not-found') return undefined
      throw error
    }
  }
  /** The folder that it is to lie in. @throws FileError `file/not-found`, `file/exists` */
  const parentOf = async (client: WritingClient, dataset: string, path: string) => {
    const at = path.lastIndexOf('/')
    const parent = await client.datasetAt({ dataset, path: path.slice(0, at) || '/' })
    if (parent.isLocal || parent.kind !== 'folder') throw notThere(path)
    return { parent: parent.node, name: path.slice(at + 1) }
  }
  const require = (write: string): OpenWrite => {
    const known = open.get(write)
    if (known) return known
    throw new FileError('file/not-found', 'what was being written was given up; write it again')
  }

  const begin = async (dataset: string, path: string, version: string | undefined) => {
    const client = await allowed(dataset, path)
    const there = await find(client, dataset, path)
    if (there && (there.isLocal || version === undefined)) throw new FileError('file/exists', `${path.slice(0, 200)} is there already`)
    if (there ? there.kind !== 'file' || there.version !== version : version !== undefined) throw changed(path)
    const to = there ? { node: there.node, base: there.version } : await parentOf(client, dataset, path)
    grants.require(question(dataset, path))
    const { write } = await client.beginDatasetWrite({ dataset, to })
    const held: OpenWrite = { dataset, path, bytes: 0, stop: () => undefined }
    open.set(write, held)
    // What is not granted any more is said at once.
    const watching = grants.watch(question(dataset, path), () => giveUp(write))
    if (open.has(write)) held.stop = () => watching.dispose()
    else watching.dispose()
    if (owned.isDisposed) giveUp(write) // the link went meanwhile, and nothing comes over it to end this
    require(write)
    return { write }
  }

  return {
    beginSharedWrite: async ({ dataset, path, version }) => {
      if (open.size + begun >= MAX_CONTACT_WRITES) {
        throw new FileError('file/failed', `${MAX_CONTACT_WRITES} files are being written over this link; finish one first`)
      }
      begun++
      try {
        return await begin(dataset, path, version)
      } finally {
        begun--
      }
    },
    appendSharedWrite: async ({ write, base64 }) => {
      const known = require(write)
      known.bytes += Math.floor((base64.length * 3) / 4)
      if (known.bytes > MAX_WRITE_BYTES) {
        giveUp(write)
        throw new FileError('file/failed', `a contact writes files of ${MAX_WRITE_BYTES / 1024 ** 3} GiB at most here`)
      }
      const client = await allowed(known.dataset, known.path)
      return client.appendDatasetWrite({ write, base64 })
    },
    commitSharedWrite: async ({ write }) => {
      const { dataset, path, stop } = require(write)
      const client = await allowed(dataset, path)
      stop()
      open.delete(write)
      return sharedEntryOf(await client.commitDatasetWrite({ write }))
    },
    abandonSharedWrite: ({ write }) => {
      giveUp(write)
      return {}
    },
    makeSharedFolder: async ({ dataset, path }) => {
      const client = await allowed(dataset, path)
      if (await find(client, dataset, path)) throw new FileError('file/exists', `${path.slice(0, 200)} is there already`)
      const at = await parentOf(client, dataset, path)
      grants.require(question(dataset, path))
      return sharedEntryOf(await client.makeDatasetFolder({ dataset, ...at }))
    },
    removeShared: async ({ dataset, path, version }) => {
      const client = await allowed(dataset, path)
      const there = await client.datasetAt({ dataset, path })
      if (there.isLocal || path === '/') throw notThere(path)
      if (there.version !== version) throw changed(path)
      grants.require(question(dataset, path))
      await client.removeDatasetNode({ dataset, node: there.node })
      return {}
    },
  }
}

const notThere = (path: string) => new FileError('file/not-found', `${path.slice(0, 200)} is not in this dataset`)
const changed = (path: string) =>
  new DeviceError('contact/changed', `${path.slice(0, 200)} was changed meanwhile; look at it again, then say what you replace`)
