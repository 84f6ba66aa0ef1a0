import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { GuestJob, guestJobsContract } from '../../jobs/guest-jobs-contract.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'

/** Whoever starts and ends jobs over and over makes displays draw no more often. */
const SETTLE_MS = 300

/** Jobs of other devices on this one, for its displays (rule JB111). The host knows them; this asks when it says that they changed. */
export class GuestJobs implements Disposable {
  readonly #options: { readonly local: ProcessConnection<HostClient>; readonly clock: Clock; readonly log: Logger }
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<GuestJob[]>())
  #waiting: Disposable | undefined

  constructor(options: { readonly local: ProcessConnection<HostClient>; readonly clock: Clock; readonly log: Logger }) {
    this.#options = options
    this.#owned.add(
      options.local.onDidConnect((host) => {
        host.onDidChangeForOthers(() => this.#tellSoon())
        this.#tellSoon() // what ran in a host that is gone has ended
      }),
    )
    this.#owned.defer(() => this.#waiting?.dispose())
  }

  handlers(): Handlers<typeof guestJobsContract> {
    const { local } = this.#options
    return {
      listGuestJobs: async () => (await local.client()).listForOthers({}),
      endGuestJob: async (input, { signal }) => (await local.client()).endForOthers(input, { signal }),
      onDidChangeGuestJobs: this.#changed.event,
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #tellSoon(): void {
    if (!this.#changed.hasListeners || this.#owned.isDisposed) return
    this.#waiting ??= this.#options.clock.after(SETTLE_MS, () => void this.#tell())
  }

  async #tell(): Promise<void> {
    this.#waiting = undefined
    const { local, log } = this.#options
    try {
      this.#changed.fire(await (await local.client()).listForOthers({}))
    } catch (error) {
      log.debug('what runs here for others is not known', { why: errorMessage(error) }) // the next connection asks again
    }
  }
}
