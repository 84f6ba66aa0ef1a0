import { concatBytes } from '../base/bytes.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { FrameJoiner, MAX_FRAME_BYTES, MAX_HEAD_BYTES, MAX_MESSAGE_BYTES } from './lane-frame.ts'
import { MAX_AHEAD } from './lane-repeats.ts'
import type { LaneScheduler } from './lane-scheduler.ts'
import type { Lane, LaneName } from './lane.ts'
import { LinkError } from './link-error.ts'

/** Messages kept for a lane that nobody listens to yet; what comes beyond is not read. */
const MAX_HELD_BYTES = 1024 * 1024

/** What a lane tells its link. */
export interface RtcLaneOwner {
  /** What a listener threw over a message: its sender's link ends, nothing else. */
  readonly onListenerError: (error: unknown) => void
  /** A message left whole, without waiting. @param index  counts the messages of this lane */
  readonly onDidSendAtOnce: (index: number, message: Uint8Array) => void
}

/** One lane of a link. Messages that come before the first listener wait for it. */
export class RtcLane implements Lane {
  readonly name: LaneName
  readonly #scheduler: LaneScheduler
  readonly #owner: RtcLaneOwner
  readonly #joiner: FrameJoiner
  readonly #received: Emitter<Uint8Array>
  readonly #drained = new Emitter<void>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  readonly counters = { sentBytes: 0, receivedBytes: 0, sentMessages: 0, receivedMessages: 0 }
  readonly onDidDrain = this.#drained.event
  readonly onDidClose = this.#closed.event
  /** Waiting for the first listener; undefined once there was one and it has had them. */
  #held: Uint8Array[] | undefined = []
  #heldBytes = 0
  /** Messages that the reliable stream has brought, and that were handed on: more of the latter while a stream waits for a lost packet. */
  #joined = 0
  #handedOn = 0
  /** Repeats that came before what goes before them. */
  readonly #ahead = new Map<number, Uint8Array>()
  #closedFor: string | undefined

  constructor(name: LaneName, peer: string, scheduler: LaneScheduler, owner: RtcLaneOwner) {
    this.name = name
    this.#scheduler = scheduler
    this.#owner = owner
    this.#received = new Emitter(owner.onListenerError)
    this.#joiner = new FrameJoiner(peer, name)
  }

  readonly onDidReceive: Event<Uint8Array> = (listener) => {
    const isFirst = !this.#received.hasListeners && this.#held !== undefined
    const subscription = this.#received.event(listener)
    if (isFirst) queueMicrotask(() => this.#releaseHeld())
    return subscription
  }

  get bufferedBytes(): number {
    return this.#closedFor === undefined ? this.#scheduler.queuedBytes(this.name) : 0
  }

  send(message: Uint8Array): void {
    if (this.#closedFor !== undefined) throw LinkError.closed(this.#closedFor)
    if (message.length > MAX_MESSAGE_BYTES) throw LinkError.messageTooLarge(this.name, message.length, MAX_MESSAGE_BYTES)
    this.counters.sentMessages++
    this.counters.sentBytes += message.length
    this.#scheduler.add(this.name, message)
    if (this.#scheduler.queuedBytes(this.name) === 0) this.#owner.onDidSendAtOnce(this.counters.sentMessages - 1, message)
  }

  sendParts(head: Uint8Array, bytes: Uint8Array): void {
    const length = head.length + bytes.length
    if (head.length > MAX_HEAD_BYTES || length <= MAX_FRAME_BYTES) return this.send(concatBytes(head, bytes))
    if (this.#closedFor !== undefined) throw LinkError.closed(this.#closedFor)
    if (length > MAX_MESSAGE_BYTES) throw LinkError.messageTooLarge(this.name, length, MAX_MESSAGE_BYTES)
    this.counters.sentMessages++
    this.counters.sentBytes += length
    this.#scheduler.add(this.name, bytes, head)
  }

  /** @throws LinkError `link/bad-frame` */
  receiveFrame(frame: Uint8Array): void {
    if (this.#closedFor !== undefined) return
    const message = this.#joiner.add(frame)
    if (message !== undefined) this.#take(this.#joined++, message)
  }

  /** A message said a second time (SY67): counts if it comes first, and waits if something before it is missing. */
  receiveRepeat(index: number, message: Uint8Array): void {
    if (this.#closedFor !== undefined || index > this.#handedOn + MAX_AHEAD) return
    this.#take(index, message)
  }

  /** Each message once and in order, from whichever way it comes by first. */
  #take(index: number, message: Uint8Array): void {
    if (index < this.#handedOn) return
    if (index > this.#handedOn) {
      this.#ahead.set(index, message)
      return
    }
    let next: Uint8Array | undefined = message
    while (next !== undefined && this.#closedFor === undefined) {
      this.#ahead.delete(this.#handedOn)
      this.#handedOn++
      this.#handOn(next)
      next = this.#ahead.get(this.#handedOn)
    }
  }

  #handOn(message: Uint8Array): void {
    this.counters.receivedMessages++
    this.counters.receivedBytes += message.length
    if (this.#held === undefined) this.#received.fire(message)
    else this.#hold(message)
  }

  #hold(message: Uint8Array): void {
    if (this.#heldBytes + message.length > MAX_HELD_BYTES && !this.#received.hasListeners) return
    this.#held?.push(message)
    this.#heldBytes += message.length
  }

  #releaseHeld(): void {
    if (!this.#received.hasListeners) return
    const held = this.#held ?? []
    this.#held = undefined
    for (const message of held) if (this.#closedFor === undefined) this.#received.fire(message)
  }

  drained(): void {
    this.#drained.fire()
  }

  close(reason: string): void {
    if (this.#closedFor !== undefined) return
    this.#closedFor = reason
    this.#held = undefined
    this.#ahead.clear()
    this.#closed.fire({ reason })
  }

  dispose(): void {
    this.close('disposed here')
  }
}
