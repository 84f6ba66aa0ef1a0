import { concatBytes } from '../base/bytes.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { CHANNEL_HIGH_BYTES, CHANNEL_LIMIT_BYTES, type ByteChannel } from './channel.ts'
import { RpcError } from './rpc-error.ts'
import { MAX_BYTES_LENGTH } from './wire-message.ts'

/** Consumed bytes are reported in steps of this: a quarter of the high mark, so that a sender that waits always hears of it. */
const ACK_STEP_BYTES = 64 * 1024

/** What a kept message costs beside its bytes, so that empty ones cannot fill the memory. */
const MESSAGE_OVERHEAD_BYTES = 64

/** What a channel needs of its wire. */
export interface ChannelOutput {
  sendBytes(bytes: Uint8Array): void
  /** As `sendBytes` of both as one message, which it may keep. Absent: it copies. */
  sendParts?(head: Uint8Array, bytes: Uint8Array): void
  sendAck(bytes: number): void
  sendClose(reason: string): void
  /** The channel is gone without a word to the other side. */
  forget(): void
}

/**
 * One end of a byte stream. Sender: counts what the other end has not consumed, and gives up at CHANNEL_LIMIT_BYTES.
 * Receiver: keeps messages until there is a listener and it is not paused; consuming them sends acks.
 * Does not own the wire.
 */
export class WireChannel implements ByteChannel {
  readonly id: number
  highBytes = CHANNEL_HIGH_BYTES
  readonly #output: ChannelOutput
  readonly #onWillForget: () => void
  readonly #received = new Emitter<Uint8Array>()
  readonly #drained = new Emitter<void>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #paused = false
  #delivering = false
  #sentBytes = 0
  #ackedBytes = 0
  #consumedSinceAck = 0
  #closeReason: string | undefined
  /** Output waits here until the answer that names the channel is on its way. */
  #held: Uint8Array[] | undefined
  #closeWhenReleased: string | undefined

  constructor(id: number, output: ChannelOutput, onWillForget: () => void, held: boolean) {
    this.id = id
    this.#output = output
    this.#onWillForget = onWillForget
    this.#held = held ? [] : undefined
  }

  readonly onDidReceive: Event<Uint8Array> = (listener) => {
    const subscription = this.#received.event(listener)
    this.#deliver()
    return subscription
  }
  readonly onDidDrain: Event<void> = (listener) => this.#drained.event(listener)
  readonly onDidClose: Event<{ readonly reason: string }> = (listener): Disposable => {
    const reason = this.#closeReason
    if (reason !== undefined && this.#waiting.length === 0) queueMicrotask(() => listener({ reason }))
    return this.#closed.event(listener)
  }

  get unackedBytes(): number {
    return this.#sentBytes - this.#ackedBytes
  }

  send(bytes: Uint8Array): void {
    if (!this.#counts(bytes.length)) return
    if (this.#held) this.#held.push(bytes)
    else this.#output.sendBytes(bytes)
  }

  sendParts(head: Uint8Array, bytes: Uint8Array): void {
    if (!this.#output.sendParts || this.#held) return this.send(head.length === 0 ? bytes : concatBytes(head, bytes))
    if (this.#counts(head.length + bytes.length)) this.#output.sendParts(head, bytes)
  }

  /** @returns false: it is closed, or closes by that */
  #counts(length: number): boolean {
    if (this.#closeReason !== undefined) return false
    if (length > MAX_BYTES_LENGTH - 16) throw new RpcError('rpc/too-large', `a channel message of ${length} bytes is too long`)
    this.#sentBytes += length
    if (this.unackedBytes <= CHANNEL_LIMIT_BYTES) return true
    this.close('rpc/channel-flooded')
    return false
  }

  setPaused(paused: boolean): void {
    this.#paused = paused
    if (!paused) this.#deliver()
  }

  close(reason: string): void {
    if (this.#closeReason !== undefined) return
    this.#waiting = []
    if (this.#held) {
      this.#closeWhenReleased ??= reason // the answer that names it comes first
      return
    }
    this.#output.sendClose(reason)
    this.handleClose(reason)
  }

  dispose(): void {
    this.close('rpc/closed')
  }

  /** The answer that names this channel has been sent: what waited follows it. */
  release(): void {
    const held = this.#held
    this.#held = undefined
    for (const bytes of held ?? []) this.#output.sendBytes(bytes)
    if (this.#closeWhenReleased !== undefined) this.close(this.#closeWhenReleased)
  }

  /** The call failed: the other side never hears of this channel. */
  discard(): void {
    this.#output.forget()
    this.handleClose('rpc/closed')
  }

  handleBytes(bytes: Uint8Array): void {
    if (this.#closeReason !== undefined) return
    this.#waitingBytes += bytes.length + MESSAGE_OVERHEAD_BYTES
    if (this.#waitingBytes > CHANNEL_LIMIT_BYTES) return this.close('rpc/channel-flooded')
    this.#waiting.push(bytes)
    this.#deliver()
  }

  /** @throws RpcError `rpc/malformed`  more acknowledged than sent */
  handleAck(bytes: number): void {
    const before = this.unackedBytes
    if (bytes > before) throw new RpcError('rpc/malformed', 'more bytes were acknowledged than sent')
    this.#ackedBytes += bytes
    if (before >= this.highBytes / 2 && this.unackedBytes < this.highBytes / 2) this.#drained.fire()
  }

  /** The other end or the wire closed. What had arrived before is still delivered to whoever listens. */
  handleClose(reason: string): void {
    if (this.#closeReason !== undefined) return
    this.#closeReason = reason
    this.#held = undefined
    this.#onWillForget()
    if (this.#waiting.length === 0) this.#closed.fire({ reason })
    else this.#deliver()
  }

  #deliver(): void {
    if (this.#delivering) return
    this.#delivering = true
    const hadWaiting = this.#waiting.length > 0
    try {
      while (this.#waiting.length > 0 && !this.#paused && this.#received.hasListeners) {
        const bytes = this.#waiting.shift() as Uint8Array
        this.#waitingBytes -= bytes.length + MESSAGE_OVERHEAD_BYTES
        this.#received.fire(bytes)
        this.#acknowledge(bytes.length)
      }
    } finally {
      this.#delivering = false
    }
    if (hadWaiting && this.#waiting.length === 0 && this.#closeReason !== undefined) this.#closed.fire({ reason: this.#closeReason })
  }

  #acknowledge(bytes: number): void {
    if (this.#closeReason !== undefined) return
    this.#consumedSinceAck += bytes
    if (this.#consumedSinceAck < ACK_STEP_BYTES) return
    this.#output.sendAck(this.#consumedSinceAck)
    this.#consumedSinceAck = 0
  }
}
