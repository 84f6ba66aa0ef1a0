import type { Disposable } from '../base/disposable.ts'
import type { Clock } from '../base/clock.ts'
import type { DirectConnection } from './direct-sockets.ts'

/** What a connection confirmed counts half as much after every such time: as long as TCP needs to get over a lost packet or two. */
const HALF_MS = 300

/** One connection of a direct path: what is on its way by it, and how fast that goes. */
export class DirectLane {
  readonly connection: DirectConnection
  /** Looks at which none more were confirmed. */
  quietLooks = 0
  /** Bytes of parts taken in from it and not confirmed yet. */
  unconfirmed = 0
  /** They are confirmed then at the latest. */
  confirming: Disposable | undefined
  readonly #clock: Clock
  #inFlight = 0
  /** Bytes confirmed of late, and for how long some were on their way in that time. */
  #bytes = 0
  #busyMs = 0
  #sinceMs = 0

  constructor(connection: DirectConnection, clock: Clock) {
    this.connection = connection
    this.#clock = clock
  }

  /** Bytes of parts the other side has not confirmed. */
  get inFlight(): number {
    return this.#inFlight
  }

  sent(bytes: number): void {
    if (this.#inFlight === 0) {
      this.quietLooks = 0
      this.#sinceMs = this.#clock.monotonicMs()
    }
    this.#inFlight += bytes
  }

  confirmed(bytes: number): void {
    const nowMs = this.#clock.monotonicMs()
    const tookMs = nowMs - this.#sinceMs
    const kept = 0.5 ** (tookMs / HALF_MS)
    this.#bytes = this.#bytes * kept + bytes
    this.#busyMs = this.#busyMs * kept + tookMs
    this.#sinceMs = nowMs
    this.#inFlight -= bytes
    this.quietLooks = 0
  }

  /** When what is on its way will have come through, as it goes now; of one that confirms nothing, later and later. */
  dueMs(nowMs: number): number {
    if (this.#inFlight === 0) return 0
    const kept = 0.5 ** ((nowMs - this.#sinceMs) / HALF_MS)
    return (this.#inFlight * (this.#busyMs * kept + nowMs - this.#sinceMs)) / Math.max(1, this.#bytes * kept)
  }
}
