import { constants } from 'node:crypto'
import type { AddressInfo, OnReadOpts, Socket } from 'node:net'
import { connect, createSecureContext, createServer, type TLSSocket } from 'node:tls'
import { DisposableStore } from '../../base/disposable.ts'
import { Emitter, type Event } from '../../base/emitter.ts'
import type { DirectConnection, DirectKey, DirectListening, DirectPlace, DirectSockets } from '../../files/direct-sockets.ts'

/*
 * Surprises of Node's TLS with pre-shared keys (R16):
 *   TLS 1.3 takes a key of `pskCallback` only with a SHA-256 cipher    -> one cipher, or the handshake fails as if there were no key
 *   `pskCallback` must answer at once; it may not wait                 -> keys are in a map before the port is open
 *   a server hands out tickets by which a connection can be taken up    -> NO_TICKET: it still sends some in 1.3, which only name a
 *                                                                          session that is kept nowhere, so none takes one up
 *   in TLS 1.3 a server may show a certificate in place of the key, and -> no root is trusted, any certificate is an error, and a
 *   a client takes one that any root has signed, for any name              connection that did not use the key (1.3 calls it resumed) ends
 *   each record read is a buffer of its own and goes through a stream    -> whoever connects reads into one buffer (`onread`, which servers do not
 *                                                                          have): a fifth less processor time
 *   X25519MLKEM768 is unknown to OpenSSL before 3.5, which throws       -> it is tried once; X25519 alone is taken where it is unknown
 */
const TLS = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  ecdhCurve: knownCurves('X25519MLKEM768:X25519', 'X25519'),
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const

function knownCurves(wanted: string, older: string): string {
  try {
    createSecureContext({ ecdhCurve: wanted })
    return wanted
  } catch {
    return older
  }
}

/** Listeners of this process, at most: a device has so many linked that begin at one moment. */
const MAX_LISTENERS = 16
/** Strangers and friends that have not proved anything yet, at most, and for how long. */
const MAX_HALF_OPEN = 16
const HANDSHAKE_MS = 5_000
/** What whoever connects reads at once: four records. */
const READ_BYTES = 64 * 1024
/** What may come before anybody listens. */
const MAX_HELD_BYTES = 1024 * 1024
/** A peer that went away without a word is found out by its link first; this is for the socket's own sake. */
const KEEP_ALIVE_MS = 60_000

class TlsDirectConnection implements DirectConnection {
  readonly kind = 'tls'
  readonly #socket: TLSSocket
  readonly #isReadInto: boolean
  readonly #received = new Emitter<Uint8Array>()
  readonly #drained = new Emitter<void>()
  readonly #closed = new Emitter<void>()
  readonly onDidDrain = this.#drained.event
  readonly onDidClose = this.#closed.event

  /** What came before the first listener. */
  #held: Uint8Array[] | undefined = []
  #heldBytes = 0

  /** @param isReadInto  whoever made the socket gives on what it reads */
  constructor(socket: TLSSocket, isReadInto = false) {
    this.#socket = socket
    this.#isReadInto = isReadInto
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.pause()
    socket.on('drain', () => this.#drained.fire())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#closed.fire()
      this.#closed.dispose()
    })
    socket.on('end', () => socket.destroy())
  }

  readonly onDidReceive: Event<Uint8Array> = (listener) => {
    const subscription = this.#received.event(listener)
    const held = this.#held
    if (!held) return subscription
    this.#held = undefined
    for (const bytes of held) if (!this.#socket.destroyed) listener(bytes)
    if (!this.#isReadInto) this.#socket.on('data', (bytes) => this.take(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
    this.#socket.resume()
    return subscription
  }

  /** Bytes that came: the socket's again when it returns. */
  take(bytes: Uint8Array): void {
    if (!this.#held) return this.#received.fire(bytes)
    this.#heldBytes += bytes.length
    if (this.#heldBytes > MAX_HELD_BYTES) this.dispose()
    else this.#held.push(bytes.slice())
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  send(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  }

  dispose(): void {
    this.#socket.destroy()
  }
}

const farEndOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** Direct connections over TLS 1.3 with pre-shared keys and no certificates. */
export class TlsDirectSockets implements DirectSockets {
  readonly #handshakeMs: number
  #listeners = 0

  constructor(handshakeMs = HANDSHAKE_MS) {
    this.#handshakeMs = handshakeMs
  }

  async listen(address: string, keys: readonly DirectKey[]): Promise<DirectListening> {
    if (this.#listeners >= MAX_LISTENERS) throw new RangeError(`${MAX_LISTENERS} listeners are open`)
    const unused = new Map(keys.map(({ identity, key }) => [identity, key]))
    const known = new WeakSet<TLSSocket>()
    const connected = new Emitter<DirectConnection>()
    /** Not proved yet, by the other end's address. */
    const halfOpen = new Map<string, Socket>()
    const server = createServer({
      ...TLS,
      handshakeTimeout: this.#handshakeMs,
      pskCallback: (socket, identity) => {
        const key = unused.get(identity)
        if (!key) return null
        unused.delete(identity)
        known.add(socket)
        return key
      },
    })
    server.maxConnections = MAX_HALF_OPEN + keys.length
    server.on('connection', (socket) => {
      if (halfOpen.size >= MAX_HALF_OPEN) return void socket.destroy()
      const from = farEndOf(socket)
      halfOpen.set(from, socket)
      socket.once('close', () => halfOpen.get(from) === socket && halfOpen.delete(from))
      socket.on('error', () => socket.destroy())
    })
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    server.on('secureConnection', (socket) => {
      halfOpen.delete(farEndOf(socket))
      // Without a key no handshake ends well; this is for the day when a default changes.
      if (known.has(socket) && connected.hasListeners) connected.fire(new TlsDirectConnection(socket))
      else socket.destroy()
    })
    this.#listeners++
    const owned = new DisposableStore()
    owned.defer(() => this.#listeners--)
    owned.defer(() => connected.dispose())
    owned.defer(() => {
      server.close()
      for (const socket of halfOpen.values()) socket.destroy()
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        owned.dispose()
        reject(error)
      })
      server.listen({ host: address, port: 0, exclusive: true }, resolve)
    })
    server.on('error', () => owned.dispose())
    return { port: (server.address() as AddressInfo).port, onDidConnect: connected.event, dispose: () => owned.dispose() }
  }

  connect({ address, port }: DirectPlace, { identity, key }: DirectKey, signal: AbortSignal): Promise<DirectConnection> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const buffer = new Uint8Array(READ_BYTES)
      let connection: TlsDirectConnection | undefined
      const reading: { readonly onread: OnReadOpts } = {
        onread: {
          buffer,
          callback: (length) => {
            connection?.take(buffer.subarray(0, length)) // nothing comes before it is there: a handshake gives nothing on
            return true
          },
        },
      }
      const socket = connect({
        ...TLS,
        ...reading,
        host: address,
        port,
        pskCallback: () => ({ identity, psk: key }),
        ca: [],
        rejectUnauthorized: true,
        checkServerIdentity: () => new Error('a certificate where a key was agreed on'),
      })
      const stop = () => socket.destroy(signal.reason as Error)
      signal.addEventListener('abort', stop)
      socket.once('error', reject)
      socket.once('close', () => {
        signal.removeEventListener('abort', stop)
        reject(new Error('the direct connection was refused'))
      })
      socket.once('secureConnect', () => {
        signal.removeEventListener('abort', stop)
        if (!socket.isSessionReused()) return void socket.destroy(new Error('the key that was agreed on was not used'))
        connection = new TlsDirectConnection(socket, true)
        resolve(connection)
      })
    })
  }
}
