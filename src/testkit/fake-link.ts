import { type Clock, systemClock } from '../base/clock.ts'
import { type Disposable, toDisposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import { LANE_NAMES, type Lane, type LaneName, type Link, type LinkSet, type LinkStats } from '../sync/lane.ts'
import { LinkError } from '../sync/link-error.ts'

export interface FakeLinkOptions {
  /** One way, ms. 0 (the default) delivers in a microtask, so a test may simply await a few ticks. */
  readonly delayMs?: number
  readonly clock?: Clock
  /** Messages larger than this are refused, as a real lane does. */
  readonly maxMessageBytes?: number
}

/** Both ends of one link, in memory. */
export interface FakeLinkPair {
  readonly a: FakeLink
  readonly b: FakeLink
  /** The network is gone: what is under way is lost and both ends close. */
  cut(reason?: string): void
  /** Takes effect for messages sent from now on; order within a lane is kept. */
  setDelay(delayMs: number): void
  /** Nothing is delivered until `release`: bufferedBytes grows, as with a lane that is backed up. */
  hold(): void
  release(): void
}

class Wire {
  delayMs: number
  readonly clock: Clock
  readonly maxMessageBytes: number
  isHeld = false
  isCut = false
  readonly held: (() => void)[] = []

  constructor(options: FakeLinkOptions) {
    this.delayMs = options.delayMs ?? 0
    this.clock = options.clock ?? systemClock
    this.maxMessageBytes = options.maxMessageBytes ?? 64 * 1024 * 1024
  }

  carry(deliver: () => void): void {
    const arrive = () => {
      if (this.isCut) return
      if (this.isHeld) this.held.push(deliver)
      else deliver()
    }
    if (this.delayMs > 0) this.clock.after(this.delayMs, arrive)
    else queueMicrotask(arrive)
  }

  release(): void {
    this.isHeld = false
    for (const deliver of this.held.splice(0)) if (!this.isCut) deliver()
  }
}

class FakeLane implements Lane {
  readonly name: LaneName
  readonly #wire: Wire
  readonly #received = new Emitter<Uint8Array>()
  readonly #drained = new Emitter<void>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  readonly counters = { sentBytes: 0, receivedBytes: 0, sentMessages: 0, receivedMessages: 0 }
  readonly #inOrder: Uint8Array[] = []
  other: FakeLane | undefined
  bufferedBytes = 0
  isClosed = false
  readonly onDidReceive = this.#received.event
  readonly onDidDrain = this.#drained.event
  readonly onDidClose = this.#closed.event

  constructor(name: LaneName, wire: Wire) {
    this.name = name
    this.#wire = wire
  }

  send(message: Uint8Array): void {
    if (this.isClosed) throw LinkError.closed('closed')
    if (message.length > this.#wire.maxMessageBytes) throw LinkError.messageTooLarge(this.name, message.length, this.#wire.maxMessageBytes)
    this.#inOrder.push(message.slice())
    this.bufferedBytes += message.length
    this.counters.sentBytes += message.length
    this.counters.sentMessages++
    this.#wire.carry(() => this.#deliverNext())
  }

  #deliverNext(): void {
    const message = this.#inOrder.shift()
    if (message === undefined || this.isClosed) return
    this.bufferedBytes -= message.length
    this.other?.receive(message)
    if (this.bufferedBytes === 0) this.#drained.fire()
  }

  receive(message: Uint8Array): void {
    if (this.isClosed) return
    this.counters.receivedBytes += message.length
    this.counters.receivedMessages++
    this.#received.fire(message)
  }

  close(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#closed.fire({ reason })
  }

  dispose(): void {
    this.close('disposed here')
  }
}

/** One end of a link in memory. Behaves like the real one: ordered lanes, copies, closed ends throw `link/closed`. */
export class FakeLink implements Link {
  readonly peer: DeviceId
  readonly self: DeviceId
  readonly #lanes: Record<LaneName, FakeLane>
  readonly #closed = new Emitter<{ readonly reason: string }>()
  readonly onDidClose = this.#closed.event
  other: FakeLink | undefined
  isClosed = false
  /** The last fault that was named through `closeForFault`, here or by the other end's doing. */
  fault: { readonly code: string; readonly message: string } | undefined

  constructor(self: DeviceId, peer: DeviceId, wire: Wire) {
    this.self = self
    this.peer = peer
    this.#lanes = Object.fromEntries(LANE_NAMES.map((name) => [name, new FakeLane(name, wire)])) as Record<LaneName, FakeLane>
  }

  lane(name: LaneName): Lane {
    return this.#lanes[name]
  }

  /** Joins the lanes of two ends; done once by `createFakeLinkPair`. */
  join(other: FakeLink): void {
    this.other = other
    for (const name of LANE_NAMES) this.#lanes[name].other = other.#lanes[name]
  }

  stats(): LinkStats {
    const lanes = Object.fromEntries(LANE_NAMES.map((name) => [name, { ...this.#lanes[name].counters }])) as LinkStats['lanes']
    return { path: 'host', localAddress: 'fake', remoteAddress: 'fake', roundTripMs: undefined, lanes }
  }

  closeForFault(code: string, message: string): void {
    this.fault = { code, message }
    this.close(`${code}: ${message}`)
    this.other?.close('the peer closed the link')
  }

  close(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    for (const name of LANE_NAMES) this.#lanes[name].close(reason)
    this.#closed.fire({ reason })
  }

  dispose(): void {
    this.close('disposed here')
    this.other?.close('the peer closed the link')
  }
}

/** A link between `a` and `b` that needs no network. `pair.a` is a's end: its `peer` is b. */
export function createFakeLinkPair(a: DeviceId, b: DeviceId, options: FakeLinkOptions = {}): FakeLinkPair {
  const wire = new Wire(options)
  const pair = { a: new FakeLink(a, b, wire), b: new FakeLink(b, a, wire) }
  pair.a.join(pair.b)
  pair.b.join(pair.a)
  return {
    ...pair,
    cut(reason = 'the network was cut') {
      wire.isCut = true
      pair.a.close(reason)
      pair.b.close(reason)
    },
    setDelay(delayMs) {
      wire.delayMs = delayMs
    },
    hold() {
      wire.isHeld = true
    },
    release: () => wire.release(),
  }
}

/** A LinkSet whose links a test adds by hand. */
export class FakeLinkSet implements LinkSet, Disposable {
  readonly #links = new Map<DeviceId, Link>()
  readonly #linked = new Emitter<Link>()
  readonly #unlinked = new Emitter<{ readonly peer: DeviceId; readonly reason: string }>()
  readonly links: ReadonlyMap<DeviceId, Link> = this.#links
  readonly onDidLink = this.#linked.event
  readonly onDidUnlink = this.#unlinked.event

  add(link: Link): Disposable {
    this.#links.get(link.peer)?.dispose()
    this.#links.set(link.peer, link)
    const closing = link.onDidClose(({ reason }) => {
      if (this.#links.get(link.peer) !== link) return
      this.#links.delete(link.peer)
      this.#unlinked.fire({ peer: link.peer, reason })
    })
    this.#linked.fire(link)
    return toDisposable(() => {
      closing.dispose()
      link.dispose()
    })
  }

  dispose(): void {
    for (const link of [...this.#links.values()]) link.dispose()
  }
}

/** Links two fake sets; returns the pair, so that the test can cut it. */
export function connectFakeLinkSets(
  a: { readonly device: DeviceId; readonly set: FakeLinkSet },
  b: { readonly device: DeviceId; readonly set: FakeLinkSet },
  options?: FakeLinkOptions,
): FakeLinkPair {
  const pair = createFakeLinkPair(a.device, b.device, options)
  a.set.add(pair.a)
  b.set.add(pair.b)
  return pair
}
