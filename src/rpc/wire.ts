import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { errorCode } from '../base/errors.ts'
import type { ByteChannel, Transport } from './channel.ts'
import { RpcError } from './rpc-error.ts'
import { WireChannel } from './wire-channel.ts'
import { formatChannelBytes, formatWireMessage, parseChannelBytes, parseWireMessage, type WireMessage } from './wire-message.ts'

/** Channels open at once in one direction. 1,024: every tab of a large desk may hold a document and a terminal. */
export const MAX_CHANNELS = 1024

/** Why a channel closes whose call was cancelled while the answer that names it was under way: nobody will take it. */
export const CHANNEL_UNWANTED = 'rpc/cancelled'

type CallMessage = Extract<WireMessage, { t: 'call' | 'cancel' }>
type AnswerMessage = Extract<WireMessage, { t: 'ok' | 'error' | 'event' }>

/**
 * One transport, shared by at most one caller and one callee on this side. Reads and writes the wire format, and owns the
 * byte channels. Bytes that do not follow the format close the transport with the error's code; nothing else is disturbed.
 */
export class Wire implements Disposable {
  readonly #transport: Transport
  readonly #owned = new DisposableStore()
  /** By channel reference as the other side writes it: opened by it = odd, by us = even. */
  readonly #channels = new Map<number, WireChannel>()
  /** We closed these and the other side has not answered yet: what is still under way for them is dropped. */
  readonly #closing = new Set<number>()
  /** Opened by the other side and not asked for yet; they keep what came, even when they have closed since. */
  readonly #untaken = new Map<number, WireChannel>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  #nextChannel = 1
  #closeReason: string | undefined
  #handleCall: ((message: CallMessage) => void) | undefined
  #handleAnswer: ((message: AnswerMessage) => void) | undefined

  constructor(transport: Transport) {
    this.#transport = transport
    this.#owned.add(transport.onDidReceive((message) => this.#receive(message)))
    this.#owned.add(transport.onDidClose(({ reason }) => this.#handleClose(reason)))
  }

  readonly onDidClose: Event<{ readonly reason: string }> = (listener) => this.#closed.event(listener)

  get closeReason(): string | undefined {
    return this.#closeReason
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes
  }

  /** @throws Error  this wire already has a callee */
  bindCallee(handle: (message: CallMessage) => void): Disposable {
    if (this.#handleCall) throw new Error('a wire serves one contract; merge them')
    this.#handleCall = handle
    return { dispose: () => (this.#handleCall = undefined) }
  }

  /** @throws Error  this wire already has a caller */
  bindCaller(handle: (message: AnswerMessage) => void): Disposable {
    if (this.#handleAnswer) throw new Error('a wire has one caller; merge the contracts')
    this.#handleAnswer = handle
    return { dispose: () => (this.#handleAnswer = undefined) }
  }

  /** @throws RpcError `rpc/too-large`; ignored once closed */
  send(message: WireMessage): void {
    if (this.#closeReason === undefined) this.#transport.send(formatWireMessage(message))
  }

  /** Opens a channel whose output waits for `release()`. @throws RpcError `rpc/too-many-calls`  MAX_CHANNELS are open */
  openChannel(): WireChannel {
    if (this.#channels.size + this.#closing.size >= 2 * MAX_CHANNELS)
      throw new RpcError('rpc/too-many-calls', `more than ${MAX_CHANNELS} channels are open`)
    const id = this.#nextChannel++
    return this.#addChannel(id, 2 * id + 1, 2 * id, true)
  }

  /** The channel that the other side opened under `id`, as one of its answers said. */
  channel(id: number): ByteChannel {
    const channel = this.#untaken.get(id) ?? this.#incoming(2 * id + 1) ?? closedChannel(id)
    this.#untaken.delete(id)
    return channel
  }

  close(reason: string): void {
    this.#transport.close(reason)
    this.#handleClose(reason)
  }

  dispose(): void {
    this.close('rpc/closed')
  }

  #receive(message: string | Uint8Array): void {
    try {
      if (typeof message === 'string') this.#receiveText(parseWireMessage(message))
      else {
        const { reference, bytes } = parseChannelBytes(message)
        this.#channelAt(reference)?.handleBytes(bytes)
      }
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      this.close(errorCode(error))
    }
  }

  #receiveText(message: WireMessage): void {
    switch (message.t) {
      case 'call':
        if (this.#handleCall) return this.#handleCall(message)
        return this.send({ t: 'error', id: message.id, code: 'rpc/unknown-method', message: 'nothing is served here' })
      case 'cancel':
        return this.#handleCall?.(message)
      case 'ok':
      case 'error':
      case 'event':
        if (!this.#handleAnswer) throw new RpcError('rpc/malformed', 'an answer came to a side that never asked')
        return this.#handleAnswer(message)
      case 'ack':
        return this.#channelAt(message.c)?.handleAck(message.b)
      case 'close':
        if (this.#closing.delete(message.c)) return
        this.#channelAt(message.c)?.handleClose(message.reason)
        if (message.reason === CHANNEL_UNWANTED) this.#untaken.delete((message.c - 1) / 2)
        return
    }
  }

  /** Undefined when we have closed it. @throws RpcError `rpc/malformed`  a channel of ours that never was, or too many of theirs */
  #channelAt(reference: number): WireChannel | undefined {
    if (this.#closing.has(reference)) return undefined
    if (reference % 2 === 1) return this.#incoming(reference)
    const channel = this.#channels.get(reference)
    if (!channel) throw new RpcError('rpc/malformed', 'bytes for a channel that is not open')
    return channel
  }

  #incoming(reference: number): WireChannel | undefined {
    const known = this.#channels.get(reference)
    if (known || this.#closeReason !== undefined) return known
    if (!this.#handleAnswer) throw new RpcError('rpc/malformed', 'only a callee opens channels')
    if (this.#channels.size >= 2 * MAX_CHANNELS || this.#untaken.size >= MAX_CHANNELS) {
      throw new RpcError('rpc/malformed', `more than ${MAX_CHANNELS} channels are open`)
    }
    const id = (reference - 1) / 2
    const channel = this.#addChannel(id, reference - 1, reference, false)
    this.#untaken.set(id, channel)
    return channel
  }

  /** `outgoing`: the reference as we write it, `incoming`: as they write it. */
  #addChannel(id: number, outgoing: number, incoming: number, held: boolean): WireChannel {
    let closedByThem = true
    const output = {
      sendBytes: (bytes: Uint8Array) => this.#closeReason ?? this.#transport.send(formatChannelBytes(outgoing, bytes)),
      ...(this.#transport.sendParts && {
        sendParts: (head: Uint8Array, bytes: Uint8Array) =>
          this.#closeReason ?? this.#transport.sendParts?.(formatChannelBytes(outgoing, head), bytes),
      }),
      sendAck: (b: number) => this.send({ t: 'ack', c: outgoing, b }),
      sendClose: (reason: string) => {
        closedByThem = false
        this.#closing.add(incoming)
        this.send({ t: 'close', c: outgoing, reason })
      },
      forget: () => {
        closedByThem = false
      },
    }
    const handleClosed = () => {
      this.#channels.delete(incoming)
      if (closedByThem) this.send({ t: 'close', c: outgoing, reason: 'rpc/closed' })
    }
    const channel = new WireChannel(id, output, handleClosed, held)
    this.#channels.set(incoming, channel)
    return channel
  }

  #handleClose(reason: string): void {
    if (this.#closeReason !== undefined) return
    this.#closeReason = reason
    this.#owned.dispose()
    for (const channel of [...this.#channels.values()]) channel.handleClose(reason)
    this.#untaken.clear()
    this.#closed.fire({ reason })
  }
}

/** Stands for a channel of a wire that has closed: says so to whoever listens. */
function closedChannel(id: number): ByteChannel {
  const channel = new WireChannel(id, { sendBytes() {}, sendAck() {}, sendClose() {}, forget() {} }, () => {}, false)
  channel.handleClose('rpc/closed')
  return channel
}
