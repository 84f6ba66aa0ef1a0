import { systemClock } from '../base/clock.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import { silentLogger } from '../base/logger.ts'
import { DatasetTree } from '../files/dataset-tree.ts'
import { FuseMount } from '../platform/node/fuse/fuse-mount.ts'
import { OwnMounts } from '../platform/node/own-mounts.ts'
import { DiskDatasetHost } from './disk-dataset-host.ts'
import type { MountProcessEvent } from './mount-process.ts'

/*
 * A dataset with its stores in a folder, mounted: `node disk-mount-process.ts FOLDER AT`. Says that it is mounted, as
 * `mount-process.ts` does, and ends when it is killed or unmounted.
 */
const say = (event: MountProcessEvent) => process.stdout.write(`${JSON.stringify(event)}\n`)

if (process.argv[1]?.endsWith('disk-mount-process.ts')) {
  const [folder, at] = process.argv.slice(2) as [string, string]
  const device = await new DiskDatasetHost(0, { folder }).start()
  const { dataset } = device.open
  const space = () => ({ totalBytes: 2 ** 40, freeBytes: 2 ** 39, files: 1 })
  const tree = new DatasetTree({ datasets: [{ name: 'Home', dataset }], clock: systemClock, log: silentLogger, space })
  try {
    const mount = await FuseMount.open({ at, owner: 'test', tree, mounts: new OwnMounts(), log: silentLogger })
    say({ t: 'mounted' })
    await mount.ended
  } catch (error) {
    say({ t: 'failed', code: errorCode(error), message: errorMessage(error) })
  }
  await device.stop()
  process.exit(0)
}
