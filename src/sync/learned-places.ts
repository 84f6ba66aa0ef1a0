import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { RendezvousCircle } from './rendezvous-pool.ts'

/** At most this many addresses of one peer's rendezvous are used. */
const MAX_URLS_PER_PEER = 4

type Places = Pick<RendezvousCircle, 'use'>

/** All that can be used; the others are left out, and the log says why. */
export function useAll(pool: Places, urls: readonly string[], logger: Logger): DisposableStore {
  const uses = new DisposableStore()
  for (const url of urls) {
    try {
      uses.add(pool.use(url))
    } catch (error) {
      logger.debug('a rendezvous that another device named cannot be used', { url, message: errorMessage(error) })
    }
  }
  return uses
}

/** Where linked peers say their own rendezvous listen (SY66): the newest word of each counts, of so many peers. */
export class LearnedPlaces implements Disposable {
  readonly #pool: Places
  readonly #logger: Logger
  readonly #maxPeers: number
  readonly #uses = new Map<DeviceId, Disposable>()

  constructor(pool: Places, logger: Logger, maxPeers = Number.POSITIVE_INFINITY) {
    this.#pool = pool
    this.#logger = logger
    this.#maxPeers = maxPeers
  }

  learn(peer: DeviceId, urls: readonly string[]): void {
    if (!this.#uses.has(peer) && this.#uses.size >= this.#maxPeers) return
    const uses = useAll(this.#pool, urls.slice(0, MAX_URLS_PER_PEER), this.#logger) // first: what stays is not left and joined anew
    this.#uses.get(peer)?.dispose()
    this.#uses.set(peer, uses)
  }

  dispose(): void {
    for (const uses of this.#uses.values()) uses.dispose()
    this.#uses.clear()
  }
}
