import net from 'node:net'
import { Emitter } from '../../base/emitter.ts'
import type { Transport } from '../../rpc/channel.ts'
import { MAX_BYTES_LENGTH, MAX_TEXT_LENGTH } from '../../rpc/wire-message.ts'

const TEXT = 0
const BYTES = 1
const HEADER_BYTES = 5
/** A text's UTF-8 takes at most 3 bytes a UTF-16 unit. */
const MAX_FRAME_BYTES = Math.max(MAX_BYTES_LENGTH, 3 * MAX_TEXT_LENGTH) + 1

/**
 * RPC over a Unix socket: 4 bytes of length (big-endian, of what follows the length), a kind byte (0 text, 1 bytes), the
 * message. Owns the socket. A frame that is too long or of unknown kind closes it.
 */
export class UnixSocketTransport implements Transport {
  readonly #socket: net.Socket
  readonly #received = new Emitter<string | Uint8Array>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  #chunks: Buffer[] = []
  #chunkBytes = 0
  #isClosed = false

  readonly onDidReceive = this.#received.event
  readonly onDidClose = this.#closed.event

  constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('close', () => this.#end('rpc/closed'))
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code === undefined ? 'rpc/closed' : `rpc/closed (${error.code})`))
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  send(message: string | Uint8Array): void {
    if (this.#isClosed) return
    const isText = typeof message === 'string'
    const length = isText ? Buffer.byteLength(message) : message.length
    const frame = Buffer.allocUnsafe(HEADER_BYTES + length)
    frame.writeUInt32BE(length + 1, 0)
    frame[4] = isText ? TEXT : BYTES
    if (isText) frame.write(message, HEADER_BYTES)
    else frame.set(message, HEADER_BYTES)
    this.#socket.write(frame)
  }

  close(reason: string): void {
    if (this.#isClosed) return
    this.#socket.end()
    this.#socket.destroySoon()
    this.#end(reason)
  }

  dispose(): void {
    this.close('rpc/closed')
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) {
      if (this.#isClosed) return
      if (frame[0] === TEXT) this.#received.fire(frame.toString('utf8', 1))
      else if (frame[0] === BYTES) this.#received.fire(new Uint8Array(frame.subarray(1)))
      else return this.close('rpc/malformed')
    }
  }

  /** The next whole frame (kind byte and message), or undefined until more has come. */
  #nextFrame(): Buffer | undefined {
    if (this.#isClosed || this.#chunkBytes < HEADER_BYTES) return undefined
    if ((this.#chunks[0] as Buffer).length < HEADER_BYTES) this.#chunks = [Buffer.concat(this.#chunks)]
    const first = this.#chunks[0] as Buffer
    const length = first.readUInt32BE(0)
    if (length < 1 || length > MAX_FRAME_BYTES) {
      this.close('rpc/too-large')
      return undefined
    }
    if (this.#chunkBytes < 4 + length) return undefined
    const whole = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks)
    const rest = whole.subarray(4 + length)
    this.#chunks = rest.length > 0 ? [rest] : []
    this.#chunkBytes = rest.length
    return whole.subarray(4, 4 + length)
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#chunks = []
    this.#closed.fire({ reason })
  }
}

/** Connects to a process that listens at `path`. Rejects with the system's error (ENOENT, ECONNREFUSED) when none does. */
export function connectUnixSocket(path: string): Promise<UnixSocketTransport> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(new UnixSocketTransport(socket))
    })
  })
}
