import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import path from 'node:path'
import { WebSocket } from 'ws'
import { errorCode } from '../../base/errors.ts'
import { JobError } from '../../jobs/job-error.ts'
import { type EngineStreams, MAX_MESSAGE_BYTES, type StoredBytes } from '../../jobs/engines/engine.ts'

/** Messages that wait for whoever reads them before the socket is held. */
const MAX_WAITING = 64
/** A socket on which nothing comes is asked whether it is there; without an answer it is cut. */
const PING_MS = 20_000

/**
 * By Node's fetch and ws: no redirects, so that a key goes where it was given for; nothing is read beyond its bound.
 *
 * @param folder  on a disk, for what is fetched; made when it is needed
 */
export const engineStreams = (folder: string): EngineStreams => ({
  async *open({ url, headers }, signal) {
    const socket = new WebSocket(url, {
      headers: { ...headers },
      maxPayload: MAX_MESSAGE_BYTES,
      followRedirects: false,
      handshakeTimeout: 10_000,
    })
    const waiting: string[] = []
    let end: { readonly error?: Error } | undefined
    let wake = () => {}
    let isAnswered = true
    const finish = (error?: Error) => {
      end ??= error ? { error } : {}
      wake()
    }
    socket.on('message', (data, isBinary) => {
      isAnswered = true
      if (isBinary) return finish(new Error('it sent bytes where text was to come'))
      waiting.push(String(data))
      if (waiting.length >= MAX_WAITING) socket.pause()
      wake()
    })
    socket.on('pong', () => (isAnswered = true))
    socket.on('error', (error) => finish(error))
    socket.on('close', (code) => finish(code === 1_000 ? undefined : new Error(`cut off (${code})`)))
    const abort = () => finish(new Error('not wanted any more'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    const pinging = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN || socket.isPaused) return
      if (!isAnswered) return finish(new Error(`no answer within ${PING_MS / 1_000} s`))
      isAnswered = false
      socket.ping()
    }, PING_MS)
    try {
      for (;;) {
        const next = waiting.shift()
        if (next !== undefined) {
          if (waiting.length === 0 && socket.isPaused) socket.resume()
          yield next
        } else if (end?.error) throw end.error
        else if (end) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      clearInterval(pinging)
      signal.removeEventListener('abort', abort)
      socket.on('error', () => undefined) // of ending it before it was open
      socket.terminate()
    }
  },

  async download(url, maxBytes, signal, moved = () => undefined) {
    const stored = await StoredFile.make(folder)
    try {
      const response = await fetch(url, { redirect: 'manual', signal })
      moved('came')
      let length = 0
      for await (const piece of response.body ?? []) {
        moved('came')
        length += (piece as Uint8Array).length
        if (length > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`)
        await stored.write(piece as Uint8Array)
      }
      return { status: response.status, bytes: stored }
    } catch (error) {
      await stored.dispose()
      throw error instanceof TypeError ? networkError(error) : error
    }
  },
})

/** Read in pieces of that. */
const READ_BYTES = 256 * 1024

/** A file without a name: it goes with the process, however that ends; where a system keeps the name of an open file, when it is disposed. */
class StoredFile implements StoredBytes {
  readonly #file: FileHandle
  readonly #path: string
  #bytes = 0

  private constructor(file: FileHandle, at: string) {
    this.#file = file
    this.#path = at
  }

  static async make(folder: string): Promise<StoredFile> {
    const at = path.join(folder, `results-${randomUUID()}`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const stored = new StoredFile(await open(at, 'wx+', 0o600), at)
    await stored.#unlink()
    return stored
  }

  /** @throws JobError `job/disk-full` */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#bytes)
        at += bytesWritten
        this.#bytes += bytesWritten
      }
    } catch (error) {
      if (errorCode(error) !== 'ENOSPC') throw error
      throw new JobError('job/disk-full', 'there is no room here for what a job left; free some space, and it is fetched again', {
        cause: error,
      })
    }
  }

  async *read(): AsyncGenerator<Uint8Array, void> {
    for (let at = 0; at < this.#bytes; ) {
      const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, at)
      if (bytesRead === 0) throw new Error('what was fetched is not whole any more')
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  async dispose(): Promise<void> {
    await this.#file.close()
    await this.#unlink()
  }

  async #unlink(): Promise<void> {
    await unlink(this.#path).catch(() => undefined) // open: tried again when it is closed; gone: well
  }
}

/** Of a connection there is a code within; without one it is fetch that refuses the address. */
function networkError(error: TypeError): Error {
  const { cause } = error
  if (!(cause instanceof Error)) return error
  return 'code' in cause && typeof cause.code === 'string'
    ? new Error(cause.message || cause.code, { cause })
    : new TypeError(cause.message)
}
