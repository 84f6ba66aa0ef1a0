import net from 'node:net'
import { Emitter } from '../../base/emitter.ts'
import type { Transport } from '../../rpc/channel.ts'
import { MAX_BYTES_LENGTH, MAX_TEXT_LENGTH } from '../../rpc/wire-message.ts'

const TEXT = 0
const BYTES = 1
const HEADER_BYTES = 5
/** A text's UTF-8 takes at most 3 bytes a UTF-16 unit. */
const MAX_FRAME_BYTES = Math.max(MAX_BYTES_LENGTH, 3 * MAX_TEXT_LENGTH) + 1

/** Messages from this size on are neither copied to be sent nor when they have come: half of what a socket brings at once. */
const APART_BYTES = 32 * 1024
/** Room for a message at first: more than one of bulk. */
const FIRST_BYTES = 256 * 1024
const NOTHING = Buffer.alloc(0)

/** A message of which the beginning has come. Takes no more memory than twice what came, whatever was announced. */
class HalfMessage {
  readonly kind: number
  readonly #length: number
  #into: Buffer
  #have = 0

  constructor(kind: number, length: number) {
    this.kind = kind
    this.#length = length
    this.#into = Buffer.allocUnsafeSlow(Math.min(length, FIRST_BYTES))
  }

  get isWhole(): boolean {
    return this.#have === this.#length
  }

  get bytes(): Buffer {
    return this.#into.subarray(0, this.#length)
  }

  /** @returns  how many of these belong to it */
  add(bytes: Buffer): number {
    const taken = Math.min(bytes.length, this.#length - this.#have)
    if (this.#have + taken > this.#into.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#length, 2 * (this.#have + taken)))
      larger.set(this.#into.subarray(0, this.#have))
      this.#into = larger
    }
    this.#into.set(bytes.subarray(0, taken), this.#have)
    this.#have += taken
    return taken
  }
}

/**
 * RPC over a Unix socket: 4 bytes of length (big-endian, of what follows the length), a kind byte (0 text, 1 bytes), the
 * message. Owns the socket. A frame that is too long or of unknown kind closes it.
 */
export class UnixSocketTransport implements Transport {
  readonly #socket: net.Socket
  readonly #received = new Emitter<string | Uint8Array>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  /** Of the next header, what has come. */
  #head: Buffer = NOTHING
  #message: HalfMessage | undefined
  #isCorked = false
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
    const isApart = !isText && length >= APART_BYTES
    const frame = Buffer.allocUnsafe(HEADER_BYTES + (isApart ? 0 : length))
    frame.writeUInt32BE(length + 1, 0)
    frame[4] = isText ? TEXT : BYTES
    if (isText) frame.write(message, HEADER_BYTES)
    else if (!isApart) frame.set(message, HEADER_BYTES)
    this.#cork()
    this.#socket.write(frame)
    if (isApart) this.#socket.write(message)
  }

  sendParts(head: Uint8Array, bytes: Uint8Array): void {
    if (bytes.length < APART_BYTES) return this.send(Buffer.concat([head, bytes]))
    if (this.#isClosed) return
    const frame = Buffer.allocUnsafe(HEADER_BYTES + head.length)
    frame.writeUInt32BE(head.length + bytes.length + 1, 0)
    frame[4] = BYTES
    frame.set(head, HEADER_BYTES)
    this.#cork()
    this.#socket.write(frame)
    this.#socket.write(bytes)
  }

  /** What is said in one turn goes in one write: most of a small message's cost is the system's. */
  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#socket.cork()
    process.nextTick(() => {
      this.#isCorked = false
      this.#socket.uncork()
    })
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
    let rest = this.#head.length > 0 ? Buffer.concat([this.#head, chunk]) : chunk
    this.#head = NOTHING
    while (rest.length > 0 && !this.#isClosed) {
      const message = this.#message
      if (message) {
        rest = rest.subarray(message.add(rest))
        if (message.isWhole) this.#hand(message.kind, message.bytes)
        continue
      }
      if (rest.length < HEADER_BYTES) {
        this.#head = rest
        return
      }
      const length = rest.readUInt32BE(0) - 1
      const kind = rest[4]
      if (length < 0 || length >= MAX_FRAME_BYTES) return this.close('rpc/too-large')
      if (kind !== TEXT && kind !== BYTES) return this.close('rpc/malformed')
      const end = HEADER_BYTES + length
      if (rest.length < end) {
        this.#message = new HalfMessage(kind, length)
        rest = rest.subarray(HEADER_BYTES)
        continue
      }
      const whole = rest.subarray(HEADER_BYTES, end)
      rest = rest.subarray(end)
      this.#hand(kind, whole)
    }
  }

  /** The listener owns the bytes. */
  #hand(kind: number, bytes: Buffer): void {
    this.#message = undefined
    if (kind === TEXT) return this.#received.fire(bytes.toString('utf8'))
    // A small one would keep all that came with it; a large one is not copied.
    this.#received.fire(bytes.length < APART_BYTES ? new Uint8Array(bytes) : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#head = NOTHING
    this.#message = undefined
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
