import { WebSocket } from 'ws'
import { type EngineStreams, MAX_MESSAGE_BYTES } from '../../jobs/engines/engine.ts'

/** Messages that wait for whoever reads them before the socket is held. */
const MAX_WAITING = 64
/** A socket on which nothing comes is asked whether it is there; without an answer it is cut. */
const PING_MS = 20_000

/** By Node's fetch and ws: no redirects, so that a key goes where it was given for; nothing is read beyond its bound. */
export const engineStreams: EngineStreams = {
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

  async download(url, maxBytes, signal) {
    try {
      const response = await fetch(url, { redirect: 'manual', signal })
      const parts: Uint8Array[] = []
      let length = 0
      for await (const piece of response.body ?? []) {
        length += (piece as Uint8Array).length
        if (length > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`)
        parts.push(piece as Uint8Array)
      }
      return { status: response.status, bytes: Buffer.concat(parts) }
    } catch (error) {
      throw error instanceof TypeError ? networkError(error) : error
    }
  },
}

/** Of a connection there is a code within; without one it is fetch that refuses the address. */
function networkError(error: TypeError): Error {
  const { cause } = error
  if (!(cause instanceof Error)) return error
  return 'code' in cause && typeof cause.code === 'string'
    ? new Error(cause.message || cause.code, { cause })
    : new TypeError(cause.message)
}
