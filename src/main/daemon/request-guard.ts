import type { IncomingHttpHeaders } from 'node:http'

/** What a request is checked against. */
export interface Guarded {
  /** `host:port` values this desk answers to; anything else was sent here by a name that is not ours (DNS rebinding). */
  readonly hosts: readonly string[]
}

export interface GuardedRequest {
  readonly method: string
  /** Path without query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

/** Why a request is refused; `status` is the HTTP answer. */
export interface Refusal {
  readonly status: 403 | 405 | 421
  readonly why: 'host' | 'origin' | 'fetch-site' | 'method'
}

/** Where a one-time URL leads. The only path that may be opened from elsewhere: it is useless without its token. */
export const ENTER_PATH = '/enter'

/**
 * The checks every request and every upgrade passes before anything is looked at (facts: a page of another origin, a
 * rebound name and a cross-site WebSocket all reached a server without them). Pure.
 */
export function refusalOf(request: GuardedRequest, guarded: Guarded, kind: 'http' | 'upgrade'): Refusal | undefined {
  const { headers } = request
  if (headers.host === undefined || !guarded.hosts.includes(headers.host)) return { status: 421, why: 'host' }
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, why: 'method' }
  const origin = headers.origin
  if (kind === 'upgrade' && origin === undefined) return { status: 403, why: 'origin' }
  if (origin !== undefined && origin !== `http://${headers.host}`) return { status: 403, why: 'origin' }
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin') return undefined
  if (kind === 'http' && site === 'none') return undefined // typed, bookmarked, or the first page of an app window
  const opensDocument = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  if (kind === 'http' && request.path === ENTER_PATH && opensDocument) return undefined // from our own redirect file
  return { status: 403, why: 'fetch-site' }
}
