import { fromBase64Url, toBase64Url } from '../base/bytes.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import { DayTopics, type DayTopicsOptions } from './day-topics.ts'
import type { DeviceCheck, DeviceSigner } from './device-check.ts'
import { type Letter, parseLetter } from './meeting-letter.ts'
import type { SealedTopic } from './sealed-topic.ts'
import type { SignalNote, Signaling } from './signal-note.ts'
import { TwinWatch } from './twin-watch.ts'

/** Devices of one person seen at once. */
const MAX_PEERS = 256

/** One place where a peer can be written to. */
interface Route {
  readonly topic: SealedTopic
  readonly address: string
}

export interface RendezvousSignalingOptions extends DayTopicsOptions {
  readonly signer: DeviceSigner
  /** When there is room for no more, whoever is not a member makes place: a removed device may still know the secret. */
  readonly check: DeviceCheck
  readonly admission?: AdmissionAtDoor
}

/** How a device that the root let in elsewhere becomes known to the others (SY72). */
export interface AdmissionAtDoor {
  /** This device's own, while it may be new to the others. */
  own(): Uint8Array | undefined
  /** Somebody shows one. The device it lets in, when it is a member now. */
  take(admission: Uint8Array): DeviceId | undefined
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
  readonly #moved = this.#owned.add(new Emitter<Uint8Array>())
  readonly #routes = new Map<DeviceId, Route[]>()
  readonly #twins: TwinWatch
  readonly #self: DeviceId
  readonly onDidReceive = this.#received.event
  readonly onDidSeePeer = this.#seen.event
  /** The others meet elsewhere now: the secret they meet by, sealed to this device (SY69). */
  readonly onDidMove = this.#moved.event

  constructor(options: RendezvousSignalingOptions) {
    this.#options = options
    this.#self = options.signer.device
    this.#twins = this.#owned.add(new TwinWatch(options))
    const close = (topic: SealedTopic) => this.#forget((route) => route.topic === topic)
    this.#owned.add(new DayTopics(options, { open: (topic) => this.#open(topic), close }))
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

  #open(topic: SealedTopic): void {
    const self = this.#self
    topic.onDidJoin(() => {
      const admission = this.#options.admission?.own()
      if (admission) topic.send(JSON.stringify({ kind: 'admitted', by: toBase64Url(admission) } satisfies Letter))
      topic.send(JSON.stringify({ kind: 'here', from: self, isAnswer: false } satisfies Letter))
    })
    topic.onDidLeave(({ member }) => this.#forget((route) => route.topic === topic && route.address === member))
    topic.onDidLose(() => this.#forget((route) => route.topic === topic))
    topic.onDidReceive(({ from, text }) => this.#receive({ topic, address: from }, text))
  }

  #receive(route: Route, text: string): void {
    const read = parseLetter(text)
    const self = this.#self
    if (read === undefined) return
    if (read.kind === 'moved') {
      if (read.to === self) this.#moved.fire(fromBase64Url(read.sealed))
      return
    }
    if (read.kind === 'admitted') return void this.#options.admission?.take(fromBase64Url(read.by))
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
  #receiveOwnName(route: Route, read: Exclude<Letter, { kind: 'moved' | 'admitted' }>): void {
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
