import { toBase64Url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorCode } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import {
  type FromRendezvous,
  MAX_TOPIC_MEMBERS,
  MAX_TOPICS,
  parseToRendezvous,
  PING_EVERY_MS,
  RendezvousError,
  type ToRendezvous,
} from './rendezvous-protocol.ts'
import { TokenBucket } from './token-bucket.ts'
import type { WebSocketLike } from './web-socket-like.ts'

/** Connections in all, and from one network address. A household behind one address has dozens at most. */
export const MAX_CONNECTIONS = 4_096
export const MAX_CONNECTIONS_PER_SOURCE = 64
/** Linking two devices takes about ten messages; a device that wakes tells three topics. */
const MESSAGES = { perSecond: 20, burst: 200 }
const BYTES = { perSecond: 128 * 1024, burst: 1024 * 1024 }
/** A reader that falls behind this far is dropped: a rendezvous keeps nothing for anybody. */
const MAX_BEHIND_BYTES = 1024 * 1024

interface Member {
  readonly address: string
  readonly source: string
  readonly socket: WebSocketLike
  readonly topics: Set<string>
  readonly messages: TokenBucket
  readonly bytes: TokenBucket
  lastHeardMs: number
}

export interface RendezvousHubOptions {
  readonly clock: Clock
  readonly random: RandomSource
  readonly logger: Logger
}

/**
 * A rendezvous without its sockets: who is in which topic, and passing messages on (SY61). Holds nothing but who is
 * connected now. Bad or greedy clients lose their connection; others do not notice.
 */
export class RendezvousHub implements Disposable {
  readonly #options: RendezvousHubOptions
  readonly #owned = new DisposableStore()
  readonly #members = new Map<string, Member>()
  readonly #topics = new Map<string, Map<string, Member>>()
  readonly #sources = new Map<string, number>()

  constructor(options: RendezvousHubOptions) {
    this.#options = options
    this.#owned.add(options.clock.every(PING_EVERY_MS, () => this.#dropSilent()))
  }

  get connections(): number {
    return this.#members.size
  }

  /** @param source  network address, for limits only; never told to anybody */
  accept(socket: WebSocketLike, source: string): void {
    const { clock, random, logger } = this.#options
    const fromSource = this.#sources.get(source) ?? 0
    if (this.#owned.isDisposed || this.#members.size >= MAX_CONNECTIONS || fromSource >= MAX_CONNECTIONS_PER_SOURCE) {
      say(socket, { t: 'error', code: 'rendezvous/full' })
      socket.dispose()
      return
    }
    const member: Member = {
      address: toBase64Url(random.bytes(16)),
      source,
      socket,
      topics: new Set(),
      messages: new TokenBucket(clock, MESSAGES),
      bytes: new TokenBucket(clock, BYTES),
      lastHeardMs: clock.monotonicMs(),
    }
    this.#members.set(member.address, member)
    this.#sources.set(source, fromSource + 1)
    socket.onDidClose(() => this.#drop(member))
    socket.onDidReceive((text) => {
      try {
        this.#receive(member, text)
      } catch (error) {
        logger.debug('dropping a client', { code: errorCode(error) })
        say(socket, { t: 'error', code: errorCode(error) })
        this.#drop(member)
      }
    })
  }

  #receive(member: Member, text: string): void {
    if (!this.#members.has(member.address)) return
    member.lastHeardMs = this.#options.clock.monotonicMs()
    if (!member.messages.take(1) || !member.bytes.take(text.length)) {
      throw new RendezvousError('rendezvous/too-fast', 'more messages than a device needs; the connection was closed')
    }
    const message = parseToRendezvous(text)
    switch (message.t) {
      case 'join':
        this.#join(member, message.topic)
        return
      case 'leave':
        this.#leave(member, message.topic)
        return
      case 'send':
        this.#pass(member, message)
        return
      case 'ping':
        say(member.socket, { t: 'pong' })
    }
  }

  #join(member: Member, topic: string): void {
    if (member.topics.has(topic)) return
    if (member.topics.size >= MAX_TOPICS) throw new RendezvousError('rendezvous/too-many-topics', `more than ${MAX_TOPICS} topics`)
    const members = this.#topics.get(topic) ?? new Map<string, Member>()
    if (members.size >= MAX_TOPIC_MEMBERS) throw new RendezvousError('rendezvous/full', `more than ${MAX_TOPIC_MEMBERS} members in a topic`)
    const others = [...members.keys()]
    members.set(member.address, member)
    member.topics.add(topic)
    this.#topics.set(topic, members)
    say(member.socket, { t: 'joined', topic, members: others })
  }

  #leave(member: Member, topic: string): void {
    const members = this.#topics.get(topic)
    if (members === undefined || !members.delete(member.address)) return
    member.topics.delete(topic)
    if (members.size === 0) this.#topics.delete(topic)
    for (const other of members.values()) say(other.socket, { t: 'left', topic, member: member.address })
  }

  /** To whom the sender does not share the topic with, nothing is passed and nothing is said. */
  #pass(from: Member, { topic, to, data }: Extract<ToRendezvous, { t: 'send' }>): void {
    if (!from.topics.has(topic)) return
    const members = this.#topics.get(topic) ?? new Map<string, Member>()
    const receivers = to === undefined ? [...members.values()] : [members.get(to)]
    for (const receiver of receivers) {
      if (receiver === undefined || receiver === from) continue
      if (receiver.socket.bufferedBytes > MAX_BEHIND_BYTES) this.#drop(receiver)
      else say(receiver.socket, { t: 'data', topic, from: from.address, data })
    }
  }

  #dropSilent(): void {
    const oldest = this.#options.clock.monotonicMs() - 2.5 * PING_EVERY_MS
    for (const member of this.#members.values()) if (member.lastHeardMs < oldest) this.#drop(member)
  }

  #drop(member: Member): void {
    if (!this.#members.delete(member.address)) return
    const left = (this.#sources.get(member.source) ?? 1) - 1
    if (left > 0) this.#sources.set(member.source, left)
    else this.#sources.delete(member.source)
    for (const topic of [...member.topics]) this.#leave(member, topic)
    member.socket.dispose()
  }

  dispose(): void {
    this.#owned.dispose()
    for (const member of [...this.#members.values()]) this.#drop(member)
  }
}

const say = (socket: WebSocketLike, message: FromRendezvous): void => socket.send(JSON.stringify(message))
