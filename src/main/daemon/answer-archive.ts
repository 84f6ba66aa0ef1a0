import type http from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Archive } from '../../device/files/archive/archive.ts'
import { disposition, VIEW_HEADERS } from './answer-view.ts'
import { zipOf } from './zip.ts'

/** Read from the archive and not yet taken by the browser; pieces are 1 MiB at most. */
const AHEAD_PIECES = 2

/**
 * Sends an archive as it is read, as fast as it is taken. How long it will be is not known before. Cut off, or the display locked: the
 * answer breaks off, and no browser takes it for a whole one.
 */
export async function answerArchive(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  archive: Archive,
  headers: http.OutgoingHttpHeaders,
): Promise<void> {
  const common = { ...headers, ...VIEW_HEADERS, 'Content-Type': 'application/zip', 'Content-Disposition': disposition(archive.name) }
  const leaving = new AbortController()
  response.once('close', () => leaving.abort())
  const parts = request.method === 'HEAD' ? undefined : archive.begin(leaving.signal)
  if (!parts) {
    response.writeHead(request.method === 'HEAD' ? 200 : 410, { ...common, 'Content-Length': 0 })
    response.end()
    return
  }
  response.writeHead(200, common)
  try {
    await pipeline(Readable.from(zipOf(parts), { highWaterMark: AHEAD_PIECES }), response, { signal: archive.signal })
    archive.end(true)
  } catch {
    archive.end(false) // by who took it, or by who locked: the archive knows, and says so where it is asked
    response.destroy()
  } finally {
    leaving.abort()
  }
}
