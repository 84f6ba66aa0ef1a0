import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'

/** In order of priority, first is most urgent (ARCHITECTURE.md, section 1). */
export const LANE_NAMES = ['control', 'session', 'tty', 'ports', 'jobs', 'files'] as const
export type LaneName = (typeof LANE_NAMES)[number]

/**
 * One ordered, reliable stream of whole messages inside a link. Fragments long messages, so that no lane blocks a more
 * urgent one for longer than one frame.
 */
export interface Lane extends Disposable {
  readonly name: LaneName
  /** Queues a message. @throws LinkError `link/message-too-large`, `link/closed` */
  send(message: Uint8Array): void
  /** As `send` of both as one message. `bytes` are the lane's from then on; `head` is short. Not said again (SY67). */
  sendParts?(head: Uint8Array, bytes: Uint8Array): void
  /** Queued here and not yet acknowledged by the transport: the sender bounds its work by it. */
  readonly bufferedBytes: number
  readonly onDidDrain: Event<void>
  readonly onDidReceive: Event<Uint8Array>
  readonly onDidClose: Event<{ readonly reason: string }>
}

/** How a link runs and what it has carried; what Devices and `elsewhere debug` show. */
export interface LinkStats {
  readonly path: 'host' | 'srflx' | 'prflx' | 'relay' | 'unknown'
  readonly localAddress: string | undefined
  readonly remoteAddress: string | undefined
  readonly roundTripMs: number | undefined
  readonly lanes: Readonly<Record<LaneName, { sentBytes: number; receivedBytes: number; sentMessages: number; receivedMessages: number }>>
}

/** An authenticated connection to another device. Exists only after both sides have proved their keys. */
export interface Link extends Disposable {
  readonly peer: DeviceId
  /** What the peer proved it knows of who belongs, as identity writes it; undefined of a peer that speaks an older version (SY70). */
  readonly peerHead?: Uint8Array | undefined
  lane(name: LaneName): Lane
  stats(): LinkStats
  /** The peer broke the protocol: closes this link and names it; nothing else is disturbed. */
  closeForFault(code: string, message: string): void
  readonly onDidClose: Event<{ readonly reason: string }>
}

/** All links of this device, kept up by whoever finds peers (rendezvous, mDNS). */
export interface LinkSet {
  readonly links: ReadonlyMap<DeviceId, Link>
  readonly onDidLink: Event<Link>
  readonly onDidUnlink: Event<{ readonly peer: DeviceId; readonly reason: string }>
}
