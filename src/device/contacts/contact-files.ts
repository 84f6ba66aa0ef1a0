import { FileError } from '../../files/file-error.ts'
import type { DatasetId, DeviceId } from '../../base/ids.ts'
import type { DatasetNodeInfo } from '../../files/dataset-contract.ts'
import type { SharedEntry } from '../../identity/contacts-contract.ts'
import type { LogGrantCheck } from '../../identity/log-grant-check.ts'
import type { CallContext, Handlers } from '../../rpc/contract.ts'
import { type contactFilesContract, SHARED_PAGE } from './contact-contract.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'
import { DeviceError } from '../device-error.ts'

export interface ContactFilesOptions {
  readonly device: DeviceId
  readonly grants: Pick<LogGrantCheck, 'require'>
  readonly files: Pick<ProcessConnection<Pick<FilesClient, 'datasetAt' | 'listDatasetFolder' | 'readDatasetBytes'>>, 'client'>
}

/**
 * Reading a dataset as a contact may: through this device, which holds the keys and hands none out. By path, so that what was
 * removed is not there any more. The grant is asked for at each call, and once more before anything is handed over.
 */
export function contactFilesHandlers({
  device,
  grants,
  files,
}: ContactFilesOptions): Pick<Handlers<typeof contactFilesContract>, 'listShared' | 'statShared' | 'readShared'> {
  const allowed = async <T>(dataset: string, path: string, work: (client: Awaited<ReturnType<typeof files.client>>) => Promise<T>) => {
    const question = { device, ability: 'files:read', dataset: dataset as DatasetId, target: path } as const
    grants.require(question)
    const answer = await work(await files.client())
    grants.require(question)
    return answer
  }
  /** What stays on this device only is no part of the dataset: no other device of mine sees it either. */
  const sharedAt = async (client: Awaited<ReturnType<typeof files.client>>, dataset: string, path: string, signal: AbortSignal) => {
    const info = await client.datasetAt({ dataset, path }, { signal })
    if (info.isLocal) throw new FileError('file/not-found', `${path.slice(0, 200)} is not in this dataset`)
    return info
  }
  return {
    listShared: ({ dataset, path, from }, { signal }) =>
      allowed(dataset, path, async (client) => {
        const { node } = await sharedAt(client, dataset, path, signal)
        const page = { dataset, node, from, limit: SHARED_PAGE, withoutLocal: true }
        const { entries, total } = await client.listDatasetFolder(page, { signal })
        return { entries: entries.map(sharedEntryOf), total }
      }),
    statShared: ({ dataset, path }, { signal }) =>
      allowed(dataset, path, async (client) => sharedEntryOf(await sharedAt(client, dataset, path, signal))),
    readShared: ({ dataset, path, version, offset, length }, { signal }: CallContext) =>
      allowed(dataset, path, async (client) => {
        const info = await sharedAt(client, dataset, path, signal)
        if (info.kind !== 'file' || info.version !== version) {
          throw new DeviceError('contact/changed', `${path.slice(0, 200)} was changed meanwhile; read it again from the start`)
        }
        return client.readDatasetBytes({ dataset, node: info.node, version, offset, length }, { signal })
      }),
  }
}

export const sharedEntryOf = ({ name, kind, mtimeMs, bytes, version }: DatasetNodeInfo): SharedEntry => ({
  name,
  kind,
  mtimeMs,
  bytes,
  version,
})
