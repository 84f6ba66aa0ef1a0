import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'

/** A secret of one connection, agreed over a link that has proved who is there: it adds no identity of its own. */
export interface DirectKey {
  /** Told to the listener in clear, so that it knows which key is meant. */
  readonly identity: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** An encrypted stream to another device's files process. Both ends have proved that they hold the key. */
export interface DirectConnection extends Disposable {
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
