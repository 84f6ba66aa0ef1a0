import * as z from 'zod'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { type DeviceId, parseDeviceId } from '../base/ids.ts'
import type { RandomSource } from '../base/random.ts'
import type { DeviceCheck, DeviceSigner } from './device-check.ts'
import { HOUR_MS, meetingDays, workspaceMeeting } from './meeting-keys.ts'
import type { RendezvousClient } from './rendezvous-client.ts'
import type { RendezvousPool } from './rendezvous-pool.ts'
import { SealedTopic } from './sealed-topic.ts'
import { type SignalNote, type Signaling, signalNote } from './signal-note.ts'
import { TwinWatch } from './twin-watch.ts'

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

/**
 * `here` is told to all on joining a topic, and to one as the answer to theirs. `twin-asked` and `twin-here` pass between two
 * that claim one name (TwinWatch); kinds that are not known are ignored.
 */
const letter = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('here'), from: deviceId, isAnswer: z.boolean() }),
  z.strictObject({ kind: z.literal('note'), from: deviceId, to: deviceId, note: signalNote }),
  z.strictObject({ kind: z.literal('twin-asked'), from: deviceId, nonce: z.string().regex(/^[0-9a-f]{32}$/) }),
  z.strictObject({
    kind: z.literal('twin-here'),
    from: deviceId,
    nonce: z.string().regex(/^[0-9a-f]{32}$/),
    sig: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
  }),
])
type Letter = z.infer<typeof letter>

/** One place where a peer can be written to. */
interface Route {
  readonly topic: SealedTopic
  readonly address: string
}

export interface RendezvousSignalingOptions {
  readonly signer: DeviceSigner
  /** When there is room for no more, whoever is not a member makes place: a removed device may still know the secret. */
  readonly check: DeviceCheck
  readonly rendezvousSecret: Uint8Array
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
  readonly #twins: TwinWatch
  readonly #self: DeviceId
  readonly onDidReceive = this.#received.event
  readonly onDidSeePeer = this.#seen.event

  constructor(options: RendezvousSignalingOptions) {
    this.#options = options
    this.#self = options.signer.device
    this.#twins = this.#owned.add(new TwinWatch(options))
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

  /** Another process runs with this device's key: its data folder was copied. */
  get onDidMeetTwin(): Event<void> {
    return this.#twins.onDidMeetTwin
  }

  get peers(): ReadonlySet<DeviceId> {
    return new Set(this.#routes.keys())
  }

  send(to: DeviceId, note: SignalNote): boolean {
    const route = this.#routes.get(to)?.at(-1) // the newest: older addresses may be of a process that died
    if (route === undefined) return false
    this.#write(route, { kind: 'note', from: this.#self, to, note })
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
    const { rendezvousSecret, random } = this.#options
    const self = this.#self
    const topic = new SealedTopic(client, workspaceMeeting(rendezvousSecret, day), random)
    topic.onDidJoin(() => topic.send(JSON.stringify({ kind: 'here', from: self, isAnswer: false } satisfies Letter)))
    topic.onDidLeave(({ member }) => this.#forget((route) => route.topic === topic && route.address === member))
    topic.onDidLose(() => this.#forget((route) => route.topic === topic))
    topic.onDidReceive(({ from, text }) => this.#receive({ topic, address: from }, text))
    return topic
  }

  #receive(route: Route, text: string): void {
    const read = parseLetter(text)
    const self = this.#self
    if (read === undefined) return
    if (read.from === self) return this.#receiveOwnName(route, read)
    if (read.kind === 'twin-asked' || read.kind === 'twin-here') return
    if (read.kind === 'note') {
      if (read.to === self) this.#received.fire({ from: read.from, note: read.note })
      return
    }
    if (!read.isAnswer) this.#write(route, { kind: 'here', from: self, isAnswer: true })
    this.#remember(read.from, route)
  }

  /** Ourselves by another way, a copy of us, or somebody who only claims to be. */
  #receiveOwnName(route: Route, read: Letter): void {
    const from = this.#self
    if (read.kind === 'twin-here') return this.#twins.handleAnswer(read.nonce, read.sig)
    if (read.kind === 'twin-asked') {
      const sig = this.#twins.answer(read.nonce)
      if (sig === undefined) return // we asked that ourselves
      this.#write(route, { kind: 'twin-here', from, nonce: read.nonce, sig })
    }
    if (read.kind === 'here' && !read.isAnswer) this.#write(route, { kind: 'here', from, isAnswer: true }) // a copy hears of us too
    const nonce = this.#twins.question(route.address)
    if (nonce !== undefined) this.#write(route, { kind: 'twin-asked', from, nonce })
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
    const stranger = [...this.#routes.keys()].find((device) => !this.#options.check.isMember(device))
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
