import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable.ts'
import type { Logger } from '../base/logger.ts'
import type { LanDiscovery } from './lan-discovery.ts'
import { HOUR_MS, lanTag, pairingLanTag, tagHours } from './meeting-keys.ts'
import { parseRendezvousUrl, type RendezvousPool } from './rendezvous-pool.ts'

/** Asked so often while nothing else happens; the first seconds and every network change are asked at once. */
const QUERY_EVERY_MS = 10 * 60_000
const FIRST_QUERIES_MS = [0, 1_000, 3_000]
/** Rendezvous taken from the LAN at once. Who floods it gets no more than this. */
const MAX_FROM_LAN = 8
/** One that could not be reached for so long belongs to a network we have left: its place is free. Six times what a try may take. */
const LEFT_BEHIND_MS = 30_000
/** Places that one machine gets: its rendezvous, and the one it had before it was started again. */
const MAX_PER_ADDRESS = 2
/** A LAN is told of so many contacts; the others are met at a rendezvous. */
const MAX_CONTACTS_ANNOUNCED = 8
/** When all places are taken by what answers, whoever is there longest makes way after this: nobody keeps the others out. */
const TURN_MS = 60_000

/** What the LAN is told of, besides pairings that go on. */
export interface LanSecrets {
  /** Absent before the device belongs to a workspace: then only pairing uses the LAN. */
  readonly rendezvousSecret: Uint8Array | undefined
  /** Recognised and not announced: secrets that devices which were away still go by. */
  readonly otherSecrets?: readonly Uint8Array[]
  /** Where contacts are met: recognised and announced. */
  readonly contactSecrets?: readonly Uint8Array[]
}

export interface LanMeetingOptions extends LanSecrets {
  readonly lan: LanDiscovery
  readonly pool: RendezvousPool
  /** Port of this device's own rendezvous, if it runs one. */
  readonly ownPort: number | undefined
  readonly clock: Clock
  readonly logger: Logger
}

interface Place {
  readonly use: Disposable
  /** By which it was found. */
  readonly tag: string
  readonly sinceMs: number
}

/**
 * Lets devices on one LAN meet with nothing set up (SY65): announces the hour's tag of the workspace (and of a meeting
 * number while pairing), and uses the rendezvous of whoever announces the same.
 */
export class LanMeeting implements Disposable {
  readonly #options: LanMeetingOptions
  readonly #owned = new DisposableStore()
  readonly #pairing = new Set<string>()
  readonly #used = new Map<string, Place>()
  #queries = new DisposableStore()
  #secrets: LanSecrets
  readonly #offered = new Set<string>()

  constructor(options: LanMeetingOptions) {
    this.#options = options
    this.#secrets = options
    const { lan, clock } = options
    this.#owned.add(lan.onDidFind(({ tag, url }) => this.#find(tag, url)))
    this.#owned.add(clock.every(QUERY_EVERY_MS, () => this.#refresh()))
    this.#owned.defer(() => {
      lan.announce([], undefined)
      this.#queries.dispose()
      for (const { use } of this.#used.values()) use.dispose()
    })
    this.hurry()
  }

  /** The network changed, or somebody is wanted now. */
  hurry(): void {
    this.#announce()
    this.#queries.dispose()
    this.#queries = new DisposableStore()
    for (const delayMs of FIRST_QUERIES_MS) this.#queries.add(this.#options.clock.after(delayMs, () => this.#options.lan.query()))
  }

  /** From now on the LAN is told of these: places found by others are left, pairings go on. */
  take(secrets: LanSecrets): void {
    this.#secrets = secrets
    for (const [url, { tag, use }] of [...this.#used]) {
      if (this.#isOurs(tag)) continue
      this.#used.delete(url)
      use.dispose()
    }
    this.hurry()
  }

  /** While the result lives, the meeting number is announced (`offer`) or looked for (`join`). */
  pair(meetingNumber: string, role: 'offer' | 'join'): Disposable {
    const tag = pairingLanTag(meetingNumber)
    const tags = role === 'offer' ? this.#offered : this.#pairing
    tags.add(tag)
    this.hurry()
    return toDisposable(() => {
      tags.delete(tag)
      this.#announce()
    })
  }

  #refresh(): void {
    this.#announce()
    this.#options.lan.query()
  }

  #announce(): void {
    const { lan, clock, ownPort } = this.#options
    const { rendezvousSecret, contactSecrets = [] } = this.#secrets
    const hour = Math.floor(clock.nowMs() / HOUR_MS)
    const secrets = [...(rendezvousSecret === undefined ? [] : [rendezvousSecret]), ...contactSecrets.slice(0, MAX_CONTACTS_ANNOUNCED)]
    lan.announce([...secrets.map((secret) => lanTag(secret, hour)), ...this.#offered], ownPort)
  }

  #isOurs(tag: string): boolean {
    const { rendezvousSecret, otherSecrets = [], contactSecrets = [] } = this.#secrets
    const { clock } = this.#options
    if (this.#pairing.has(tag)) return true
    const secrets = rendezvousSecret === undefined ? [] : [rendezvousSecret, ...otherSecrets, ...contactSecrets]
    return secrets.some((secret) => tagHours(clock.nowMs()).some((hour) => lanTag(secret, hour) === tag))
  }

  #find(tag: string, url: string): void {
    if (this.#used.has(url) || !this.#isOurs(tag) || !isOnLan(url) || !this.#makeRoom(url)) return
    try {
      this.#used.set(url, { use: this.#options.pool.use(url), tag, sinceMs: this.#options.clock.monotonicMs() })
      this.#options.logger.info('a rendezvous was found on the LAN', { url })
    } catch (error) {
      this.#options.logger.debug('a rendezvous on the LAN cannot be used', { url, message: String(error) })
    }
  }

  /**
   * The tag can be heard and said by anybody: a hostile machine must not keep the real one out, neither with many ports nor, for
   * longer than a turn, with many addresses. Links stay up whatever rendezvous comes and goes.
   */
  #makeRoom(url: string): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    const sameHost = [...this.#used].filter(([other]) => hostOf(other) === hostOf(url))
    if (sameHost.length >= MAX_PER_ADDRESS) return this.#leaveOne(sameHost, nowMs)
    return this.#used.size < MAX_FROM_LAN || this.#leaveOne([...this.#used], nowMs)
  }

  /** One of them is left: first one that cannot be reached, else whoever had its turn. They are in the order in which they came. */
  #leaveOne(places: readonly (readonly [string, Place])[], nowMs: number): boolean {
    const reached = new Set(this.#options.pool.clients.filter(({ isConnected }) => isConnected).map(({ url }) => url))
    const old = (ms: number) => places.filter(([, { sinceMs }]) => sinceMs <= nowMs - ms)
    const left = old(LEFT_BEHIND_MS).find(([url]) => !reached.has(parseRendezvousUrl(url))) ?? old(TURN_MS)[0]
    if (left === undefined) return false
    this.#used.delete(left[0])
    left[1].use.dispose()
    return true
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

/**
 * Anybody on a LAN hears the tag and can say it: what they name must not lead this device to programs of its own machine
 * (loopback), to the cloud it may run in (169.254.169.254), or to nobody (0.x, multicast).
 */
function isOnLan(url: string): boolean {
  const [first = 0, ...rest] = /^ws:\/\/(\d+)\.(\d+)\.(\d+)\.(\d+):\d+\/$/.exec(url)?.slice(1).map(Number) ?? []
  return first > 0 && first !== 127 && first < 224 && !(first === 169 && rest.join('.') === '254.169.254')
}

const hostOf = (url: string): string => url.slice(0, url.lastIndexOf(':'))
