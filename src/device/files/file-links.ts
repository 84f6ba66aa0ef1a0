import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { pipeChannels } from '../../rpc/pipe-channels.ts'
import type { DirectFiles } from './direct-files.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'
import type { Peer, Peers } from '../links/peers.ts'

export interface FileLinksOptions {
  readonly local: ProcessConnection<FilesClient>
  readonly peers: Peers
  readonly direct: DirectFiles
  /** This device's id; undefined while it is locked. */
  self(): string | undefined
  readonly clock: Clock
  readonly log: Logger
}

/** What may be on its way between two files processes: 80 ms of 25 MB/s. */
export const FILES_HIGH_BYTES = 2 * 1024 * 1024
/** A pipe that ended while the link goes on (a files process was started again) is laid anew after this. */
const AGAIN_MS = 500

/**
 * Joins this device's files process with that of each linked device, over the files lane. Of two devices the one whose id comes
 * first does it, so that there is one pipe; the device processes only pass bytes on.
 */
export class FileLinks implements Disposable {
  readonly #options: FileLinksOptions
  readonly #owned = new DisposableStore()

  constructor(options: FileLinksOptions) {
    this.#options = options
    this.#owned.add(options.peers.onDidAdd((peer) => void this.#join(peer)))
  }

  dispose(): void {
    this.#owned.dispose()
  }

  async #join(peer: Peer): Promise<void> {
    const { local, peers, direct, self, clock, log } = this.#options
    const own = self()
    const isLinked = () => !this.#owned.isDisposed && peers.all.includes(peer)
    if (own === undefined || own > peer.device || !isLinked()) return
    const again = () => {
      if (!isLinked()) return
      const timer = this.#owned.add(
        clock.after(AGAIN_MS, () => {
          this.#owned.release(timer)
          void this.#join(peer)
        }),
      )
    }
    try {
      const client = await local.client()
      const near = client.channel((await client.linkFiles({ device: peer.device, ...direct.wayOf(peer.device) })).channel)
      try {
        const far = peer.files.channel((await peer.files.linkFiles({})).channel)
        far.onDidClose(again)
        direct.watch(near)
        pipeChannels(near, far, FILES_HIGH_BYTES)
      } catch (error) {
        near.dispose()
        throw error
      }
    } catch (error) {
      log.debug('files of a linked device cannot be reached yet', { peer: peer.device, code: errorCode(error) })
      if (errorCode(error) !== 'rpc/unknown-method') again()
    }
  }
}
