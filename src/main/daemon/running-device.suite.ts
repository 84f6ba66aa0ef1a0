import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { connectDevice, connectSupervisor } from '../cli/local-client.ts'
import { dataFolderAt } from './data-folder.ts'
import { projectRoot } from './project-root.ts'

const ROOT = projectRoot()
export const CLI = path.join(ROOT, 'dist', 'cli', 'cli.mjs')

/** Builds dist/ when it is missing or old. */
export function buildIfStale(): void {
  const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'scripts', 'run.mjs'), 'build', '--if-stale'], {
    env: { ...process.env, PATH: `${path.join(ROOT, 'node_modules', '.bin')}${path.delimiter}${process.env.PATH ?? ''}` },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the build failed: ${stderr}`)
}

export interface ProcessRow {
  readonly pid: number
  readonly command: string
}

/** Processes whose command line or environment names `text`, this one aside. Reads /proc. */
export function processesNaming(text: string): ProcessRow[] {
  const found: ProcessRow[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      if (command !== '' && (command.includes(text) || environment.includes(text))) found.push({ pid, command })
    } catch {
      // it has ended meanwhile
    }
  }
  return found
}

/** A command line that runs this one as another account. */
export type WrapCommand = (command: string, args: readonly string[], cwd: string) => readonly [string, readonly string[]]

const asIs: WrapCommand = (command, args) => [command, args]

/** `elsewhere ARGS` as a person runs it. */
export function runCommand(
  args: readonly string[],
  options: { readonly input?: string; readonly env?: NodeJS.ProcessEnv; readonly wrap?: WrapCommand } = {},
) {
  const [command, words] = (options.wrap ?? asIs)(process.execPath, [CLI, ...args], process.cwd())
  const { status, stdout, stderr } = spawnSync(command, words, {
    input: options.input ?? '',
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    timeout: 60_000, // what should have failed and stays up fails the test instead
  })
  return { status, stdout, stderr }
}

/** A device started by `elsewhere start` in a data folder of its own; every process of it carries a mark in its environment. */
export class RunningDevice {
  readonly folder: string
  readonly mark: string
  readonly output: string[] = []
  readonly #wrap: WrapCommand
  #start: ChildProcess | undefined

  /** By default in a folder for itself, as this account. */
  constructor(folder = mkdtempSync(path.join(os.tmpdir(), 'device-')), wrap = asIs) {
    this.folder = folder
    this.mark = `ELSEWHERE_TEST_MARK=${folder}`
    this.#wrap = wrap
  }

  get data() {
    return dataFolderAt(this.folder)
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, ELSEWHERE_TEST_MARK: this.folder, CI: '1', ELSEWHERE_MOUNT: 'off' }
  }

  /** Resolves when it says that it is up; rejects with what it wrote when it ends before. */
  start(args: readonly string[] = ['--host', 'none'], env: NodeJS.ProcessEnv = {}): Promise<void> {
    const [command, words] = this.#wrap(process.execPath, [CLI, 'start', '--data', this.folder, ...args], process.cwd())
    const child = spawn(command, words, { env: { ...this.environment, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#start = child
    this.output.length = 0
    return new Promise((resolve, reject) => {
      const take = (chunk: Buffer) => {
        this.output.push(chunk.toString())
        if (this.output.join('').includes('Ctrl-C ends it')) resolve()
      }
      child.stdout.on('data', take)
      child.stderr.on('data', take)
      child.once('exit', (code) => reject(Object.assign(new Error(this.output.join('')), { code })))
    })
  }

  get oneTimeUrl(): string {
    return /http:\S+\/enter\?t=\S+/.exec(this.output.join(''))?.[0] ?? ''
  }

  connect() {
    return connectDevice(this.data)
  }

  async status() {
    const supervisor = await connectSupervisor(this.data)
    try {
      return await supervisor.status({})
    } finally {
      supervisor.dispose()
    }
  }

  /** Sends a signal to `elsewhere start` and resolves with its exit code. */
  end(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    const child = this.#start
    if (!child || child.exitCode !== null) return Promise.resolve(child?.exitCode ?? null)
    return new Promise((resolve) => {
      child.once('exit', resolve)
      child.kill(signal)
    })
  }

  /** Every process that belongs to it. */
  get processes(): ProcessRow[] {
    return processesNaming(this.mark)
  }

  async dispose(): Promise<void> {
    await this.end('SIGTERM')
    for (const { pid } of this.processes) process.kill(pid, 'SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}
