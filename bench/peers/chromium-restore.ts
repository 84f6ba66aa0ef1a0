import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endProcess, startVirtualScreen } from './xvfb.ts'

/** Chromium as a person runs it; as root it needs --no-sandbox, and a closed network must not slow it. */
const FLAGS = [
  '--no-sandbox',
  '--test-type',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-sync',
]
const QUIET = ['--disable-background-networking', '--disable-component-update', '--password-store=basic', '--window-size=1200,750']

const page = (n: string): string =>
  `<!doctype html><title>p${n}</title><h1>page ${n}</h1>${'<p>lorem ipsum dolor sit amet '.repeat(700)}` +
  `<script>requestAnimationFrame(() => requestAnimationFrame(() => fetch('/painted?${n}')))</script>`

export interface RestoreTimes {
  /** From spawn until the second animation frame of the first page that paints. */
  readonly paintedMs: readonly number[]
}

/**
 * What a person uses today to find their tabs again: Chromium with `--restore-last-session`, headful on a virtual
 * screen, warm, timed from spawn. The session of `tabs` static pages is made by Chromium itself beforehand.
 */
export async function measureChromiumRestore(program: string, tabs: number, runs: number): Promise<RestoreTimes> {
  const profile = await mkdtemp(path.join(os.tmpdir(), 'elsewhere-restore-'))
  let painted: (() => void) | undefined
  const requested = new Set<string>()
  const server = http.createServer((request, response) => {
    const [, number] = /^\/p\/(\d+)$/.exec(request.url ?? '') ?? []
    if (number !== undefined) requested.add(number)
    if (request.url?.startsWith('/painted')) painted?.()
    response.setHeader('content-type', 'text/html')
    response.end(number === undefined ? '' : page(number))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const screen = await startVirtualScreen()
  const start = (...args: string[]): ChildProcess =>
    spawn(program, [...FLAGS, ...QUIET, `--user-data-dir=${profile}`, ...args], {
      stdio: 'ignore',
      env: { ...process.env, DISPLAY: screen.display, DBUS_SESSION_BUS_ADDRESS: 'disabled:' },
    })
  try {
    const urls = Array.from({ length: tabs }, (_, i) => `http://127.0.0.1:${port}/p/${i}`)
    const first = start(...urls)
    for (let waitedMs = 0; requested.size < tabs && waitedMs < 120_000; waitedMs += 200) await delay(200)
    if (requested.size < tabs) throw new Error(`Chromium opened ${requested.size} of ${tabs} pages in 120 s`)
    await delay(4_000) // it writes its session every 2.5 s
    await endProcess(first, 20_000)
    const paintedMs: number[] = []
    for (let run = 0; run < runs; run++) {
      const startedMs = performance.now()
      const shown = new Promise<number>((resolve, reject) => {
        painted = () => resolve(performance.now() - startedMs)
        setTimeout(() => reject(new Error('nothing painted within 60 s of a restore')), 60_000).unref()
      })
      const child = start('--restore-last-session')
      try {
        paintedMs.push(await shown)
        await delay(2_000)
      } finally {
        await endProcess(child, 20_000)
      }
    }
    return { paintedMs }
  } finally {
    await screen.stop()
    server.close()
    server.closeAllConnections()
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}
