import type { Clock } from '../base/clock.ts'
import { type Disposable, toDisposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import { RendezvousClient } from './rendezvous-client.ts'
import { RendezvousError } from './rendezvous-protocol.ts'
import type { OpenWebSocket } from './web-socket-like.ts'

/** Rendezvous used at once: own, settings, those of linked peers (all their addresses) and of the LAN. */
export const MAX_RENDEZVOUS = 32
const MAX_URL_CHARACTERS = 512

/**
 * A rendezvous address as a person or a peer gives it, in its one canonical form.
 *
 * @throws RendezvousError `rendezvous/bad-url`
 */
export function parseRendezvousUrl(text: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`
  const match = text.length <= MAX_URL_CHARACTERS ? /^(wss?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?\/?$/i.exec(withScheme) : null
  const port = match?.[3] === undefined ? undefined : Number(match[3])
  if (match === null || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new RendezvousError('rendezvous/bad-url', 'a rendezvous is written ws://HOST:PORT or wss://HOST; check it in Settings')
  }
  return `${match[1]?.toLowerCase()}://${match[2]?.toLowerCase()}${port === undefined ? '' : `:${port}`}/`
}

export interface RendezvousPoolOptions {
  readonly openSocket: OpenWebSocket
  readonly clock: Clock
  readonly random: RandomSource
  readonly logger: Logger
}

/** The rendezvous this device uses now. Several parts may want the same one; it is left when the last lets go (SY62). */
export class RendezvousPool implements Disposable {
  readonly #options: RendezvousPoolOptions
  readonly #clients = new Map<string, { readonly client: RendezvousClient; users: number }>()
  readonly #added = new Emitter<RendezvousClient>()
  readonly #removed = new Emitter<RendezvousClient>()
  readonly onDidAdd = this.#added.event
  readonly onDidRemove = this.#removed.event
  #isOver = false

  constructor(options: RendezvousPoolOptions) {
    this.#options = options
  }

  get clients(): readonly RendezvousClient[] {
    return [...this.#clients.values()].map(({ client }) => client)
  }

  /** @throws RendezvousError `rendezvous/bad-url`, `rendezvous/full`  more than MAX_RENDEZVOUS */
  use(url: string): Disposable {
    const canonical = parseRendezvousUrl(url)
    let entry = this.#clients.get(canonical)
    if (entry === undefined) {
      if (this.#clients.size >= MAX_RENDEZVOUS || this.#isOver) {
        throw new RendezvousError('rendezvous/full', `more than ${MAX_RENDEZVOUS} rendezvous at once; remove one in Settings`)
      }
      entry = { client: new RendezvousClient({ ...this.#options, url: canonical }), users: 0 }
      this.#clients.set(canonical, entry)
      this.#added.fire(entry.client)
    }
    const used = entry
    used.users++
    return toDisposable(() => {
      if (--used.users === 0) this.#remove(canonical)
    })
  }

  hurry(): void {
    for (const client of this.clients) client.hurry()
  }

  #remove(url: string): void {
    const entry = this.#clients.get(url)
    if (entry === undefined) return
    this.#clients.delete(url)
    this.#removed.fire(entry.client)
    entry.client.dispose()
  }

  dispose(): void {
    this.#isOver = true
    for (const url of [...this.#clients.keys()]) this.#remove(url)
  }
}
