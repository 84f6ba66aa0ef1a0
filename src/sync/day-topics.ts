import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import type { RandomSource } from '../base/random.ts'
import { HOUR_MS, meetingDays, workspaceMeeting } from './meeting-keys.ts'
import type { RendezvousClient } from './rendezvous-client.ts'
import type { MeetingPool } from './rendezvous-pool.ts'
import { SealedTopic } from './sealed-topic.ts'

export interface DayTopicsOptions {
  readonly pool: MeetingPool
  readonly rendezvousSecret: Uint8Array
  readonly clock: Clock
  readonly random: RandomSource
}

/** What becomes of one topic. */
export interface TopicListener {
  /** It was joined: listen to it. */
  open(topic: SealedTopic): void
  /** It is left for good. */
  close(topic: SealedTopic): void
}

/** The topics of one rendezvous secret, of yesterday, today and tomorrow, at every rendezvous of the pool (SY63). Owns them. */
export class DayTopics implements Disposable {
  readonly #options: DayTopicsOptions
  readonly #listener: TopicListener
  readonly #owned = new DisposableStore()
  readonly #topics = new Map<RendezvousClient, Map<number, SealedTopic>>()

  constructor(options: DayTopicsOptions, listener: TopicListener) {
    this.#options = options
    this.#listener = listener
    const { pool, clock } = options
    for (const client of pool.clients) this.#use(client)
    this.#owned.add(pool.onDidAdd((client) => this.#use(client)))
    this.#owned.add(pool.onDidRemove((client) => this.#leave(client)))
    this.#owned.add(
      clock.every(HOUR_MS, () => {
        for (const client of this.#topics.keys()) this.#use(client)
      }),
    )
    this.#owned.defer(() => {
      for (const client of [...this.#topics.keys()]) this.#leave(client)
    })
  }

  dispose(): void {
    this.#owned.dispose()
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
      this.#close(topic)
    }
  }

  #leave(client: RendezvousClient): void {
    for (const topic of this.#topics.get(client)?.values() ?? []) this.#close(topic)
    this.#topics.delete(client)
  }

  #join(client: RendezvousClient, day: number): SealedTopic {
    const topic = new SealedTopic(client, workspaceMeeting(this.#options.rendezvousSecret, day), this.#options.random)
    this.#listener.open(topic)
    return topic
  }

  #close(topic: SealedTopic): void {
    this.#listener.close(topic)
    topic.dispose()
  }
}
