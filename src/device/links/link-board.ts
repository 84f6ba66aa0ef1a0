import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { RtcLinkSet } from '../../sync/link-set.ts'
import type { LinkBoard } from './links-service.ts'
import * as z from 'zod'

const SEEN = 'last-seen'
const RENDEZVOUS = 'rendezvous'

/** What is known of links and kept across restarts: when a device was last linked, and where its rendezvous listens. */
export class StoredLinkBoard implements LinkBoard {
  readonly #values: KeyValueStore
  readonly #clock: Clock
  readonly #set: () => RtcLinkSet | undefined

  constructor(values: KeyValueStore, clock: Clock, set: () => RtcLinkSet | undefined) {
    this.#values = values
    this.#clock = clock
    this.#set = set
  }

  stateOf(device: DeviceId): 'linked' | 'connecting' | 'away' {
    return this.#set()?.stateOf(device) ?? 'away'
  }

  statsOf(device: DeviceId) {
    return this.#set()?.links.get(device)?.stats()
  }

  lastSeenMs(device: DeviceId): number | undefined {
    const bytes = this.#values.get(SEEN, device)
    return bytes && Number(fromUtf8(bytes))
  }

  see(device: DeviceId): void {
    this.#values.put(SEEN, device, utf8(String(this.#clock.nowMs())))
  }

  keepRendezvous(device: DeviceId, urls: readonly string[]): void {
    this.#values.put(RENDEZVOUS, device, utf8(JSON.stringify(urls)))
  }

  get knownRendezvous(): ReadonlyMap<DeviceId, readonly string[]> {
    const urls = z.array(z.string())
    return new Map(this.#values.entries(RENDEZVOUS).map(([device, bytes]) => [device as DeviceId, urls.parse(JSON.parse(fromUtf8(bytes)))]))
  }
}
