import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { WebSocketServer } from 'ws'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import type { Logger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { MAX_CONNECTIONS, MAX_CONNECTIONS_PER_SOURCE, RendezvousHub } from '../../sync/rendezvous-hub.ts'
import { MAX_RENDEZVOUS_MESSAGE, RendezvousError } from '../../sync/rendezvous-protocol.ts'
import { wrapWebSocket } from './rendezvous-socket.ts'

/** Those of the hub, and as many that are coming or going. */
const MAX_SOCKETS_PER_SOURCE = 2 * MAX_CONNECTIONS_PER_SOURCE

export interface RendezvousServerOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** Where to listen; everywhere if absent. */
  readonly host?: string
  readonly logger: Logger
  readonly clock?: Clock
}

export interface RunningRendezvous extends Disposable {
  readonly port: number
  /** As other devices reach it: one for each address of this machine that is not loopback, or loopback if there is no other. */
  urls(): readonly string[]
  readonly connections: number
  /** Stops listening and resolves when the port is free again. */
  close(): Promise<void>
}

/**
 * Runs a rendezvous: its own HTTP server on its own port, never the one the desk is served at. Serves nothing but the
 * WebSocket, and that to no web page: devices send no Origin, so whoever does is turned away (a page could otherwise try
 * meeting numbers and burn pairing codes).
 *
 * @throws RendezvousError `rendezvous/busy-port`
 */
export async function runRendezvous(options: RendezvousServerOptions): Promise<RunningRendezvous> {
  const { logger, clock = systemClock } = options
  const hub = new RendezvousHub({ clock, random: systemRandom, logger })
  const http = createServer({ connectionsCheckingInterval: 2_000 }, (_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' })
    response.end('This is a rendezvous of Elsewhere: devices meet here over WebSocket.\n')
  })
  http.headersTimeout = 5_000
  http.requestTimeout = 5_000
  http.maxHeadersCount = 50
  http.maxConnections = MAX_CONNECTIONS
  limitPerSource(http)
  const sockets = new WebSocketServer({
    server: http,
    perMessageDeflate: false,
    maxPayload: MAX_RENDEZVOUS_MESSAGE,
    verifyClient: ({ origin }: { origin?: string }) => origin === undefined,
  })
  sockets.on('connection', (socket, request) => hub.accept(wrapWebSocket(socket), request.socket.remoteAddress ?? 'unknown'))
  sockets.on('error', () => {}) // the HTTP server below reports it
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, options.port)))
    http.listen({ port: options.port, ...(options.host === undefined ? {} : { host: options.host }) }, resolve)
  })
  http.on('error', (error) => logger.warn('the rendezvous had a network error', { message: error.message }))
  const { port } = http.address() as AddressInfo
  logger.info('rendezvous listens', { port })
  const close = async (): Promise<void> => {
    hub.dispose()
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
    await new Promise<void>((resolve) => http.close(() => resolve()))
  }
  return {
    port,
    urls: () => hostAddresses(options.host).map((host) => `ws://${host.includes(':') ? `[${host}]` : host}:${port}/`),
    get connections() {
      return hub.connections
    },
    close,
    dispose: () => void close(),
  }
}

/** Connections that have not said who they are use up file descriptors all the same, which the whole device shares. */
function limitPerSource(http: Server): void {
  const open = new Map<string, number>()
  http.on('connection', (socket) => {
    const source = socket.remoteAddress ?? 'unknown'
    const count = (open.get(source) ?? 0) + 1
    if (count > MAX_SOCKETS_PER_SOURCE) return void socket.destroy()
    open.set(source, count)
    socket.once('close', () => {
      const left = (open.get(source) ?? 1) - 1
      if (left > 0) open.set(source, left)
      else open.delete(source)
    })
  })
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE') return error
  return new RendezvousError('rendezvous/busy-port', `port ${port} is taken by another program; choose another for the rendezvous`, {
    cause: error,
  })
}

/** Link-local addresses are left out: they need a zone that is different on each machine. */
function hostAddresses(host: string | undefined): readonly string[] {
  if (host !== undefined && host !== '0.0.0.0' && host !== '::') return [host]
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const usable = found.filter(({ internal, address }) => !internal && !address.startsWith('fe80:') && !address.startsWith('169.254.'))
  return usable.length > 0 ? usable.map(({ address }) => address) : ['127.0.0.1']
}
