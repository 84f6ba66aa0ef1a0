import type { LaneName } from './lane.ts'
import { FrameCutter } from './lane-frame.ts'
import type { RtcChannel } from './rtc-stack.ts'

/** One lane's channel and what waits for it. */
interface Queue {
  readonly name: LaneName
  readonly channel: RtcChannel
  readonly waiting: FrameCutter[]
  bytes: number
}

export interface LaneSchedulerOptions {
  /** Most urgent first. */
  readonly lanes: readonly { readonly name: LaneName; readonly channel: RtcChannel }[]
  /** This lane asks nobody: its frames go at once, whatever is in flight. */
  readonly unbounded?: LaneName
  /** Bytes sent on the other lanes that the peer has not confirmed, at most. Asked before each frame. */
  readonly windowBytes: () => number
  /** Bytes in the channels' own buffers, at most: what lies there cannot be overtaken any more. */
  readonly bufferBytes: number
  readonly onDidSendFrame: (lane: LaneName, bytes: number) => void
  readonly onDidDrain: (lane: LaneName) => void
}

/**
 * Decides whose frame goes next on one connection (SY56): strictly the most urgent lane that has one, as long as the window
 * has room. An SCTP association knows no priorities, so what was handed to it must stay little: that is the window.
 */
export class LaneScheduler {
  readonly #options: LaneSchedulerOptions
  readonly #queues: readonly Queue[]
  #sentBytes = 0
  #confirmedBytes = 0
  #isPumping = false
  #isOpen = false

  constructor(options: LaneSchedulerOptions) {
    this.#options = options
    this.#queues = options.lanes.map(({ name, channel }) => ({ name, channel, waiting: [], bytes: 0 }))
    for (const { channel } of this.#queues) {
      channel.onDidDrain(() => this.#pump())
      channel.onDidOpen(() => this.#pump())
    }
  }

  /** Nothing is sent before: the peer must have proved itself. */
  open(): void {
    this.#isOpen = true
    this.#pump()
  }

  queuedBytes(lane: LaneName): number {
    return this.#queue(lane).bytes
  }

  /** @param head  goes before the message, as part of it */
  add(lane: LaneName, message: Uint8Array, head?: Uint8Array): void {
    const queue = this.#queue(lane)
    const cutter = new FrameCutter(message, head)
    queue.waiting.push(cutter)
    queue.bytes += cutter.remainingBytes
    this.#pump()
  }

  /** The peer has received this many bytes since the connection began. @returns false  more than was ever sent */
  confirm(bytes: number): boolean {
    if (bytes > this.#sentBytes || bytes < this.#confirmedBytes) return false
    this.#confirmedBytes = bytes
    this.#pump()
    return true
  }

  #queue(lane: LaneName): Queue {
    const queue = this.#queues.find(({ name }) => name === lane)
    if (queue === undefined) throw new RangeError(`lane ${lane} is not on this connection`)
    return queue
  }

  #pump(): void {
    if (this.#isPumping || !this.#isOpen) return
    this.#isPumping = true
    const drained: LaneName[] = []
    try {
      for (let queue = this.#next(); queue !== undefined; queue = this.#next()) this.#sendFrame(queue, drained)
    } finally {
      this.#isPumping = false
    }
    for (const lane of drained) this.#options.onDidDrain(lane)
  }

  #next(): Queue | undefined {
    const { unbounded, windowBytes, bufferBytes } = this.#options
    const hasRoom =
      this.#sentBytes - this.#confirmedBytes < windowBytes() &&
      this.#queues.reduce((sum, { channel }) => sum + channel.bufferedAmount, 0) < bufferBytes
    return this.#queues.find(({ name, channel, waiting }) => waiting.length > 0 && channel.isOpen && (hasRoom || name === unbounded))
  }

  #sendFrame(queue: Queue, drained: LaneName[]): void {
    const message = queue.waiting[0] as FrameCutter
    const before = message.remainingBytes
    const frame = message.next()
    queue.bytes -= before - message.remainingBytes
    if (message.isDone) queue.waiting.shift()
    if (queue.name !== this.#options.unbounded) this.#sentBytes += frame.length
    queue.channel.send(frame)
    this.#options.onDidSendFrame(queue.name, frame.length)
    if (queue.waiting.length === 0) drained.push(queue.name)
  }
}
