import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import { RendezvousClient } from './rendezvous-client.ts'
import { RendezvousError } from './rendezvous-protocol.ts'
import type { OpenWebSocket } from './web-socket-like.ts'

/** Rendezvous used at once: own, settings, those of linked peers (all their addresses) and of the LAN. */
export const MAX_RENDEZVOUS = 32
/** On top of these, what contacts named: they take no place from own devices. */
export const MAX_CONTACTS_RENDEZVOUS = 16
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

/** Rendezvous as those see them who meet there. */
export interface MeetingPool {
  readonly clients: readonly RendezvousClient[]
  readonly onDidAdd: Event<RendezvousClient>
  readonly onDidRemove: Event<RendezvousClient>
}

interface Entry {
  readonly client: RendezvousClient
  /** How often each uses it. */
  readonly users: Map<RendezvousCircle, number>
}

/** The rendezvous of one circle: what its members named, and what this person's own devices use. Forgets its uses when disposed. */
export class RendezvousCircle implements MeetingPool, Disposable {
  readonly #own = new DisposableStore()
  readonly #all: () => readonly RendezvousClient[]
  readonly #take: (url: string) => Disposable
  readonly added = this.#own.add(new Emitter<RendezvousClient>())
  readonly removed = this.#own.add(new Emitter<RendezvousClient>())
  readonly onDidAdd = this.added.event
  readonly onDidRemove = this.removed.event

  constructor(all: () => readonly RendezvousClient[], take: (url: string) => Disposable) {
    this.#all = all
    this.#take = take
  }

  get clients(): readonly RendezvousClient[] {
    return this.#all()
  }

  /** @throws RendezvousError `rendezvous/bad-url`, `rendezvous/full` */
  use(url: string): Disposable {
    return this.#take(url)
  }

  dispose(): void {
    this.#own.dispose()
  }
}

/**
 * The rendezvous this device uses now. Several parts may want the same one; it is left when the last lets go (SY62). What a contact
 * named is seen in that contact's circle only: no topic of this person's devices, or of another contact, is joined there (SY101).
 */
export class RendezvousPool implements MeetingPool, Disposable {
  readonly #options: RendezvousPoolOptions
  readonly #entries = new Map<string, Entry>()
  readonly #circles = new Set<RendezvousCircle>()
  readonly #mine: RendezvousCircle
  readonly onDidAdd: Event<RendezvousClient>
  readonly onDidRemove: Event<RendezvousClient>
  #isOver = false

  constructor(options: RendezvousPoolOptions) {
    this.#options = options
    this.#mine = this.circle()
    this.onDidAdd = this.#mine.onDidAdd
    this.onDidRemove = this.#mine.onDidRemove
  }

  /** Those that this person's own devices use. */
  get clients(): readonly RendezvousClient[] {
    return this.#mine.clients
  }

  /** Also what contacts named. */
  get all(): readonly RendezvousClient[] {
    return [...this.#entries.values()].map(({ client }) => client)
  }

  /** For own devices. @throws RendezvousError `rendezvous/bad-url`, `rendezvous/full`  more than MAX_RENDEZVOUS */
  use(url: string): Disposable {
    return this.#mine.use(url)
  }

  /** Of one contact: no more than MAX_CONTACTS_RENDEZVOUS in all circles together, beside own ones. Dispose what uses it first. */
  circle(): RendezvousCircle {
    const clients = () => [...this.#entries.values()].filter((entry) => this.#sees(circle, entry)).map(({ client }) => client)
    const circle: RendezvousCircle = new RendezvousCircle(clients, (url) => this.#use(url, circle))
    this.#circles.add(circle)
    return circle
  }

  /** Its uses have been let go. */
  leave(circle: RendezvousCircle): void {
    this.#circles.delete(circle)
    circle.dispose()
  }

  hurry(): void {
    for (const client of this.all) client.hurry()
  }

  #use(url: string, circle: RendezvousCircle): Disposable {
    const canonical = parseRendezvousUrl(url)
    const known = this.#entries.get(canonical)
    if (this.#isOver || !this.#hasRoom(circle, known)) {
      throw new RendezvousError('rendezvous/full', `more than ${MAX_RENDEZVOUS} rendezvous at once; remove one in Settings`)
    }
    const entry: Entry = known ?? { client: new RendezvousClient({ ...this.#options, url: canonical }), users: new Map() }
    this.#entries.set(canonical, entry)
    this.#count(entry, circle, 1)
    return toDisposable(() => {
      if (this.#entries.get(canonical) !== entry) return // the pool is gone
      this.#count(entry, circle, -1)
      if (entry.users.size > 0) return
      this.#entries.delete(canonical)
      entry.client.dispose()
    })
  }

  #hasRoom(circle: RendezvousCircle, known: Entry | undefined): boolean {
    const isOwn = circle === this.#mine
    if (known && (!isOwn || known.users.has(circle))) return true
    const own = this.clients.length
    return isOwn ? own < MAX_RENDEZVOUS : this.#entries.size - own < MAX_CONTACTS_RENDEZVOUS
  }

  #sees(circle: RendezvousCircle, { users }: Entry): boolean {
    return users.has(this.#mine) || users.has(circle)
  }

  /** One use more or less; whoever sees it now, or no more, is told. */
  #count(entry: Entry, circle: RendezvousCircle, by: 1 | -1): void {
    const before = [...this.#circles].filter((one) => this.#sees(one, entry))
    const count = (entry.users.get(circle) ?? 0) + by
    if (count > 0) entry.users.set(circle, count)
    else entry.users.delete(circle)
    for (const one of this.#circles) {
      const [saw, sees] = [before.includes(one), this.#sees(one, entry)]
      if (sees && !saw) one.added.fire(entry.client)
      if (saw && !sees) one.removed.fire(entry.client)
    }
  }

  dispose(): void {
    this.#isOver = true
    for (const [url, entry] of [...this.#entries]) {
      this.#entries.delete(url)
      for (const circle of this.#circles) if (this.#sees(circle, entry)) circle.removed.fire(entry.client)
      entry.client.dispose()
    }
    for (const circle of this.#circles) circle.dispose()
  }
}
