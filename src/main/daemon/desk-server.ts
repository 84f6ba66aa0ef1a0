import http from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { Logger } from '../../base/logger.ts'
import type { Transport } from '../../rpc/channel.ts'
import { WebSocketTransport } from '../../rpc/web-socket-transport.ts'
import { Archive } from '../../device/files/archive/archive.ts'
import type { FileView } from '../../device/files/file-views.ts'
import { VIEW_PATH } from '../../device/files/file-view-contract.ts'
import { answerArchive } from './answer-archive.ts'
import { answerView, isViewFor } from './answer-view.ts'
import type { Asset, Assets, Encoding } from './assets.ts'
import { entranceKey, type Entrances } from './entrances.ts'
import { ENTER_PATH, refusalOf } from './request-guard.ts'
import { responseHeaders } from './response-headers.ts'
import { StartError } from './start-error.ts'

/** Where displays open their WebSocket. */
const DISPLAY_PATH = '/display'
/** Displays of one device at a time; more are answered 503. */
const MAX_DISPLAYS = 64
/** A text of MAX_TEXT_LENGTH units in UTF-8; rpc refuses shorter ones that break its own limits. */
const MAX_FRAME_BYTES = 72 * 1024 * 1024

export interface DeskServerOptions {
  readonly assets: Assets
  readonly entrances: Entrances
  /** Host labels in front of `.localhost`: that of the device id, and the provisional one until the next start. */
  readonly labels: () => readonly string[]
  readonly log: Logger
  /**
   * @param entrance names the cookie it came with
   * @param host     one of this server's own, with the port: where the page was served
   */
  acceptDisplay(transport: Transport, entrance: string, host: string): void
  /** A file that a display looks at, or an archive it brings out, by its path; undefined: there is none for who came with this cookie. */
  findView(path: string, entrance: string): FileView | Archive | undefined
}

export interface DeskServer extends Disposable {
  readonly port: number
  /** Where displays go; opens nothing by itself. */
  origin(): string
  /** A URL that opens a display, once, within two minutes. Never log it. */
  oneTimeUrl(): string
}

/**
 * Serves the desktop and its displays on the loopback address only.
 *
 * @param port  0 takes any free one
 * @throws StartError `start/port-busy`
 */
export async function startDeskServer(port: number, options: DeskServerOptions): Promise<DeskServer> {
  const owned = new DisposableStore()
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false, clientTracking: true })
  const server = http.createServer({ headersTimeout: 10_000, requestTimeout: 15_000, maxHeaderSize: 16 * 1024 })
  const hosts = () => options.labels().map((label) => `${label}.localhost:${boundPort()}`)
  const boundPort = () => (server.address() as { port: number }).port

  server.on('request', (request, response) => {
    void answer(request, response, hosts(), options).catch((error) => {
      options.log.error('a request failed', { error })
      response.destroy()
    })
  })
  server.on('upgrade', (request, socket, head) => {
    const refuse = (status: number, why: string) => refuseUpgrade(socket, status, why, options.log)
    const refusal = refusalOf(describe(request), { hosts: hosts() }, 'upgrade')
    if (refusal) return refuse(refusal.status, refusal.why)
    if (describe(request).path !== DISPLAY_PATH) return refuse(404, 'path')
    const cookie = cookieOf(request)
    if (cookie === undefined || !options.entrances.isKnown(cookie)) return refuse(401, 'cookie')
    if (sockets.clients.size >= MAX_DISPLAYS) return refuse(503, 'too many displays')
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      options.acceptDisplay(new WebSocketTransport(webSocket), entranceKey(cookie), request.headers.host as string),
    )
  })
  server.on('clientError', (_error, socket) => socket.destroy())

  await listen(server, port)
  owned.defer(() => {
    server.close()
    server.closeAllConnections()
    for (const webSocket of sockets.clients) webSocket.terminate()
    sockets.close()
  })
  return {
    port: boundPort(),
    origin: () => `http://${hosts()[0]}`,
    oneTimeUrl: () => `http://${hosts()[0]}${ENTER_PATH}?t=${options.entrances.issueToken()}`,
    dispose: () => owned.dispose(),
  }
}

function listen(server: http.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return reject(error)
      const why = error.code === 'EACCES' ? 'this account may not use it' : 'another program uses it'
      reject(
        new StartError('start/port-busy', `Port ${port} can't be used: ${why}. Choose another with --port, or --port 0 for any free one.`, {
          cause: error,
        }),
      )
    })
    server.listen(port, '127.0.0.1', resolve)
  })
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  hosts: readonly string[],
  options: DeskServerOptions,
): Promise<void> {
  const { method, path, headers } = describe(request)
  const refusal = refusalOf({ method, path, headers }, { hosts }, 'http')
  const host = refusal?.why === 'host' ? (hosts[0] as string) : (headers.host as string)
  const send = (status: number, body: Uint8Array | string, extra: http.OutgoingHttpHeaders) => {
    response.writeHead(status, { ...responseHeaders(host), 'Content-Length': Buffer.byteLength(body), ...extra })
    response.end(method === 'HEAD' ? undefined : body)
  }
  const sendPage = (status: number, body: string, extra: http.OutgoingHttpHeaders = {}) =>
    send(status, body, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', ...extra })

  if (refusal) {
    options.log.warn('refused a request', {
      why: refusal.why,
      path: path.slice(0, 100),
      host: headers.host?.slice(0, 100),
      origin: headers.origin?.slice(0, 100),
    })
    return sendPage(refusal.status, page('This is not the way to this desk.'), refusal.status === 405 ? { Allow: 'GET, HEAD' } : {})
  }
  if (path === ENTER_PATH) {
    const cookie = options.entrances.redeem(new URL(request.url as string, 'http://x').searchParams.get('t') ?? '')
    if (cookie === undefined)
      return sendPage(401, page('This link has been used or is too old. Run <code>elsewhere start</code> for a new one.'))
    // The page moves on by itself: after a redirect from a file the browser would withhold a SameSite=Strict cookie.
    const setCookie = `${COOKIE_NAME}=${cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${30 * 24 * 3600}`
    return sendPage(
      200,
      '<!doctype html><link rel="icon" href="data:,"><meta http-equiv="refresh" content="0;url=/"><title>Elsewhere</title>',
      {
        'Set-Cookie': setCookie,
      },
    )
  }
  const cookie = cookieOf(request)
  if (cookie === undefined || !options.entrances.isKnown(cookie)) {
    return sendPage(401, page('This browser has not been let in. Run <code>elsewhere start</code> on this machine to open the desk.'))
  }
  if (path.startsWith(VIEW_PATH)) {
    const view = options.findView(path, entranceKey(cookie))
    if (!view) return sendPage(404, page('There is nothing here.'))
    if (view instanceof Archive) return answerArchive(request, response, view, responseHeaders(host))
    if (!isViewFor(headers['sec-fetch-dest'], view)) return sendPage(403, page('This is not the way to this file.'))
    return answerView(request, response, view, responseHeaders(host))
  }
  const asset = options.assets.get(path)
  if (!asset) return sendPage(404, page('There is nothing here.'))
  if (headers['if-none-match'] === asset.etag) return send(304, '', cacheHeaders(asset))
  const { bytes, encoding } = await asset.body(bestEncoding(headers['accept-encoding']))
  const extra: http.OutgoingHttpHeaders = { 'Content-Type': asset.type, Vary: 'Accept-Encoding', ...cacheHeaders(asset) }
  send(200, bytes, encoding === 'identity' ? extra : { ...extra, 'Content-Encoding': encoding })
}

const cacheHeaders = (asset: Asset) => ({
  ETag: asset.etag,
  'Cache-Control': asset.immutable ? 'private, max-age=31536000, immutable' : 'private, no-cache',
})

function bestEncoding(accepted: string | string[] | undefined): Encoding {
  const names = String(accepted ?? '')
    .split(',')
    .filter((entry) => !/;\s*q=0(\.0*)?\s*$/.test(entry))
    .map((entry) => entry.split(';')[0]?.trim())
  if (names.includes('br')) return 'br'
  return names.includes('gzip') ? 'gzip' : 'identity'
}

const COOKIE_NAME = 'elsewhere-door'

function cookieOf(request: http.IncomingMessage): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=')
    if (name === COOKIE_NAME) return value
  }
  return undefined
}

function describe(request: http.IncomingMessage) {
  const path = (request.url ?? '/').split('?', 1)[0] as string
  return { method: request.method ?? 'GET', path, headers: request.headers }
}

const page = (sentence: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>Elsewhere</title><style>body{font:16px system-ui;margin:4rem}</style><p>${sentence}</p></html>`

function refuseUpgrade(socket: Duplex, status: number, why: string, log: Logger): void {
  log.warn('refused a display', { why })
  socket.on('error', () => {})
  socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
