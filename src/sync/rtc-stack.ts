import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'

/** A STUN or TURN server from the settings; none by default. `url` is `stun:host:port` or `turn:user:password@host:port`. */
export interface RtcOptions {
  readonly iceServers: readonly string[]
  /** Only this local address is offered. `127.0.0.1` makes WebRTC work on a machine that has nothing but loopback. */
  readonly bindAddress?: string
}

export type RtcState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed'

/** One way to be reached, as ICE writes it. */
export interface RtcCandidate {
  readonly candidate: string
  readonly mid: string
}

export interface RtcCandidatePair {
  readonly localType: string
  readonly localAddress: string
  readonly remoteType: string
  readonly remoteAddress: string
}

/** One stream of messages inside a connection, ordered and reliable unless made otherwise. Both sides make it with the same id (negotiated). */
export interface RtcChannel {
  readonly id: number
  readonly isOpen: boolean
  /** Given to `send` and not yet taken by SCTP. What SCTP itself holds (up to 1 MiB) is not in it. */
  readonly bufferedAmount: number
  /** @throws LinkError `link/closed`  the channel is not open */
  send(message: Uint8Array): void
  readonly onDidOpen: Event<void>
  readonly onDidClose: Event<void>
  /** bufferedAmount fell to the low mark given at creation. */
  readonly onDidDrain: Event<void>
  /** The bytes belong to the listener. */
  readonly onDidReceive: Event<Uint8Array>
}

export interface RtcChannelOptions {
  readonly label: string
  readonly id: number
  /** Fires onDidDrain when bufferedAmount falls to it. */
  readonly lowBytes: number
  /** False: a message that is lost stays lost, and none waits for another. */
  readonly isReliable?: boolean
}

/**
 * One RTCPeerConnection, cut down to what a link needs. Offer and answer happen once in its life: another try is another
 * connection, so there is no rollback to get wrong. Nothing here trusts the other end.
 */
export interface RtcConnection extends Disposable {
  /** Before the offer or answer. */
  createChannel(options: RtcChannelOptions): RtcChannel
  /** Makes the local offer; candidates follow through onDidFindCandidate. */
  createOffer(): Promise<string>
  /** @throws LinkError `link/bad-hello`  not an SDP */
  acceptOffer(sdp: string): Promise<string>
  /** @throws LinkError `link/bad-hello`  not an SDP */
  acceptAnswer(sdp: string): void
  /** Kept until the remote description is there. A candidate that cannot be read is ignored. */
  addCandidate(candidate: RtcCandidate): void
  readonly state: RtcState
  readonly onDidChangeState: Event<RtcState>
  readonly onDidFindCandidate: Event<RtcCandidate>
  /** SHA-256 of our certificate, 32 bytes; there once the local description is. */
  readonly localFingerprint: Uint8Array
  /** SHA-256 of the certificate the other end used in DTLS, 32 bytes; before DTLS, the one its description announces. */
  readonly remoteFingerprint: Uint8Array
  readonly selectedPair: RtcCandidatePair | undefined
}

/** Makes connections. Implemented in platform/node over node-datachannel, and in memory for tests. */
export interface RtcStack {
  createConnection(options: RtcOptions): RtcConnection
}

/** The SHA-256 fingerprint an SDP announces, 32 bytes; undefined when there is not exactly one. */
export function fingerprintOfSdp(sdp: string): Uint8Array | undefined {
  const found = [...sdp.matchAll(/^a=fingerprint:sha-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})\s*$/gim)]
  const text = found[0]?.[1]
  if (found.length !== 1 || text === undefined) return undefined
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16))
}

/**
 * Lets the offering side start DTLS. Its ICE is the last to be ready, so the other side is surely listening: measured, an
 * answerer that starts loses its first flight nearly every second time and waits a fixed second (10 of 24 against 0 of 24).
 */
export const offererStartsDtls = (offer: string): string => offer.replace(/^a=setup:actpass(\s*)$/gm, 'a=setup:active$1')
