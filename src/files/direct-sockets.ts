import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'

/** A secret of one connection, agreed over a link that has proved who is there: it adds no identity of its own. */
export interface DirectKey {
  /** Told to the listener in clear, so that it knows which key is meant. */
  readonly identity: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** TCP with TLS, or a WebRTC connection. */
export type DirectKind = 'tls' | 'webrtc'

/** An encrypted stream to another device's files process. Both ends have proved that they are who the link says. */
export interface DirectConnection extends Disposable {
  readonly kind: DirectKind
  /** Where the connection itself holds much that nobody sees: it is given so much at most before the other end has confirmed it. */
  readonly mostUnconfirmedBytes?: number
  /** Ignored once closed. */
  send(bytes: Uint8Array): void
  /** Sent and not yet taken by the system. */
  readonly bufferedBytes: number
  readonly onDidDrain: Event<void>
  /** What comes before the first listener waits for it. The bytes are the stream's again when the listener returns. */
  readonly onDidReceive: Event<Uint8Array>
  readonly onDidClose: Event<void>
}

/** Listens until disposed. */
export interface DirectListening extends Disposable {
  readonly port: number
  readonly onDidConnect: Event<DirectConnection>
}

export interface DirectPlace {
  /** IPv4 or IPv6. */
  readonly address: string
  readonly port: number
}

/** How two files processes reach each other without their links in between. Implemented in platform/. */
export interface DirectSockets {
  /** Lets in who holds one of the keys, one connection each. Strangers get nothing, and only so many at a time, and not for long. */
  listen(address: string, keys: readonly DirectKey[]): Promise<DirectListening>
  /** Rejects when nobody is there, or the other end does not hold the key. */
  connect(place: DirectPlace, key: DirectKey, signal: AbortSignal): Promise<DirectConnection>
}

/** One way to be reached, as ICE writes it. */
export interface DirectCandidate {
  readonly candidate: string
  readonly mid: string
}

/** One end of a WebRTC connection in the making. What the ends tell each other goes over the link, which proves it. Disposed when it did not work. */
export interface DirectDial extends Disposable {
  /** The description of who begins. */
  offer(): Promise<string>
  /** The description of the other end. Rejects when `offer` cannot be read. */
  answer(offer: string): Promise<string>
  /** @throws Error  `answer` cannot be read */
  accept(answer: string): void
  addCandidate(candidate: DirectCandidate): void
  readonly onDidFindCandidate: Event<DirectCandidate>
  /** The other end has shown the certificate that its description named. The connection is the listener's. */
  readonly onDidConnect: Event<DirectConnection>
  /** It will not connect. */
  readonly onDidFail: Event<void>
}

/** What a WebRTC connection to one peer may use: the same as the link. */
export interface DialWay {
  readonly iceServers: readonly string[]
  readonly bindAddress?: string | undefined
  /** The peer's address of the link: no packet goes to another one. */
  readonly remote: string
}

/** How two files processes reach each other where no TCP connection comes about. Implemented in platform/. */
export interface DirectDials {
  /** Rejects when this process has enough connections. */
  dial(way: DialWay): Promise<DirectDial>
}
