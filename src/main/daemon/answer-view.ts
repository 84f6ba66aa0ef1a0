import { once } from 'node:events'
import type http from 'node:http'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { FileView } from '../../device/files/file-views.ts'
import { byteRange } from './byte-range.ts'

/** Read and sent at a time: what a slow reader keeps in memory. */
const PIECE_BYTES = 512 * 1024

/** What a view is for: drawn, played, or read by the page's own scripts. Never a page, a frame, a script or a style. */
const DESTINATIONS = new Set(['empty', 'image', 'video', 'audio'])

/** Is it asked for as what it may be? A browser that does not say so is held by the headers of the answer. */
export const isViewFor = (destination: string | string[] | undefined, view: Pick<FileView, 'isDownload'>): boolean =>
  view.isDownload || destination === undefined || DESTINATIONS.has(String(destination))

/** Besides the desk's own headers, in the place of its policy: should anything ever take the bytes for a page, it is one that can do nothing. */
export const VIEW_HEADERS = {
  'Content-Security-Policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
}

/** Sends a file, or a range of it, piece by piece as it is read; ends with the connection, and at once when the display locks. */
export async function answerView(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  view: FileView,
  headers: http.OutgoingHttpHeaders,
): Promise<void> {
  const leaving = new AbortController()
  response.once('close', () => leaving.abort())
  const signal = AbortSignal.any([view.signal, leaving.signal])
  const range = byteRange(request.headers.range, view.bytes)
  const common = {
    ...headers,
    ...VIEW_HEADERS,
    'Accept-Ranges': 'bytes',
    'Content-Type': view.type,
    'Content-Disposition': disposition(view.name),
  }
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...common, 'Content-Range': `bytes */${view.bytes}`, 'Content-Length': 0 })
    response.end()
    return
  }
  const { from, to } = range ?? { from: 0, to: view.bytes }
  let isBegun = false
  const begin = () => {
    if (isBegun) return
    isBegun = true
    const part = range ? { 'Content-Range': `bytes ${from}-${to - 1}/${view.bytes}` } : {}
    response.writeHead(range ? 206 : 200, { ...common, ...part, 'Content-Length': to - from })
  }
  try {
    for (let at = from; at < to && request.method !== 'HEAD'; ) {
      const piece = await view.read(at, Math.min(PIECE_BYTES, to - at), { signal })
      signal.throwIfAborted()
      if (piece.length === 0) throw new Error('the file ended before its bytes were read')
      begin()
      if (!response.write(piece)) await once(response, 'drain', { signal })
      at += piece.length
    }
    begin()
    response.end()
  } catch (error) {
    if (signal.aborted || isBegun) return void response.destroy() // half a file must not pass for a whole one
    const body = `${errorCode(error)} ${errorMessage(error)}`.slice(0, 500)
    response.writeHead(502, { ...common, 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  }
}

/** Whoever opened the bytes as a page would get a download. Names are the person's: only plain letters stand in the header itself. */
export function disposition(name: string): string {
  const whole = name.slice(0, 200).replaceAll(/\p{Surrogate}/gu, '\ufffd') // half a letter has no place in a header
  const letters = encodeURIComponent(whole).replaceAll(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename*=UTF-8''${letters}`
}
