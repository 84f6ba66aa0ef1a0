import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
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
  server = await startDeskServer(0, {
    assets: new Assets(folder),
    entrances: new Entrances(path.join(folder, 'entrances.json'), clock),
    labels: () => [LABEL],
    log: silentLogger,
    acceptDisplay: (transport) => {
      accepted.push(transport)
      transport.send(JSON.stringify({ t: 'event', n: 'onDidSecret', p: SECRET }))
    },
  })
  host = `${LABEL}.localhost:${server.port}`
})
afterEach(() => {
  server.dispose()
  rmSync(folder, { recursive: true, force: true })
})

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

  it('[DV34] says that a port is taken, by a stable code', async () => {
    const options = {
      assets: new Assets(folder),
      entrances: new Entrances(path.join(folder, 'e'), clock),
      labels: () => [LABEL],
      log: silentLogger,
    }
    await expect(startDeskServer(server.port, { ...options, acceptDisplay: () => {} })).rejects.toMatchObject({ code: 'start/port-busy' })
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
