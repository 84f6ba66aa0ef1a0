import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { DataFolder } from './data-folder.ts'
import { findBrowser, findElectron, hasScreen } from './find-display-host.ts'
import { projectRoot } from './project-root.ts'
import type { DisplayHost } from './supervisor-contract.ts'

/** The redirect file lives as long as the one-time URL in it. */
const REDIRECT_LIFE_MS = 2 * 60_000
/** How long a window may take to close when everything ends. */
const CLOSE_PATIENCE_MS = 3_000

export interface OpenedDisplay {
  readonly kind: 'electron' | 'browser' | 'none'
  readonly program?: string
  readonly url?: string
  readonly reason?: string
}

/**
 * Opens windows that show this device's desk, and ends them with it. The one-time URL goes through a 0600 file: command
 * lines can be read by every account of the machine.
 */
export class DisplayLauncher {
  readonly #data: DataFolder
  readonly #clock: Clock
  readonly #log: Logger
  readonly #open = new Set<ChildProcess>()
  readonly #redirects = new Set<string>()

  constructor(data: DataFolder, clock: Clock, log: Logger) {
    this.#data = data
    this.#clock = clock
    this.#log = log
  }

  get count(): number {
    return this.#open.size
  }

  /** @param url makes a one-time URL; called only when it will be used */
  async open(host: DisplayHost, environment: Readonly<Record<string, string>>, url: () => Promise<string>): Promise<OpenedDisplay> {
    const env = { ...process.env, ...environment }
    if (host === 'none') return { kind: 'none', url: await url() }
    if (!hasScreen(env))
      return { kind: 'none', url: await url(), reason: 'there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set)' }
    const electron = host === 'browser' ? undefined : findElectron(env, path.join(projectRoot(), 'package.json'))
    if (electron) {
      const args = [...rootArguments(), projectRoot(), `--entrance-file=${this.#redirect(await url())}`, `--data=${this.#data.path}`]
      const failure = await this.#spawn(electron, args, env)
      return failure === undefined ? { kind: 'electron', program: electron } : { kind: 'none', url: await url(), reason: failure }
    }
    if (host === 'electron')
      return {
        kind: 'none',
        url: await url(),
        reason: "Electron's binary is not in place; on a terminal, --host electron offers to fetch it",
      }
    const browser = findBrowser(env)
    if (!browser) return { kind: 'none', url: await url(), reason: 'no Chromium, Chrome, Edge or Brave was found' }
    const failure = await this.#spawn(browser, browserArguments(this.#data.browserProfile, this.#redirect(await url())), env)
    return failure === undefined ? { kind: 'browser', program: browser } : { kind: 'none', url: await url(), reason: failure }
  }

  /** Closes every window; resolves when their processes are gone. */
  async dispose(): Promise<void> {
    for (const file of this.#redirects) rmSync(file, { force: true })
    await Promise.all(
      [...this.#open].map(async (child) => {
        const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
        signalGroup(child, 'SIGTERM')
        const insist = this.#clock.after(CLOSE_PATIENCE_MS, () => signalGroup(child, 'SIGKILL'))
        await gone
        insist.dispose()
        signalGroup(child, 'SIGKILL') // helpers of the browser that outlived it
      }),
    )
  }

  /** Resolves once it runs, or with why it does not. */
  #spawn(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
    const child = spawn(program, args, { env, detached: true, stdio: 'ignore' })
    child.on('exit', (code) => {
      this.#open.delete(child)
      this.#log.info('a window was closed', { program, code })
    })
    child.unref()
    return new Promise((resolve) => {
      child.once('spawn', () => {
        this.#open.add(child) // one that never ran never exits: nobody may wait for it
        resolve(undefined)
      })
      child.on('error', (error) => {
        this.#log.warn('a window did not open', { program, error: error.message })
        resolve(`${program} could not be started (${error.message})`)
      })
    })
  }

  #redirect(url: string): string {
    const file = path.join(this.#data.path, `open-${randomBytes(8).toString('hex')}.html`)
    const html = `<!doctype html><meta charset="utf-8"><title>Elsewhere</title><meta http-equiv="refresh" content="0;url=${url}">\n`
    writeFileSync(file, html, { mode: 0o600 })
    this.#redirects.add(file)
    this.#clock.after(REDIRECT_LIFE_MS, () => {
      this.#redirects.delete(file)
      rmSync(file, { force: true })
    })
    return file
  }
}

/** Chromium refuses to run as root with its sandbox; containers and CI often are root. */
const rootArguments = (): string[] => (process.getuid?.() === 0 ? ['--no-sandbox', '--test-type'] : [])

const browserArguments = (profile: string, redirect: string): string[] => [
  ...rootArguments(),
  `--app=${pathToFileURL(redirect).href}`,
  `--user-data-dir=${profile}`,
  '--class=Elsewhere',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-breakpad', // its crash handler would outlive the window
]

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal)
  } catch {
    // already gone
  }
}
