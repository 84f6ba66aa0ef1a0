import { type ChildProcess, spawn, type SpawnOptions, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type MountLine, readMountTable } from '../platform/node/fuse/mount-table.ts'
import type { MountProcessCommand, MountProcessEvent } from './mount-process.ts'
import { OrdinaryAccount, whyNoOrdinaryAccount } from './ordinary-account.ts'

/** Who mounts and looks: root, or an account without rights, which needs fusermount3. */
export type LabAccount = 'root' | 'ordinary'

const PROGRAM = fileURLToPath(new URL('./mount-process.ts', import.meta.url))
/** Longest a program may work in a mount before the test gives up. */
const RUN_LIMIT_MS = 100_000

/** Why no folder can be mounted here by that account; undefined when it can. */
export function whyNoMounts(account: LabAccount = 'root'): string | undefined {
  if (process.platform !== 'linux' || !existsSync('/dev/fuse')) return 'there is no /dev/fuse'
  if (process.getuid?.() !== 0) return 'only tried as root'
  return account === 'root' ? undefined : whyNoOrdinaryAccount(PROGRAM)
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/**
 * A folder on the disk and mounts in it; whatever happens, `close` leaves nothing mounted and nothing running. Everything
 * in it runs as the lab's account: what an ordinary account mounted, nobody else sees, the test's own calls included.
 */
export class MountLab {
  readonly folder: string
  readonly ordinary: OrdinaryAccount | undefined
  readonly #children = new Set<ChildProcess>()

  private constructor(folder: string, ordinary: OrdinaryAccount | undefined) {
    this.folder = folder
    this.ordinary = ordinary
  }

  static async open(account: LabAccount = 'root'): Promise<MountLab> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-mount-'))
    if (account === 'root') return new MountLab(folder, undefined)
    const ordinary = await OrdinaryAccount.open(path.join(folder, 'devices'))
    rmdirSync(path.join(folder, 'devices'))
    chownSync(folder, ordinary.uid, ordinary.uid)
    return new MountLab(folder, ordinary)
  }

  /** A folder in the lab that a mount goes to. */
  at(name = 'mnt'): string {
    return path.join(this.folder, name)
  }

  /** What is mounted at a folder of the lab, as its account sees it. */
  mountsAt(at = this.at()): readonly MountLine[] {
    return this.#mounts().filter((line) => line.at === at)
  }

  /** Starts `program` with arguments and hears its events. */
  start(program = PROGRAM, args: readonly string[] = [this.at()], env: NodeJS.ProcessEnv = process.env): MountClient {
    const child = this.#spawn(process.execPath, ['--no-warnings', program, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: this.#environment(env),
      cwd: '/',
    })
    return new MountClient(child)
  }

  async mounted(name = 'mnt'): Promise<MountClient> {
    const client = this.start(PROGRAM, [this.at(name)])
    const event = await client.next()
    if (event.t !== 'mounted') throw new Error(`not mounted: ${JSON.stringify(event)}`)
    return client
  }

  /** A program that goes on, in a folder of the lab. Resolves once it has said something. */
  async background(script: string, cwd = this.folder): Promise<ChildProcess> {
    const child = this.#spawn('bash', ['-euc', script], { stdio: ['ignore', 'pipe', 'inherit'], env: this.#environment(), cwd })
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once('data', () => resolve())
      child.once('exit', (code) => reject(new Error(`ended with ${code}: ${script}`)))
    })
    return child
  }

  /** A program's output; its own thread of the system waits for the mount, not ours. */
  async run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, signal, stdout, stderr } = await this.look(command, args, options)
    if (code === 0) return stdout
    throw new Error(`${command} ${args.join(' ')}: ended with ${code ?? signal}\n${stdout.slice(-1500)}${stderr.slice(-1500)}`)
  }

  sh(script: string, options: RunOptions = {}): Promise<string> {
    return this.run('bash', ['-euo', 'pipefail', '-c', script], options)
  }

  /** As `run`, however it ends: a program that was killed has a signal and no code. */
  look(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> & { readonly child: ChildProcess } {
    const child = this.#spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd ?? this.folder,
      env: this.#environment(options.env),
    })
    const limit = setTimeout(() => child.kill('SIGKILL'), RUN_LIMIT_MS)
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal, stdout: stdout(), stderr: stderr() }))
    }).finally(() => clearTimeout(limit))
    return Object.assign(ended, { child })
  }

  /** As root, outside of what the lab's account sees. */
  asRoot(script: string): void {
    const { status, stderr } = spawnSync('bash', ['-euc', script], { encoding: 'utf8', timeout: RUN_LIMIT_MS })
    if (status !== 0) throw new Error(`${script}: ${stderr}`)
  }

  /** Pages that are kept need no request: dropped, as a new mount would have none. */
  dropCaches(): void {
    this.asRoot('sync; echo 3 > /proc/sys/vm/drop_caches')
  }

  async close(): Promise<void> {
    const ends = [...this.#children].map(
      (child) =>
        new Promise<void>((resolve) => {
          child.once('exit', () => resolve())
          child.kill('SIGKILL')
        }),
    )
    const mounts = this.#mounts().filter((line) => line.at.startsWith(`${this.folder}/`))
    for (const { minor, type } of mounts) {
      const abort = `/sys/fs/fuse/connections/${minor}/abort`
      if (type.startsWith('fuse') && existsSync(abort)) writeFileSync(abort, '1')
    }
    await Promise.all(ends)
    if (!this.ordinary) for (const { at } of mounts) spawnSync('umount', ['-l', at])
    this.ordinary?.dispose()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #mounts(): readonly MountLine[] {
    return this.ordinary ? readMountTable(this.ordinary.mountTable) : readMountTable()
  }

  #environment(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return { ...process.env, LC_ALL: 'C.UTF-8', ...(this.ordinary ? { HOME: this.folder, USER: 'nobody' } : {}), ...env }
  }

  #spawn(command: string, args: readonly string[], options: SpawnOptions & { cwd: string }): ChildProcess {
    const [program, words] = this.ordinary ? this.ordinary.wrap(command, args, options.cwd) : [command, args]
    const child = spawn(program, words, { ...options, cwd: this.ordinary ? '/' : options.cwd })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }
}

/** How a program ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

function textOf(stream: Readable | null): () => string {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

/** A process that mounts, seen from the test. */
export class MountClient {
  readonly child: ChildProcess
  readonly #events: MountProcessEvent[] = []
  #heard: () => void = () => {}

  constructor(child: ChildProcess) {
    this.child = child
    if (!child.stdout) throw new Error('the process has no output')
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#events.push(JSON.parse(line) as MountProcessEvent)
      this.#heard()
    })
  }

  /** The next event; the test's own limit ends a vain wait. */
  async next(): Promise<MountProcessEvent> {
    while (this.#events.length === 0) await new Promise<void>((resolve) => (this.#heard = resolve))
    return this.#events.shift() as MountProcessEvent
  }

  ask(command: MountProcessCommand): Promise<MountProcessEvent> {
    this.child.stdin?.write(`${JSON.stringify(command)}\n`)
    return this.next()
  }

  kill(signal: NodeJS.Signals): Promise<void> {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) return resolve()
      this.child.once('exit', () => resolve())
      this.child.kill(signal)
    })
  }
}

/** What the system says of a process: `D` waits inside the kernel and cannot be ended; undefined: it is gone. */
export function stateOfProcess(pid: number | undefined): string | undefined {
  const file = `/proc/${pid}/stat`
  try {
    return /\) (\w)/.exec(readFileSync(file, 'utf8'))?.[1]
  } catch {
    return undefined // it has ended
  }
}
