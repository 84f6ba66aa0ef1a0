import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { RandomSource } from '../base/random.ts'
import { type MeetingKeys, MeetingSeal } from './meeting-keys.ts'
import type { RendezvousClient, TopicMembership } from './rendezvous-client.ts'

/** Sealed messages that wait to be opened, at most; beyond it they are dropped: a rendezvous must not fill our memory. */
const MAX_WAITING = 256

/** One topic at one rendezvous with everything in it sealed. Keeps order although sealing is asynchronous. */
export class SealedTopic implements Disposable {
  readonly #membership: TopicMembership
  readonly #seal: MeetingSeal
  readonly #owned = new DisposableStore()
  readonly #received = this.#owned.add(new Emitter<{ readonly from: string; readonly text: string }>())
  readonly onDidReceive = this.#received.event
  readonly #left = this.#owned.add(new Emitter<{ readonly member: string }>())
  readonly #lost = this.#owned.add(new Emitter<void>())
  readonly onDidJoin: TopicMembership['onDidJoin']
  /** After everything that member said before. */
  readonly onDidLeave = this.#left.event
  readonly onDidLose = this.#lost.event
  #sending: Promise<unknown> = Promise.resolve()
  #opening: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(client: RendezvousClient, keys: MeetingKeys, random: RandomSource) {
    this.#seal = new MeetingSeal(keys, random)
    this.#membership = this.#owned.add(client.join(keys.topic))
    this.onDidJoin = this.#membership.onDidJoin
    this.#owned.add(this.#membership.onDidLeave((event) => this.#inTurn(() => this.#left.fire(event))))
    this.#owned.add(this.#membership.onDidLose(() => this.#inTurn(() => this.#lost.fire())))
    this.#owned.add(this.#membership.onDidReceive(({ from, data }) => this.#open(from, data)))
  }

  send(text: string, to?: string): void {
    this.#sending = this.#sending.then(async () => {
      const data = await this.#seal.seal(text)
      if (!this.#owned.isDisposed) this.#membership.send(data, to)
    })
  }

  /** Opening takes a moment: what comes later must not overtake it. */
  #inTurn(work: () => void): void {
    this.#opening = this.#opening.then(work)
  }

  #open(from: string, data: string): void {
    if (this.#waiting >= MAX_WAITING) return
    this.#waiting++
    this.#opening = this.#opening.then(async () => {
      const text = await this.#seal.open(data)
      this.#waiting--
      if (text !== undefined && !this.#owned.isDisposed) this.#received.fire({ from, text })
    })
  }

  dispose(): void {
    this.#owned.dispose()
  }
}
