import WebSocket from 'ws'
import { Emitter } from '../../base/emitter.ts'
import { MAX_RENDEZVOUS_MESSAGE } from '../../sync/rendezvous-protocol.ts'
import type { OpenWebSocket, WebSocketLike } from '../../sync/web-socket-like.ts'

/** A `ws` socket that is open, as the rendezvous uses it. Binary messages close it. */
export function wrapWebSocket(socket: WebSocket): WebSocketLike {
  const received = new Emitter<string>()
  const closed = new Emitter<{ readonly reason: string }>()
  let isClosed = false
  const end = (reason: string): void => {
    if (isClosed) return
    isClosed = true
    closed.fire({ reason })
  }
  socket.on('message', (data, isBinary) => {
    if (isBinary) socket.terminate()
    else received.fire(data.toString())
  })
  socket.on('close', (code) => end(`closed (${code})`))
  socket.on('error', (error) => end(error.message))
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    get bufferedBytes() {
      return socket.bufferedAmount
    },
    onDidReceive: received.event,
    onDidClose: closed.event,
    dispose() {
      if (socket.readyState !== WebSocket.CLOSED) socket.close()
      // A closing handshake that is not answered would keep the process alive for 30 s.
      setTimeout(() => socket.terminate(), 1_000).unref()
    },
  }
}

/** Opens a WebSocket to a rendezvous. No compression: what goes through is ciphertext. */
export const openNodeWebSocket: OpenWebSocket = (url, signal) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: MAX_RENDEZVOUS_MESSAGE })
    const abort = () => socket.terminate()
    signal.addEventListener('abort', abort, { once: true })
    const settle = () => signal.removeEventListener('abort', abort)
    socket.once('error', (error) => {
      settle()
      reject(error)
    })
    socket.once('open', () => {
      settle()
      resolve(wrapWebSocket(socket))
    })
  })
