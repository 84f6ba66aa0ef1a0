import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'

/** While something runs for a contact the host is asked so often what. */
export const LOOK_MS = 10_000
/** Jobs with no more than this between them are one entry: who runs a thousand short ones writes no thousand. */
export const IDLE_MS = 60_000

interface Running {
  readonly devices: Set<DeviceId>
  readonly sinceMs: number
  /** When one was last seen to run. */
  lastMs: number
  count: number
}

export interface ContactJobRecordOptions {
  readonly host: Pick<ProcessConnection<Pick<HostClient, 'listForOthers'>>, 'client'>
  readonly ledger: LedgerRecorder
  readonly clock: Clock
  readonly log: Logger
}

/** What contacts run on this device, for its ledger (rule ID168): that a person began to, and how many ended after how long. */
export class ContactJobRecord implements Disposable {
  readonly #options: ContactJobRecordOptions
  readonly #owned = new DisposableStore()
  readonly #running = new Map<PersonId, Running>()
  #next: Disposable | undefined

  constructor(options: ContactJobRecordOptions) {
    this.#options = options
    this.#owned.defer(() => {
      for (const [person, running] of this.#running) this.#end(person, running)
    })
  }

  /** The host has taken a job of that device's. */
  begin(person: PersonId, peer: DeviceId): void {
    const { ledger, clock } = this.#options
    if (this.#owned.isDisposed) return
    const nowMs = clock.monotonicMs()
    let running = this.#running.get(person)
    if (!running) {
      running = { devices: new Set(), sinceMs: nowMs, lastMs: nowMs, count: 0 }
      this.#running.set(person, running)
      ledger.record({ kind: 'jobs-begun', peer, person })
      this.#lookLater()
    }
    running.devices.add(peer)
    running.lastMs = nowMs
    running.count++
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /** A device that runs nothing for contacts has no timer for it. */
  #lookLater(): void {
    if (this.#next || this.#owned.isDisposed || this.#running.size === 0) return
    this.#next = this.#owned.add(this.#options.clock.after(LOOK_MS, () => void this.#look()))
  }

  async #look(): Promise<void> {
    const { host, clock, log } = this.#options
    try {
      const askers = new Set((await (await host.client()).listForOthers({})).map(({ asker }) => asker))
      if (this.#owned.isDisposed) return
      const nowMs = clock.monotonicMs()
      for (const [person, running] of this.#running) {
        if ([...running.devices].some((device) => askers.has(device))) running.lastMs = nowMs
        else if (nowMs - running.lastMs >= IDLE_MS) this.#end(person, running)
      }
    } catch (error) {
      log.debug('what runs here for contacts is not known', { why: errorMessage(error) }) // the next look asks again
    } finally {
      if (this.#next) this.#owned.release(this.#next)
      this.#next = undefined
      this.#lookLater()
    }
  }

  #end(person: PersonId, { count, sinceMs, lastMs }: Running): void {
    this.#running.delete(person)
    this.#options.ledger.record({ kind: 'jobs-ended', person, count, forMs: Math.max(0, Math.round(lastMs - sinceMs)) })
  }
}
