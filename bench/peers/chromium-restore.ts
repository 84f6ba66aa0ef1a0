import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endProcess, startVirtualScreen, type VirtualScreen } from './xvfb.ts'

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
const OPENING_MS = 120_000
const PAINTING_MS = 60_000
/** Opened in one go; a thousand pages at once do not come up in minutes, their renderers are too many. */
const STEP_TABS = 200
/** It writes its session every 2.5 s. */
const SESSION_WRITTEN_MS = 8_000
/** On a busy machine a page or two were not there yet when it was ended; fewer are quicker, so this is to its advantage. */
const ENOUGH = 0.95

const page = (n: string): string =>
  `<!doctype html><title>p${n}</title><h1>page ${n}</h1>${'<p>lorem ipsum dolor sit amet '.repeat(700)}` +
  `<script>requestAnimationFrame(() => requestAnimationFrame(() => fetch('/painted?${n}')))</script>`

/**
 * What a person uses today to find their tabs again: Chromium with `--restore-last-session`, headful on a virtual screen with
 * a window manager, warm. Its session is one it made itself, of static pages a local server holds.
 *
 * Timed from the spawn of the browser to the beacon that the second animation frame of the first page that paints sends: one page
 * of all those tabs, the others load when they are looked at. To its advantage: nothing watches it (asking its debugging port
 * for the tabs while it starts costs it some 5 %), no component is looked for and no network is tried. To ours: nothing; our
 * display is a Chromium with the same flags on a screen of the same kind, driven over its debugging port.
 * Owns profile, server and screen.
 */
export class ChromiumRestore {
  readonly #program: string
  readonly #tabs: number
  readonly #profile: string
  readonly #server: http.Server
  readonly #screen: VirtualScreen
  readonly #requested = new Set<string>()
  #painted: (() => void) | undefined
  /** How many of its tabs come back. */
  restored = 0

  private constructor(program: string, tabs: number, profile: string, screen: VirtualScreen) {
    this.#program = program
    this.#tabs = tabs
    this.#profile = profile
    this.#screen = screen
    this.#server = http.createServer((request, response) => {
      const [, number] = /^\/p\/(\d+)$/.exec(request.url ?? '') ?? []
      if (number !== undefined) this.#requested.add(number)
      if (request.url?.startsWith('/painted')) this.#painted?.()
      response.setHeader('content-type', 'text/html')
      response.end(number === undefined ? '' : page(number))
    })
  }

  /** Opens the pages, lets Chromium write its session, and makes sure that it restores all of them. */
  static async prepare(program: string, tabs: number): Promise<ChromiumRestore> {
    const profile = await mkdtemp(path.join(os.tmpdir(), 'elsewhere-restore-'))
    const made = new ChromiumRestore(program, tabs, profile, await startVirtualScreen())
    try {
      await made.#makeSession()
      const restored = await made.#countRestored()
      if (restored < ENOUGH * tabs) throw new Error(`Chromium restored ${restored} of ${tabs} tabs`)
      made.restored = restored
      return made
    } catch (error) {
      await made.dispose()
      throw error
    }
  }

  /** Ms from spawn until the second animation frame of the first page that paints; the others load behind it. */
  async restore(): Promise<number> {
    const startedMs = performance.now()
    const shown = new Promise<number>((resolve, reject) => {
      this.#painted = () => resolve(performance.now() - startedMs)
      setTimeout(() => reject(new Error(`nothing painted within ${PAINTING_MS} ms of a restore`)), PAINTING_MS).unref()
    })
    const child = this.#start('--restore-last-session')
    try {
      const ms = await shown
      await delay(2_000)
      return ms
    } finally {
      await endProcess(child, 20_000)
    }
  }

  async dispose(): Promise<void> {
    await this.#screen.stop()
    this.#server.close()
    this.#server.closeAllConnections()
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }

  /** A step at a time: what an earlier one opened comes back unloaded, as it does for a person, and the next pages are opened beside it. */
  async #makeSession(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const { port } = this.#server.address() as AddressInfo
    for (let made = 0; made < this.#tabs; ) {
      const until = Math.min(this.#tabs, made + STEP_TABS)
      const urls = Array.from({ length: until - made }, (_, i) => `http://127.0.0.1:${port}/p/${made + i}`)
      const child = this.#start(...(made > 0 ? ['--restore-last-session'] : []), ...urls)
      try {
        const giveUpMs = performance.now() + OPENING_MS
        while (this.#requested.size < until && performance.now() < giveUpMs) await delay(200)
        if (this.#requested.size < until) throw new Error(`Chromium opened ${this.#requested.size} of ${until} pages`)
        await delay(SESSION_WRITTEN_MS)
      } finally {
        await endProcess(child, 20_000)
      }
      made = until
    }
  }

  /** A restore that is not timed, because it is watched: how many tabs there are. */
  async #countRestored(): Promise<number> {
    const child = this.#start('--restore-last-session', '--remote-debugging-port=0')
    try {
      let most = 0
      for (let tries = 0; tries < 100 && most < this.#tabs; tries++) {
        await delay(200)
        most = Math.max(most, await this.#openTabs().catch(() => 0)) // not listening yet
      }
      await delay(SESSION_WRITTEN_MS)
      return most
    } finally {
      await endProcess(child, 20_000)
    }
  }

  async #openTabs(): Promise<number> {
    const [port] = (await readFile(path.join(this.#profile, 'DevToolsActivePort'), 'utf8')).split('\n')
    const targets: unknown = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()
    if (!Array.isArray(targets)) return 0
    return new Set(targets.filter(({ type, url }) => type === 'page' && /\/p\/\d+$/.test(url)).map(({ url }) => url)).size
  }

  #start(...args: string[]): ChildProcess {
    return spawn(this.#program, [...FLAGS, ...QUIET, `--user-data-dir=${this.#profile}`, ...args], {
      stdio: 'ignore',
      env: { ...process.env, DISPLAY: this.#screen.display, DBUS_SESSION_BUS_ADDRESS: 'disabled:' },
    })
  }
}
