import type { Handlers } from '../rpc/contract.ts'
import type { DatasetHost } from './dataset-host.ts'
import { fingerprintAt } from './fingerprint.ts'
import { layOut } from './lay-out.ts'
import { takeIn } from './take-in.ts'
import type { workContract } from './work-contract.ts'
import type { WorkFolders } from './work-folder.ts'

/** The files process's side of `workContract`. */
export function workHandlers(host: DatasetHost, folders: WorkFolders): Handlers<typeof workContract> {
  return {
    fingerprintPaths: ({ dataset, paths }) => {
      const view = host.require(dataset).dataset
      return { digests: paths.map((path) => fingerprintAt(view, path)) }
    },
    layOutWork: async ({ dataset, work, paths }, { signal }) => {
      const open = host.require(dataset)
      const { folder, path } = await folders.make(work)
      const laid = { files: 0, bytes: 0 }
      for (const one of paths) await layOut(open.dataset, one, folder, laid, signal)
      return { folder: path, ...laid }
    },
    takeInWork: async ({ dataset, work, paths }, { signal }) => {
      const { dataset: tree } = host.require(dataset)
      const folder = await folders.open(work)
      for (const one of paths) await takeIn(tree, one, folder, signal)
      await tree.sync()
      return { digests: paths.map(({ path }) => fingerprintAt(tree, path)) }
    },
    listWork: async () => ({ works: [...(await folders.list())] }),
    dropWork: async ({ work }) => {
      await folders.drop(work)
      return {}
    },
  }
}
