import * as z from 'zod'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { type DeviceId, parseDeviceId } from '../base/ids.ts'
import type { RandomSource } from '../base/random.ts'
import { HOUR_MS, meetingDays, workspaceMeeting } from './meeting-keys.ts'
import type { RendezvousClient } from './rendezvous-client.ts'
import type { RendezvousPool } from './rendezvous-pool.ts'
import { SealedTopic } from './sealed-topic.ts'
import { type SignalNote, type Signaling, signalNote } from './signal-note.ts'

/** Devices of one person seen at once. */
const MAX_PEERS = 256

const deviceId = z
  .string()
  .max(44)
  .transform((text, context) => {
    try {
      return parseDeviceId(text)
    } catch {
      context.addIssue('not a device id')
      return z.NEVER
    }
  })

/** `here` is told to all on joining a topic, and to one as the answer to theirs. */
const letter = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('here'), from: deviceId, isAnswer: z.boolean() }),
  z.strictObject({ kind: z.literal('note'), from: deviceId, to: deviceId, note: signalNote }),
])
type Letter = z.infer<typeof letter>

/** One place where a peer can be written to. */
interface Route {
  readonly topic: SealedTopic
  readonly address: string
}

export interface RendezvousSignalingOptions {
  readonly self: DeviceId
  readonly rendezvousSecret: Uint8Array
  /** When there is room for no more, whoever is not a member makes place: a removed device may still know the secret. */
  readonly isMember: (device: DeviceId) => boolean
  readonly pool: RendezvousPool
  readonly clock: Clock
  readonly random: RandomSource
}

/**
 * Signaling over every rendezvous of the pool (SY63): in the topics of yesterday, today and tomorrow says who is here,
 * sealed, and passes notes to one device. Whoever holds the secret may claim any name here: the link's proof decides.
 */
export class RendezvousSignaling implements Signaling, Disposable {
  readonly #options: RendezvousSignalingOptions
  readonly #owned = new DisposableStore()
  readonly #received = this.#owned.add(new Emitter<{ readonly from: DeviceId; readonly note: SignalNote }>())
  readonly #seen = this.#owned.add(new Emitter<DeviceId>())
  readonly #routes = new Map<DeviceId, Route[]>()
  readonly #topics = new Map<RendezvousClient, Map<number, SealedTopic>>()
  readonly onDidReceive = this.#received.event
  readonly onDidSeePeer = this.#seen.event

  constructor(options: RendezvousSignalingOptions) {
    this.#options = options
    for (const client of options.pool.clients) this.#use(client)
    this.#owned.add(options.pool.onDidAdd((client) => this.#use(client)))
    this.#owned.add(options.pool.onDidRemove((client) => this.#leave(client)))
    this.#owned.add(
      options.clock.every(HOUR_MS, () => {
        for (const client of this.#topics.keys()) this.#use(client)
      }),
    )
    this.#owned.defer(() => {
      for (const client of [...this.#topics.keys()]) this.#leave(client)
    })
  }

  get peers(): ReadonlySet<DeviceId> {
    return new Set(this.#routes.keys())
  }

  send(to: DeviceId, note: SignalNote): boolean {
    const route = this.#routes.get(to)?.at(-1) // the newest: older addresses may be of a process that died
    if (route === undefined) return false
    this.#write(route, { kind: 'note', from: this.#options.self, to, note })
    return true
  }

  /** Joins the topics of these days and leaves those that are past. */
  #use(client: RendezvousClient): void {
    const topics = this.#topics.get(client) ?? new Map<number, SealedTopic>()
    this.#topics.set(client, topics)
    const days = meetingDays(this.#options.clock.nowMs())
    for (const day of days) if (!topics.has(day)) topics.set(day, this.#join(client, day))
    for (const [day, topic] of topics) {
      if (days.includes(day)) continue
      topics.delete(day)
      this.#forget((route) => route.topic === topic)
      topic.dispose()
    }
  }

  #leave(client: RendezvousClient): void {
    for (const topic of this.#topics.get(client)?.values() ?? []) {
      this.#forget((route) => route.topic === topic)
      topic.dispose()
    }
    this.#topics.delete(client)
  }

  #join(client: RendezvousClient, day: number): SealedTopic {
    const { rendezvousSecret, random, self } = this.#options
    const topic = new SealedTopic(client, workspaceMeeting(rendezvousSecret, day), random)
    topic.onDidJoin(() => topic.send(JSON.stringify({ kind: 'here', from: self, isAnswer: false } satisfies Letter)))
    topic.onDidLeave(({ member }) => this.#forget((route) => route.topic === topic && route.address === member))
    topic.onDidLose(() => this.#forget((route) => route.topic === topic))
    topic.onDidReceive(({ from, text }) => this.#receive({ topic, address: from }, text))
    return topic
  }

  #receive(route: Route, text: string): void {
    const read = parseLetter(text)
    const { self } = this.#options
    if (read === undefined || read.from === self) return
    if (read.kind === 'note') {
      if (read.to === self) this.#received.fire({ from: read.from, note: read.note })
      return
    }
    if (!read.isAnswer) this.#write(route, { kind: 'here', from: self, isAnswer: true })
    this.#remember(read.from, route)
  }

  #remember(peer: DeviceId, route: Route): void {
    const routes = this.#routes.get(peer) ?? []
    if (routes.some(({ topic, address }) => topic === route.topic && address === route.address)) return
    if (routes.length === 0 && !this.#makeRoom()) return
    const isNewAddress = !routes.some(({ address }) => address === route.address)
    this.#routes.set(peer, [...routes, route].slice(-MAX_PEERS))
    if (isNewAddress) this.#seen.fire(peer)
  }

  #makeRoom(): boolean {
    if (this.#routes.size < MAX_PEERS) return true
    const stranger = [...this.#routes.keys()].find((device) => !this.#options.isMember(device))
    return stranger !== undefined && this.#routes.delete(stranger)
  }

  #forget(isGone: (route: Route) => boolean): void {
    for (const [peer, routes] of this.#routes) {
      const left = routes.filter((route) => !isGone(route))
      if (left.length === 0) this.#routes.delete(peer)
      else this.#routes.set(peer, left)
    }
  }

  #write(route: Route, content: Letter): void {
    route.topic.send(JSON.stringify(content), route.address)
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

function parseLetter(text: string): Letter | undefined {
  try {
    return letter.parse(JSON.parse(text))
  } catch {
    return undefined // of a version we do not know, or of somebody who only knows the topic
  }
}
