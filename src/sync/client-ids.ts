import { encoding } from './lib0.ts'
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { publicKeyOf, type DeviceId, type DocId } from '../base/ids.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import type { RandomSource } from '../base/random.ts'
import { sha256 } from '../base/sha256.ts'

/** One run of a device's process: 8 random bytes in hex. A new one at each start, so that a crash is not a fork. */
export type StartId = string & { readonly __brand: 'StartId' }
export const START_BYTES = 8

export const newStartId = (random: RandomSource): StartId => toHex(random.bytes(START_BYTES)) as StartId

/** Names the n-th client id a device gave out in one start. What an envelope lists, so that a gate can recompute the id. */
export interface ClientName {
  readonly start: StartId
  readonly n: number
}

/** At most this many ids of one start: keeps `n` small in every envelope; 4 billion attaches are never reached. */
export const MAX_CLIENT_NUMBER = 0xffff_ffff

/**
 * The Yjs client id of (device, start, n): 53 bits of SHA-256 (rule SY10). Given by the device, never chosen by a page:
 * ties every change to its author, and never collides as random 32-bit ids do.
 */
export function clientIdOf(device: DeviceId, { start, n }: ClientName): number {
  const encoder = encoding.createEncoder()
  encoding.writeVarString(encoder, 'client')
  encoding.writeUint8Array(encoder, publicKeyOf(device))
  encoding.writeVarString(encoder, start)
  encoding.writeVarUint(encoder, n)
  const hash = sha256(encoding.toUint8Array(encoder))
  const view = new DataView(hash.buffer, hash.byteOffset, 8)
  return view.getUint32(0) * 0x20_0000 + (view.getUint32(4) >>> 11)
}

export interface IssuedClient extends ClientName {
  readonly clientId: number
  readonly doc: DocId
}

const SPACE = 'client-ids'
/** A display that was closed longer than this cannot flush any more; as long as the log is kept. */
const REMEMBER_MS = 90 * 24 * 3_600_000

/**
 * Gives out client ids and remembers them across restarts, so that a display which reconnects may still flush what it
 * changed under an id of an earlier start (rule SY11). One per device process.
 */
export class ClientIds {
  readonly #device: DeviceId
  readonly #start: StartId
  readonly #store: KeyValueStore
  readonly #clock: Clock
  readonly #issued = new Map<number, IssuedClient>()
  #next = 1

  constructor(options: { device: DeviceId; start: StartId; store: KeyValueStore; clock: Clock }) {
    this.#device = options.device
    this.#start = options.start
    this.#store = options.store
    this.#clock = options.clock
    const oldestMs = options.clock.nowMs() - REMEMBER_MS
    for (const [key, value] of options.store.entries(SPACE)) {
      const [doc, start, n, atMs] = JSON.parse(fromUtf8(value)) as [DocId, StartId, number, number]
      if (atMs < oldestMs) options.store.delete(SPACE, key)
      else this.#remember({ clientId: clientIdOf(this.#device, { start, n }), start, n, doc })
    }
  }

  /** A fresh id for one attach to `doc`. Kept on disk before it is returned. @throws StoreError */
  issue(doc: DocId): IssuedClient {
    const name: ClientName = { start: this.#start, n: this.#next++ }
    const issued = { clientId: clientIdOf(this.#device, name), doc, ...name }
    this.#store.put(SPACE, String(issued.clientId), utf8(JSON.stringify([doc, name.start, name.n, this.#clock.nowMs()])))
    this.#remember(issued)
    return issued
  }

  /** Which of our names an id stands for; undefined when this device never gave it out. */
  find(clientId: number): IssuedClient | undefined {
    return this.#issued.get(clientId)
  }

  #remember(issued: IssuedClient): void {
    this.#issued.set(issued.clientId, issued)
  }
}
