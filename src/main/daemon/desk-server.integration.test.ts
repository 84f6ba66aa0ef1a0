import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { utf8 } from '../../base/bytes.ts'
import type { FileView } from '../../device/files/file-views.ts'
import type { Transport } from '../../rpc/channel.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { openSocket, request, TestDisplay } from '../../testkit/test-display.ts'
import { attackFromPages, EVIL_NAMES, startNaiveServer } from '../../testkit/web-attacks.ts'
import { Assets } from './assets.ts'
import { type DeskServer, startDeskServer } from './desk-server.ts'
import { Entrances } from './entrances.ts'
import { findBrowser } from './find-display-host.ts'

const CHROMIUM = findBrowser(process.env)

const SECRET = 'SECRET OF THE DESK'
const LABEL = 'abcdefghijkm'
let folder: string
let server: DeskServer
let clock: ManualClock
let accepted: Transport[]
let views: Map<string, FileView>
let lookers: string[]
let host: string

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'desk-server-'))
  mkdirSync(path.join(folder, 'assets'))
  writeFileSync(
    path.join(folder, 'index.html'),
    `<!doctype html><title>desk</title><script src="/assets/app-12345678.js"></script>${SECRET}`,
  )
  writeFileSync(path.join(folder, 'assets/app-12345678.js'), `document.title = 'script ran';//${'x'.repeat(5000)}`)
  clock = new ManualClock()
  accepted = []
  views = new Map()
  lookers = []
  server = await startDeskServer(0, {
    assets: new Assets(folder),
    entrances: new Entrances(path.join(folder, 'entrances.json'), clock),
    labels: () => [LABEL],
    log: silentLogger,
    acceptDisplay: (transport) => {
      accepted.push(transport)
      transport.send(JSON.stringify({ t: 'event', n: 'onDidSecret', p: SECRET }))
    },
    findView: (at, entrance) => {
      lookers.push(entrance)
      return views.get(at)
    },
  })
  host = `${LABEL}.localhost:${server.port}`
})
afterEach(() => {
  server.dispose()
  rmSync(folder, { recursive: true, force: true })
})

/** A file that some display looks at. */
function putView(name: string, type: string, text: string, read?: (signal: AbortSignal | undefined) => Promise<Uint8Array>) {
  const at = `/view/${views.size}`
  const closing = new AbortController()
  const bytes = utf8(text)
  const reads: number[] = []
  views.set(at, {
    ...{ name, type, bytes: bytes.length, isDownload: false, signal: closing.signal },
    read: async (offset, length, { signal }) => {
      reads.push(length)
      return read ? read(signal) : bytes.subarray(offset, offset + length)
    },
  })
  return { at, closing, reads }
}

const refused = (headers: Record<string, string>) =>
  openSocket(server.port, headers).then(
    () => 'accepted',
    (error) => error.status,
  )

describe('the desk server', () => {
  it('[DV30] serves nothing without the cookie, and everything with it', async () => {
    for (const at of ['/', '/assets/app-12345678.js', '/index.html']) {
      const { status, body } = await request(server.port, at, { Host: host })
      expect({ at, status, leaks: body.includes(SECRET) || body.includes('xxx') }).toEqual({ at, status: 401, leaks: false })
    }
    const display = await TestDisplay.enter(server.oneTimeUrl())
    expect((await request(server.port, '/', display.headers)).body).toContain(SECRET)
    expect((await request(server.port, '/nothing', display.headers)).status).toBe(404)
    for (const at of ['/../entrances.json', '/%2e%2e/entrances.json', '/assets/../../entrances.json', '//etc/passwd']) {
      expect((await request(server.port, at, display.headers)).status).toBe(404)
    }
  })

  it('[DV31] a one-time URL works once and for two minutes; the cookie outlives a restart and not thirty days', async () => {
    const url = server.oneTimeUrl()
    const display = await TestDisplay.enter(url)
    await expect(TestDisplay.enter(url)).rejects.toThrow('401')
    const late = server.oneTimeUrl()
    clock.advance(120_001)
    await expect(TestDisplay.enter(late)).rejects.toThrow('401')
    expect(readFileSync(path.join(folder, 'entrances.json'), 'utf8')).not.toContain(display.cookie.split('=')[1])
    const again = new Entrances(path.join(folder, 'entrances.json'), clock)
    expect(again.isKnown(display.cookie.split('=')[1])).toBe(true)
    clock.advance(31 * 24 * 3600_000)
    expect(again.isKnown(display.cookie.split('=')[1])).toBe(false)
  })

  it('[DV30] sends a strict policy, and an unguessable cookie that scripts and other sites do not get', async () => {
    const { pathname, search } = new URL(server.oneTimeUrl())
    const entered = await request(server.port, pathname + search, { Host: host })
    expect(entered.headers['set-cookie']?.[0]).toMatch(/^elsewhere-door=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/)
    const policy = String(entered.headers['content-security-policy'])
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/script-src[^;]*(unsafe|http|data|blob|\*)/)
    expect(entered.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
  })

  it('[DV30] compresses what is asked for, and lets hashed files be kept', async () => {
    const { headers } = await TestDisplay.enter(server.oneTimeUrl())
    const at = '/assets/app-12345678.js'
    const br = await request(server.port, at, { ...headers, 'Accept-Encoding': 'gzip, br' })
    expect(br.headers).toMatchObject({
      'content-encoding': 'br',
      'cache-control': 'private, max-age=31536000, immutable',
      vary: 'Accept-Encoding',
    })
    expect(Number(br.headers['content-length'])).toBeLessThan(500)
    expect((await request(server.port, at, { ...headers, 'Accept-Encoding': 'br;q=0, gzip' })).headers['content-encoding']).toBe('gzip')
    expect((await request(server.port, at, headers)).headers['content-encoding']).toBeUndefined()
    const page = await request(server.port, '/', headers)
    expect(page.headers['cache-control']).toBe('private, no-cache')
    expect((await request(server.port, '/', { ...headers, 'If-None-Match': String(page.headers.etag) })).status).toBe(304)
  })

  it.each([
    ['another Host (DNS rebinding)', { Host: 'rebind.test:1' }, 421],
    ['the bare loopback address', { Host: '127.0.0.1' }, 421],
    ['another device of this machine', { Host: 'zzzzzzzzzzzz.localhost' }, 421],
    ['another Origin', { Origin: 'http://evil.test' }, 403],
    ['the origin null', { Origin: 'null' }, 403],
    ['a cross-site request', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a same-site request of another device', { 'Sec-Fetch-Site': 'same-site' }, 403],
  ] as const)('[DV30] refuses %s, with a good cookie, on requests and upgrades alike', async (_, change, status) => {
    const { headers } = await TestDisplay.enter(server.oneTimeUrl())
    const get = { ...headers, 'Sec-Fetch-Site': 'same-origin' }
    expect((await request(server.port, '/', get)).status).toBe(200)
    expect((await request(server.port, '/', { ...get, ...change })).status).toBe(status)
    expect(await refused(get)).toBe('accepted')
    expect(await refused({ ...get, ...change })).toBe(status)
  })

  it('[DV30] refuses upgrades without an Origin, a cookie or the right path, and everything but GET and HEAD', async () => {
    const { headers } = await TestDisplay.enter(server.oneTimeUrl())
    const { Origin: _, ...noOrigin } = headers
    expect(await refused(noOrigin)).toBe(403)
    const { Cookie: __, ...noCookie } = headers
    expect(await refused(noCookie)).toBe(401)
    expect(await refused({ ...noCookie, Cookie: 'elsewhere-door=guess' })).toBe(401)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await request(server.port, '/', headers, method)).status).toBe(405)
    expect((await request(server.port, '/', headers, 'HEAD')).body).toBe('')
    expect(accepted).toHaveLength(0)
  })

  it('[DV45] a file that is looked at comes with a policy under which nothing of it runs, is kept by nobody, and only to the cookie', async () => {
    const { at } = putView('a.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    expect((await request(server.port, at, { Host: host })).status).toBe(401)
    expect(lookers).toEqual([])
    const { headers } = await TestDisplay.enter(server.oneTimeUrl())
    const got = await request(server.port, at, { ...headers, 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': 'image' })
    expect([got.status, got.body.slice(0, 4)]).toEqual([200, '<svg'])
    expect(got.headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'content-disposition': "attachment; filename*=UTF-8''a.svg",
    })
    for (const dest of [
      'document',
      'iframe',
      'frame',
      'object',
      'embed',
      'script',
      'style',
      'worker',
      'sharedworker',
      'font',
      'manifest',
    ]) {
      const refusal = await request(server.port, at, { ...headers, 'Sec-Fetch-Dest': dest })
      expect({ dest, status: refusal.status, leaks: refusal.body.includes('<svg') }).toEqual({ dest, status: 403, leaks: false })
    }
    const changes: Record<string, string>[] = [
      { Origin: 'http://evil.test' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { Host: 'rebind.test:1' },
    ]
    for (const change of changes) {
      expect((await request(server.port, at, { ...headers, ...change })).status).toBeGreaterThanOrEqual(403)
    }
    expect((await request(server.port, '/view/nothing', headers)).status).toBe(404)
    expect((await request(server.port, at, headers, 'POST')).status).toBe(405)
    const odd = putView('a"\r\nX: y\u2028é\ud800.png', 'image/png', 'x')
    const name = (await request(server.port, odd.at, headers)).headers
    expect(name).not.toHaveProperty('x')
    expect(name['content-disposition']).toBe("attachment; filename*=UTF-8''a%22%0D%0AX%3A%20y%E2%80%A8%C3%A9%EF%BF%BD.png")
  })

  it('[DV45] ranges are served piece by piece; a reader is cut off when the display locks, and a file that cannot be read is an error', async () => {
    const text = 'x'.repeat(1_500_000)
    const { at, closing, reads } = putView('film.webm', 'video/webm', text)
    const { headers } = await TestDisplay.enter(server.oneTimeUrl())
    const part = await request(server.port, at, { ...headers, Range: 'bytes=10-19' })
    expect([part.status, part.headers['content-range'], part.body.length]).toEqual([206, 'bytes 10-19/1500000', 10])
    expect((await request(server.port, at, { ...headers, Range: 'bytes=1500000-' })).status).toBe(416)
    const whole = await request(server.port, at, { ...headers, Range: 'bytes=0-1,5-6' })
    expect([whole.status, whole.body.length]).toEqual([200, 1_500_000])
    expect(Math.max(...reads)).toBe(512 * 1024)
    const head = await request(server.port, at, headers, 'HEAD')
    expect([head.headers['content-length'], head.body]).toEqual(['1500000', ''])
    const broken = putView('b.png', 'image/png', 'x', () => Promise.reject(Object.assign(new Error('gone'), { code: 'file/not-found' })))
    const failure = await request(server.port, broken.at, headers)
    expect([failure.status, failure.headers['content-type'], failure.body]).toEqual([
      502,
      'text/plain; charset=utf-8',
      'file/not-found gone',
    ])
    // One that never comes is given up with the display.
    const waiting = putView(
      'c.png',
      'image/png',
      'x',
      (signal) => new Promise((_, no) => signal?.addEventListener('abort', () => no(new Error('cut')))),
    )
    const asked = request(server.port, waiting.at, headers)
    const cut = expect(asked).rejects.toMatchObject({ code: 'ECONNRESET' })
    await vi.waitFor(() => expect(waiting.reads).toHaveLength(1))
    waiting.closing.abort()
    await cut
    expect(closing.signal.aborted).toBe(false)
  })

  it('[DV34] says that a port is taken, by a stable code', async () => {
    const options = {
      assets: new Assets(folder),
      entrances: new Entrances(path.join(folder, 'e'), clock),
      labels: () => [LABEL],
      log: silentLogger,
    }
    await expect(startDeskServer(server.port, { ...options, acceptDisplay: () => {}, findView: () => undefined })).rejects.toMatchObject({
      code: 'start/port-busy',
    })
    expect(() => new Assets(path.join(folder, 'missing'))).toThrow(expect.objectContaining({ code: 'start/no-renderer' }))
  })
})

describe.skipIf(!CHROMIUM)(`attacks from pages in a real browser${CHROMIUM ? '' : ' (there is no Chromium here)'}`, () => {
  let browser: Browser
  beforeAll(async () => {
    const args = ['--no-sandbox', `--host-resolver-rules=${EVIL_NAMES}`]
    browser = await chromium.launch({ executablePath: String(CHROMIUM), args })
  })
  afterAll(() => browser.close())

  it('[DV30] work on a server that checks nothing, and none works here', async () => {
    const naive = await startNaiveServer(SECRET)
    const there = await attackFromPages({ browser, name: '127.0.0.1', port: naive.port, marker: SECRET })
    expect(there).toEqual({ rebinding: true, socket: true, framed: true })
    naive.close()
    const entrance = server.oneTimeUrl()
    const here = await attackFromPages({ browser, name: `${LABEL}.localhost`, port: server.port, marker: SECRET, entrance })
    expect(here).toEqual({ rebinding: false, socket: false, framed: false })
    expect(accepted).toEqual([])
  })

  it('[DV45] a hostile file that is looked at runs nothing, however a page uses it', async () => {
    const run = "document.title='OWNED';localStorage.setItem('owned','1');fetch('/stolen')"
    const hostile = `<!doctype html><script>${run}</script><img src=x onerror="${run}">`
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10" onload="${run}"><script>${run}</script><image href="/stolen"/><foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="/stolen"/></foreignObject></svg>`
    const files = {
      svg: putView('a.svg', 'image/svg+xml', svg),
      html: putView('a.png', 'image/png', hostile),
      script: putView('a.js', 'application/octet-stream', `${run}//${hostile}`),
    }
    const asked: string[] = []
    const context = await browser.newContext()
    const page = await context.newPage()
    page.on('request', (one) => asked.push(new URL(one.url()).pathname))
    await page.goto(server.oneTimeUrl())
    await page.waitForURL(`http://${host}/`)
    const drawn = await page.evaluate(
      async (paths) => {
        const load = (element: HTMLElement) =>
          new Promise<string>((resolve) => {
            element.addEventListener('load', () => resolve('load'))
            element.addEventListener('error', () => resolve('error'))
            document.body.append(element)
          })
        const make = <Name extends keyof HTMLElementTagNameMap>(name: Name, set: object) =>
          load(Object.assign(document.createElement(name), set))
        const frame = (src: string) => make('iframe', { src })
        return {
          svg: await make('img', { src: paths.svg }),
          html: await make('img', { src: paths.html }),
          scripts: [await make('script', { src: paths.script }), await make('script', { src: paths.svg })],
          style: await make('link', { rel: 'stylesheet', href: paths.html }),
          // A frame says that it was loaded also when what it got was a refusal; what counts is below.
          frames: [await frame(paths.svg), await frame(paths.html), await frame(paths.script)].length,
        }
      },
      { svg: files.svg.at, html: files.html.at, script: files.script.at },
    )
    expect(drawn).toEqual({ svg: 'load', html: 'error', scripts: ['error', 'error'], style: 'error', frames: 3 })
    for (const { at } of Object.values(files)) {
      // Opened as a page: refused, so that not even a download begins.
      const tab = await context.newPage()
      const answer = await tab.goto(`http://${host}${at}`)
      expect(answer?.status()).toBe(403)
      await tab.close()
    }
    // As a browser would that does not say what it asks for: bytes to be kept, not a page.
    const { headers } = await TestDisplay.enter(server.oneTimeUrl())
    expect((await request(server.port, files.html.at, headers)).headers['content-disposition']).toMatch(/^attachment/)
    expect([await page.title(), await page.evaluate(() => localStorage.getItem('owned')), asked.includes('/stolen')]).toEqual([
      'script ran',
      null,
      false,
    ])
    await context.close()
  })

  it('[DV31] a page opened from the redirect file is let in, and its policy keeps inline scripts out', async () => {
    const redirect = path.join(folder, 'open.html')
    writeFileSync(redirect, `<!doctype html><meta http-equiv="refresh" content="0;url=${server.oneTimeUrl()}">`)
    const page = await browser.newPage()
    await page.goto(`file://${redirect}`)
    await page.waitForURL(`http://${host}/`)
    expect(await page.title()).toBe('script ran')
    await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'document.title = "inline ran"'
      document.head.append(script)
    })
    expect(await page.title()).toBe('script ran')
    expect(await page.evaluate(() => isSecureContext)).toBe(true)
    await page.close()
  })
})
