import type { Clock } from '../base/clock.ts'
import { DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import { LaneScheduler } from './lane-scheduler.ts'
import { LANE_NAMES, type LaneName, type Link, type LinkStats } from './lane.ts'
import { BulkWindow, MIN_BULK_WINDOW_BYTES } from './bulk-window.ts'
import { decodeRepeats, LaneRepeater, type Repeat } from './lane-repeats.ts'
import { BULK_LANES, type LinkChannels } from './link-channels.ts'
import { type ConnectionName, LinkConfirmations } from './link-confirmations.ts'
import { LinkHeartbeat } from './link-heartbeat.ts'
import { decodeWire, encodeWire, type WireMessage } from './link-wire.ts'
import { RtcLane } from './rtc-lane.ts'
import type { RtcConnection } from './rtc-stack.ts'

/** In flight below control on the live connection: at 44 MB/s a key waits 1.5 ms behind it. */
export const LIVE_WINDOW_BYTES = 64 * 1024
/** More than a version 1 peer lets come before it confirms. */
const MIN_BULK_WINDOW_V1_BYTES = 96 * 1024
/** Handed to the bulk channels and not yet taken by SCTP; beyond it a jobs frame would wait too long behind files. */
export const BULK_BUFFER_BYTES = 64 * 1024
/** From this version on small messages are said twice, and the last bytes of bulk are confirmed too. */
const REPEATS_VERSION = 2
/** Time for the last word to leave before the connections close. */
const LAST_WORD_MS = 200

export interface RtcLinkOptions {
  readonly peer: DeviceId
  /** Which end made the offer: it asks after the other while the link is quiet. */
  readonly role: 'knock' | 'door'
  /** Of the link protocol, as both agreed. */
  readonly version: number
  /** What the peer proved it knows of who belongs. */
  readonly peerHead?: Uint8Array | undefined
  readonly live: RtcConnection
  readonly bulk: RtcConnection
  readonly channels: LinkChannels
  readonly clock: Clock
  readonly logger: Logger
  /** Frames that came between the peer's proof and now, in order. */
  readonly early: readonly { readonly lane: LaneName; readonly frame: Uint8Array }[]
}

/**
 * An authenticated link over two WebRTC connections (SY50-SY59). Made only after LinkHello is done, so every byte it hands
 * on comes from a proven member. Owns both connections. Knows nothing of what its lanes carry.
 */
export class RtcLink implements Link {
  readonly peer: DeviceId
  readonly peerHead: Uint8Array | undefined
  readonly #options: RtcLinkOptions
  readonly #owned = new DisposableStore()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  readonly #noteReceived = new Emitter<Uint8Array>()
  readonly #learned = new Emitter<readonly string[]>()
  readonly onDidClose = this.#closed.event
  /** Signaling that came over the link itself: how a new link is agreed on without a rendezvous. */
  readonly onDidReceiveNote = this.#noteReceived.event
  /** The peer said where its own rendezvous listens (URLs, not yet checked). */
  readonly onDidLearnRendezvous = this.#learned.event
  readonly #schedulers: Record<ConnectionName, LaneScheduler>
  readonly #lanes: Record<LaneName, RtcLane>
  readonly #heartbeat: LinkHeartbeat
  readonly #repeater: LaneRepeater
  readonly #confirmations: LinkConfirmations
  readonly #bulkWindow: BulkWindow
  #closedFor: string | undefined
  /** It ended without a last word from either side: the network did it. */
  wasCut = false

  constructor(options: RtcLinkOptions) {
    this.#options = options
    this.peer = options.peer
    this.peerHead = options.peerHead
    const { channels, clock } = options
    const shared = {
      onDidSendFrame: (lane: LaneName, bytes: number) => this.#sentFrame(lane, bytes),
      onDidDrain: (lane: LaneName) => this.#lanes[lane].drained(),
    }
    this.#schedulers = {
      live: new LaneScheduler({
        ...shared,
        lanes: channels.live,
        unbounded: 'control',
        windowBytes: () => LIVE_WINDOW_BYTES,
        bufferBytes: LIVE_WINDOW_BYTES,
      }),
      bulk: new LaneScheduler({
        ...shared,
        lanes: channels.bulk,
        windowBytes: () => this.#bulkWindow.bytes,
        bufferBytes: BULK_BUFFER_BYTES,
      }),
    }
    this.#lanes = Object.fromEntries(
      LANE_NAMES.map((name) => [
        name,
        new RtcLane(name, options.peer, this.#schedulers[connectionOf(name)], {
          onListenerError: (error) => this.#blame(name, error),
          onDidSendAtOnce: (index, message) => this.#repeat({ lane: name, index, message }),
        }),
      ]),
    ) as Record<LaneName, RtcLane>
    this.#bulkWindow = new BulkWindow(clock, this.#speaksRepeats ? MIN_BULK_WINDOW_BYTES : MIN_BULK_WINDOW_V1_BYTES)
    this.#confirmations = this.#owned.add(
      new LinkConfirmations(clock, (connection, bytes) => this.#say({ type: 'ack', connection, bytes })),
    )
    this.#repeater = this.#owned.add(new LaneRepeater({ clock, isFree: () => this.#isFree, send: (packet) => channels.again.send(packet) }))
    this.#heartbeat = this.#owned.add(
      new LinkHeartbeat({
        clock,
        yields: options.role === 'door',
        sendPing: (n) => this.#say({ type: 'ping', n }),
        onGone: () => this.#cut('the peer does not answer'),
      }),
    )
    this.#listen()
  }

  #listen(): void {
    const { channels, live, bulk, early } = this.#options
    this.#owned.add(channels.wire.onDidReceive((bytes) => this.#guard(() => this.#receiveWire(bytes))))
    if (this.#speaksRepeats) this.#owned.add(channels.again.onDidReceive((bytes) => this.#guard(() => this.#receiveRepeats(bytes))))
    for (const { name, channel } of [...channels.live, ...channels.bulk]) {
      this.#owned.add(channel.onDidReceive((frame) => this.#guard(() => this.#receiveFrame(name, frame))))
      this.#owned.add(channel.onDidClose(() => this.#cut('the connection ended')))
    }
    this.#owned.add(channels.wire.onDidClose(() => this.#cut('the connection ended')))
    for (const connection of [live, bulk]) {
      this.#owned.add(
        connection.onDidChangeState((state) => {
          if (state === 'failed' || state === 'closed') this.#cut(`the connection ${state === 'failed' ? 'failed' : 'ended'}`)
        }),
      )
    }
    // In a microtask: whoever is told of the link subscribes to its lanes first.
    queueMicrotask(() => {
      for (const { lane, frame } of early) this.#guard(() => this.#receiveFrame(lane, frame))
    })
    this.#schedulers.live.open()
    this.#schedulers.bulk.open()
  }

  lane(name: LaneName): RtcLane {
    return this.#lanes[name]
  }

  stats(): LinkStats {
    const pair = this.#options.live.selectedPair
    const lanes = Object.fromEntries(LANE_NAMES.map((name) => [name, { ...this.#lanes[name].counters }])) as LinkStats['lanes']
    return {
      path: pathOf(pair?.localType, pair?.remoteType),
      localAddress: pair?.localAddress,
      remoteAddress: pair?.remoteAddress,
      roundTripMs: this.#heartbeat.roundTripMs,
      lanes,
    }
  }

  /** Asks at once whether the peer is still there. */
  probe(): void {
    this.#heartbeat.probe()
  }

  /** Signaling over the link itself. Lost if the link is closing. */
  sendNote(bytes: Uint8Array): void {
    this.#say({ type: 'note', bytes })
  }

  tellRendezvous(urls: readonly string[]): void {
    this.#say({ type: 'meet', urls })
  }

  closeForFault(code: string, message: string): void {
    this.#options.logger.warn('closing a link: the peer broke the protocol', { peer: this.peer, code, message })
    this.#close(`${code}: ${message}`, code)
  }

  /** Closes on purpose and says so, e.g. `link/replaced`. */
  closeFor(code: string, reason: string): void {
    this.#close(reason, code)
  }

  dispose(): void {
    this.#close('closed here', 'link/closed')
  }

  #guard(work: () => void): void {
    if (this.#closedFor !== undefined) return
    try {
      work()
    } catch (error) {
      this.closeForFault(errorCode(error), errorMessage(error))
    }
  }

  /** Whoever listens should have named the fault itself; a message that makes it throw must still not end this process. */
  #blame(name: LaneName, error: unknown): void {
    this.#options.logger.error('a message from a peer could not be handled', { peer: this.peer, lane: name, message: errorMessage(error) })
    this.closeForFault(errorCode(error), `a message on lane ${name} could not be handled: ${errorMessage(error)}`)
  }

  #receiveFrame(name: LaneName, frame: Uint8Array): void {
    this.#heartbeat.heard()
    this.#heartbeat.touch()
    if (name !== 'control') this.#confirmations.received(connectionOf(name), frame.length)
    this.#lanes[name].receiveFrame(frame)
  }

  get #speaksRepeats(): boolean {
    return this.#options.version >= REPEATS_VERSION
  }

  #repeat(repeat: Repeat): void {
    if (this.#speaksRepeats && connectionOf(repeat.lane) === 'live') this.#repeater.add(repeat)
  }

  /** Nothing waits in the live connection. */
  get #isFree(): boolean {
    const { again, live } = this.#options.channels
    return again.isOpen && again.bufferedAmount === 0 && live.every(({ channel }) => channel.bufferedAmount === 0)
  }

  #receiveRepeats(packet: Uint8Array): void {
    this.#heartbeat.heard()
    for (const { lane, index, message } of decodeRepeats(packet, this.peer)) this.#lanes[lane].receiveRepeat(index, message)
  }

  #receiveWire(bytes: Uint8Array): void {
    this.#heartbeat.heard()
    const message = decodeWire(bytes, this.peer)
    switch (message.type) {
      case 'ping':
        this.#say({ type: 'pong', n: message.n })
        return
      case 'pong':
        this.#heartbeat.pong(message.n)
        return
      case 'ack':
        this.#receiveConfirmation(message.connection, message.bytes)
        return
      case 'note':
        this.#noteReceived.fire(message.bytes)
        return
      case 'meet':
        this.#learned.fire(message.urls)
        return
      case 'bye':
        this.#close(`the peer closed the link (${message.code})`)
        return
      default:
        this.closeForFault('link/bad-frame', `${this.peer} said ${message.type} on a link that is up; the link is made anew`)
    }
  }

  #sentFrame(lane: LaneName, bytes: number): void {
    this.#heartbeat.touch()
    if (connectionOf(lane) === 'bulk') this.#bulkWindow.sent(bytes)
  }

  #receiveConfirmation(connection: ConnectionName, bytes: number): void {
    if (connection === 'bulk') this.#bulkWindow.confirmed(bytes)
    if (this.#schedulers[connection].confirm(bytes)) return
    this.closeForFault('link/bad-frame', `${this.peer} confirmed bytes that were never sent; the link is made anew`)
  }

  #say(message: WireMessage): void {
    const { wire } = this.#options.channels
    if (this.#closedFor === undefined && wire.isOpen) wire.send(encodeWire(message))
  }

  #cut(reason: string): void {
    if (this.#closedFor !== undefined) return
    this.wasCut = true
    this.#close(reason)
  }

  #close(reason: string, lastWord?: string): void {
    if (this.#closedFor !== undefined) return
    const { live, bulk, clock, logger } = this.#options
    if (lastWord !== undefined) {
      try {
        this.#say({ type: 'bye', code: lastWord })
      } catch {
        // The channel closed under us: there is nobody to say it to.
      }
    }
    this.#closedFor = reason
    this.#owned.dispose()
    const release = () => {
      live.dispose()
      bulk.dispose()
    }
    if (lastWord === undefined) release()
    else clock.after(LAST_WORD_MS, release)
    logger.info('link closed', { peer: this.peer, reason })
    for (const name of LANE_NAMES) this.#lanes[name].close(reason)
    this.#closed.fire({ reason })
  }
}

const connectionOf = (lane: LaneName): ConnectionName => ((BULK_LANES as readonly LaneName[]).includes(lane) ? 'bulk' : 'live')

function pathOf(local: string | undefined, remote: string | undefined): LinkStats['path'] {
  for (const type of ['relay', 'srflx', 'prflx', 'host'] as const) if (local === type || remote === type) return type
  return 'unknown'
}
