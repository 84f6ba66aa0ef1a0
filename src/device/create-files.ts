import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import { bucketHandlers } from '../files/bucket/serve-bucket.ts'
import { DatasetHost } from '../files/dataset-host.ts'
import type { DatasetHostParts } from '../files/open-dataset.ts'
import type { HomeDisk } from '../files/home-disk.ts'
import { datasetHandlers } from '../files/serve-datasets.ts'
import { homeFileHandlers } from '../files/serve-files.ts'
import { workHandlers } from '../files/serve-work.ts'
import type { WorkFolders } from '../files/work-folder.ts'
import { MountKeeper, type TreeMounter } from '../files/mount-keeper.ts'
import type { Transport } from '../rpc/channel.ts'
import { serve } from '../rpc/serve.ts'
import { Wire } from '../rpc/wire.ts'
import { filesProcessContract } from './files/files-process-contract.ts'

export interface FilesProcessParts extends DatasetHostParts {
  readonly disk: HomeDisk
  readonly mounter: TreeMounter
  readonly workFolders: WorkFolders
}

export interface FilesProcess extends Disposable {
  serve(transport: Transport): Disposable
  /** Unmounts, makes versions of what was written, closes. `dispose` does not wait for it. */
  stop(): Promise<void>
}

/**
 * The inside of a files process. It has its own loop, so that a slow disk never blocks links or terminals. Whoever reached its
 * 0600 socket is this account, so everything is allowed. When the connection that brought the keys ends, they are wiped.
 */
export function createFiles(parts: FilesProcessParts): FilesProcess {
  const { disk, logger, mounter, clock, workFolders } = parts
  const datasets = new DatasetHost(parts)
  const mount = new MountKeeper({ host: datasets, mounter, clock, log: logger })
  const stop = async () => {
    await mount.stop().catch((error: unknown) => logger.error('the mount did not end well', { error: errorMessage(error) }))
    await datasets.stop()
  }
  return {
    dispose: () => void stop(),
    stop,
    serve(transport) {
      const owned = new DisposableStore()
      const wire = owned.add(new Wire(transport))
      const served = datasetHandlers(datasets)
      owned.add(served.owned)
      const keys = datasets.handlers()
      let hasKeys = false
      const openDataset: typeof keys.openDataset = (input, context) => {
        if (!hasKeys) owned.defer(() => void datasets.close())
        hasKeys = true
        return keys.openDataset(input, context)
      }
      const onBug = (error: unknown, name: string) => logger.error(`${name} failed`, { error: errorMessage(error) })
      const handlers = {
        ...homeFileHandlers(disk, parts.clock),
        ...served.handlers,
        ...mount.handlers(),
        ...workHandlers(datasets, workFolders),
        ...bucketHandlers(datasets, parts),
        ...keys,
        openDataset,
      }
      owned.add(serve(filesProcessContract, handlers, wire, { allow: () => true, onBug }))
      owned.add(wire.onDidClose(() => owned.dispose()))
      return owned
    },
  }
}
