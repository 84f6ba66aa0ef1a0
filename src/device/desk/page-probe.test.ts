import { expect, it, vi } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { type Fetch, probePage, refusalOf } from './page-probe.ts'

const page = (headers: Record<string, string> = {}, body = '<title>A page</title>', status = 200) =>
  new Response(status >= 300 && status < 400 ? null : body, { status, headers: { 'content-type': 'text/html', ...headers } })
const redirect = (location: string) => page({ location }, '', 302)
const web = (pages: Record<string, () => Response>) =>
  vi.fn<Fetch>(async (url) => {
    const answer = pages[url]
    if (!answer) throw new TypeError('fetch failed')
    return answer()
  })

const xfo = { 'x-frame-options': 'DENY' }
const csp = (policy: string) => ({ 'content-security-policy': policy })

it.each<[string, Record<string, string>, boolean]>([
  ['nothing said', {}, true],
  ['X-Frame-Options: DENY', xfo, false],
  ['X-Frame-Options: sameorigin', { 'x-frame-options': ' sameorigin ' }, false],
  ['X-Frame-Options twice', { 'x-frame-options': 'ALLOWALL, DENY' }, false],
  ['X-Frame-Options that browsers ignore', { 'x-frame-options': 'ALLOW-FROM https://example.org' }, true],
  ["frame-ancestors 'none'", csp("frame-ancestors 'none'"), false],
  ["frame-ancestors 'self'", csp("default-src *; frame-ancestors 'self' https://example.org"), false],
  ['frame-ancestors without a source', csp('frame-ancestors'), false],
  ['frame-ancestors *', csp('frame-ancestors *'), true],
  ['frame-ancestors http:', csp('Frame-Ancestors HTTP:'), true],
  ['frame-ancestors https:, which a desk on http is not', csp('frame-ancestors https:'), false],
  ['frame-ancestors in place of X-Frame-Options', { ...xfo, ...csp('frame-ancestors *') }, true],
  ['two policies, one of which refuses', csp("frame-ancestors *, frame-ancestors 'none'"), false],
  ['another directive only', csp("frame-src 'none'"), true],
  ['a download', { 'content-disposition': 'Attachment; filename=x.zip' }, false],
])('[DV23] %s: frameable %s', (_, headers, frameable) => {
  expect(refusalOf(new Headers(headers)) === '').toBe(frameable)
})

it('[DV23] tells the address it ended at, the title, and why', async () => {
  const fetch = web({
    'http://example.org/': () => redirect('https://www.example.org/start'),
    'https://www.example.org/start': () => page(xfo, '<html><title lang="en">Tom &amp;\n Jerry</title>'),
  })
  expect(await probePage('http://example.org', fetch, systemClock)).toEqual({
    url: 'https://www.example.org/start',
    frameable: false,
    reason: expect.stringContaining('X-Frame-Options'),
    title: 'Tom & Jerry',
  })
})

it('[DV23] reads the top of a page only, and nothing of what is not a page', async () => {
  let pulled = 0
  let cancelled = false
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(16 * 1024).fill(0x20))
      },
      cancel() {
        cancelled = true
      },
    })
  const fetch = web({
    'http://a.test/': () => new Response(endless(), { headers: { 'content-type': 'text/html' } }),
    'http://b.test/': () => new Response(endless(), { headers: { 'content-type': 'video/mp4' } }),
  })
  expect((await probePage('http://a.test/', fetch, systemClock)).title).toBeUndefined()
  expect(pulled).toBeLessThan(10)
  expect(cancelled).toBe(true)
  pulled = 0
  expect(await probePage('http://b.test/', fetch, systemClock)).toMatchObject({ frameable: true })
  expect(pulled).toBeLessThan(3)
})

it.each([
  'ftp://example.org',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'example.org',
  '',
  'http://ada:secret@example.org/',
  'https://ada@example.org',
])('[DV23] %j is refused without asking anybody', async (url) => {
  const fetch = web({})
  await expect(probePage(url, fetch, systemClock)).rejects.toMatchObject({
    code: 'web/refused-url',
    message: expect.not.stringContaining('secret'),
  })
  expect(fetch).not.toHaveBeenCalled()
})

it.each([
  'http://127.0.0.1:8080/off',
  'http://localhost/off',
  'http://abc.localhost:1234/',
  'http://[::1]/',
  'http://0.0.0.0/',
  'http://[::ffff:127.0.0.1]/',
  'http://0x7f.1/',
  'http://localhost./',
  'http://user:pw@example.org/',
  'file:///etc/passwd',
])('[DV23] a page elsewhere may not lead to %s', async (target) => {
  const fetch = web({ 'https://evil.test/': () => redirect(target) })
  await expect(probePage('https://evil.test/', fetch, systemClock)).rejects.toMatchObject({ code: 'web/refused-url' })
  expect(fetch).toHaveBeenCalledTimes(1)
})

it('[DV23] a program of this device may be asked for by name, and lead on within it', async () => {
  const fetch = web({ 'http://localhost:5173/': () => redirect('/app'), 'http://localhost:5173/app': () => page() })
  expect(await probePage('http://localhost:5173', fetch, systemClock)).toMatchObject({ url: 'http://localhost:5173/app', frameable: true })
})

it('[DV23] redirects and waiting have an end', async () => {
  const fetch = web({ 'http://loop.test/': () => redirect('http://loop.test/') })
  await expect(probePage('http://loop.test/', fetch, systemClock)).rejects.toMatchObject({ code: 'web/unreachable' })
  expect(fetch.mock.calls.length).toBeLessThan(10)

  const clock = new ManualClock()
  const silent: Fetch = (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
  const answer = probePage('http://slow.test/', silent, clock)
  clock.advance(60_000)
  await expect(answer).rejects.toMatchObject({ code: 'web/unreachable' })
  expect(clock.pendingTimers).toBe(0)
  await expect(probePage('http://gone.test/', web({}), systemClock)).rejects.toMatchObject({ code: 'web/unreachable' })
})
