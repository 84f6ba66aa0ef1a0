import type { Clock } from '../../base/clock.ts'
import { isLoopback } from '../../base/loopback.ts'
import { DeviceError } from '../device-error.ts'

/** What we use of fetch. */
export type Fetch = (
  url: string,
  options: { method: 'GET'; redirect: 'manual'; signal: AbortSignal; headers: Record<string, string> },
) => Promise<Response>

export interface PageProbe {
  readonly url: string
  readonly frameable: boolean
  readonly reason: string
  readonly title?: string
}

const TIMEOUT_MS = 8_000
const MAX_REDIRECTS = 5
/** A title stands near the top. */
const MAX_READ_BYTES = 64 * 1024

/**
 * Reads a page's headers to know whether it may be shown in a frame. The page decides (X-Frame-Options, CSP
 * frame-ancestors); we only read what it says. Follows redirects itself, so that each address is checked.
 *
 * @throws DeviceError `web/refused-url` (not http or https, or with a password in it), `web/unreachable`
 */
export async function probePage(address: string, fetch: Fetch, clock: Clock, signal?: AbortSignal): Promise<PageProbe> {
  const abort = new AbortController()
  const stop = () => abort.abort()
  signal?.addEventListener('abort', stop, { once: true })
  const timer = clock.after(TIMEOUT_MS, stop)
  try {
    let url = requireWebUrl(address)
    for (let hops = 0; ; hops++) {
      const headers = { Accept: 'text/html,*/*;q=0.8', 'User-Agent': 'Mozilla/5.0 Elsewhere' }
      const response = await fetch(url, { method: 'GET', redirect: 'manual', signal: abort.signal, headers })
      const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
      if (location === null) return await describe(url, response)
      await response.body?.cancel()
      if (hops >= MAX_REDIRECTS) throw new DeviceError('web/unreachable', `${address} redirects more than ${MAX_REDIRECTS} times`)
      const next = requireWebUrl(new URL(location, url).href)
      // A page from elsewhere must not make the device call programs that listen only here.
      if (isLoopback(next) && !isLoopback(url)) {
        throw new DeviceError(
          'web/refused-url',
          `${url} leads to a program on this device (${new URL(next).host}); open that address itself if you mean it`,
        )
      }
      url = next
    }
  } catch (cause) {
    if (cause instanceof DeviceError) throw cause
    throw new DeviceError('web/unreachable', `${address} did not answer; check the address and this device's network`, { cause })
  } finally {
    timer.dispose()
    signal?.removeEventListener('abort', stop)
  }
}

function requireWebUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new DeviceError('web/refused-url', 'only http and https addresses are opened here')
  }
  if (url.username !== '' || url.password !== '') throw new DeviceError('web/refused-url', 'an address with a password in it is not opened')
  return url.href
}

async function describe(url: string, response: Response): Promise<PageProbe> {
  const reason = refusalOf(response.headers)
  const isHtml = (response.headers.get('content-type') ?? '').includes('html')
  const title = isHtml ? await readTitle(response) : undefined
  if (!isHtml) await response.body?.cancel()
  return { url, frameable: reason === '', reason: reason || 'it may be shown here', ...(title ? { title } : {}) }
}

/**
 * Why a page with these headers cannot be shown in a frame of a desk at http://<id>.localhost; empty when it can.
 * Frame-ancestors takes the place of X-Frame-Options; of several policies each must allow it.
 */
export function refusalOf(headers: Headers): string {
  if (/^\s*attachment/i.test(headers.get('content-disposition') ?? '')) return 'it is a download, not a page'
  const ancestors = (headers.get('content-security-policy') ?? '')
    .split(/[;,]/)
    .map((directive) => directive.trim().split(/\s+/))
    .filter(([name]) => name?.toLowerCase() === 'frame-ancestors')
  if (ancestors.length > 0) {
    const open = ancestors.every((sources) => sources.slice(1).some((source) => OPEN_SOURCES.has(source.toLowerCase())))
    return open ? '' : 'the page says that others may not show it (frame-ancestors)'
  }
  const options = (headers.get('x-frame-options') ?? '').split(',').map((option) => option.trim().toLowerCase())
  const refused = options.includes('deny') || options.includes('sameorigin')
  return refused ? 'the page says that others may not show it (X-Frame-Options)' : ''
}

/** Sources of frame-ancestors that a desk on http and a host of its own is among. */
const OPEN_SOURCES = new Set(['*', 'http:', 'http://*', 'http://*:*', '*:*', 'http://*.localhost:*', '*.localhost:*'])

async function readTitle(response: Response): Promise<string | undefined> {
  const reader = response.body?.getReader()
  if (!reader) return undefined
  const decoder = new TextDecoder()
  let text = ''
  for (let bytes = 0; bytes < MAX_READ_BYTES && !/<\/title/i.test(text); ) {
    const { done, value } = await reader.read()
    if (done) break
    bytes += value.length
    text += decoder.decode(value, { stream: true })
  }
  await reader.cancel()
  const title = /<title[^>]*>([^<]{1,500})/i.exec(text)?.[1]?.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '')
  return (
    title
      ?.replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, 200) || undefined
  )
}

/** The few that titles hold; others stay as they are written. */
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
