import os from 'node:os'
import path from 'node:path'
import { systemClock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import { createFiles } from '../../device/create-files.ts'
import { listenUnixSocket } from '../../platform/node/listen-unix-socket.ts'
import { networkMeter } from '../../platform/node/network-meter.ts'
import { NodeFilesCrypto } from '../../platform/node/node-files-crypto.ts'
import { FuseMounter } from '../../platform/node/fuse/fuse-mounter.ts'
import { OwnMounts } from '../../platform/node/own-mounts.ts'
import { NodeWorkFolders } from '../../platform/node/node-work-folders.ts'
import { NodeHomeDisk } from '../../platform/node/node-home-disk.ts'
import { TlsDirectSockets } from '../../platform/node/tls-direct-sockets.ts'
import { exchangeCandidatesAt, TEST_CANDIDATES_VARIABLE } from '../../platform/node/candidate-exchange.ts'
import type { DatachannelRtc } from '../../platform/node/datachannel-rtc.ts'
import { RtcDirectDials } from '../../platform/node/rtc-direct-dials.ts'
import { S3ObjectStore } from '../../platform/node/s3-object-store.ts'
import { openDatasetStores } from '../../platform/node/open-dataset-stores.ts'

export interface FilesOptions {
  readonly socketPath: string
  /** Where datasets lie. */
  readonly datasetsFolder: string
  /** Where work on copies of their files is done. */
  readonly workFolder: string
  readonly log: Logger
  /** HOME, XDG_DATA_HOME and ELSEWHERE_FOLLOW_OUTSIDE_HOME=1 (links and paths that leave the home folder), ELSEWHERE_MOUNT (`off` or a folder) count. In tests through a proxy nothing goes beside it. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The files process: reads and writes the home folder and datasets, served on its socket. */
export async function startFiles({
  socketPath,
  datasetsFolder,
  workFolder,
  log,
  environment,
}: FilesOptions): Promise<{ stop(): Promise<void> }> {
  const home = path.resolve(environment.HOME || os.homedir())
  const dataHome = environment.XDG_DATA_HOME
  const trash = path.join(dataHome && path.isAbsolute(dataHome) ? dataHome : path.join(home, '.local', 'share'), 'Trash')
  const mounts = new OwnMounts()
  const disk = new NodeHomeDisk({ home, trash, allowOutside: environment.ELSEWHERE_FOLLOW_OUTSIDE_HOME === '1', mounts })
  const exchange = environment[TEST_CANDIDATES_VARIABLE]
  let rtc: Promise<DatachannelRtc> | undefined
  const files = createFiles({
    disk,
    mounter: new FuseMounter({ folder: datasetsFolder, home, environment, mounts, log }),
    workFolders: new NodeWorkFolders(workFolder),
    crypto: new NodeFilesCrypto(),
    clock: systemClock,
    logger: log,
    directSockets: exchange === undefined ? new TlsDirectSockets() : undefined,
    directDials: new RtcDirectDials({
      // Few devices ever need it: what it loads is native, and has threads of its own.
      load: () => (rtc = import('../../platform/node/datachannel-rtc.ts').then(({ DatachannelRtc }) => new DatachannelRtc())),
      changeNote: exchange === undefined ? undefined : exchangeCandidatesAt(exchange),
    }),
    isMetered: networkMeter(),
    openBucket: (access) => new S3ObjectStore(access),
    openStores: (dataset, storageKey, part, isDamaged = false) => {
      const folder = path.join(datasetsFolder, dataset, part === 'local' ? 'local' : '')
      return openDatasetStores(folder, storageKey, environment, log, { part, isDamaged })
    },
  })
  const listening = await listenUnixSocket(socketPath, (transport) => files.serve(transport))
  return {
    stop: async () => {
      listening.dispose()
      await files.stop()
      await (await rtc?.catch(() => undefined))?.release() // what could not be loaded holds nothing
    },
  }
}
