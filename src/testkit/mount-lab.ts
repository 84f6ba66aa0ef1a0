import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { readMountTable } from '../platform/node/fuse/mount-table.ts'
import type { MountProcessCommand, MountProcessEvent } from './mount-process.ts'

/** Why no folder can be mounted here; undefined when it can. */
export function whyNoMounts(): string | undefined {
  if (process.platform !== 'linux' || !existsSync('/dev/fuse')) return 'there is no /dev/fuse'
  if (process.getuid?.() !== 0) return 'only tried as root'
  const has = (name: string) => (process.env.PATH ?? '').split(':').some((folder) => existsSync(path.join(folder, name)))
  return has('fusermount3') ? undefined : 'fuse3 is not installed'
}

const PROGRAM = fileURLToPath(new URL('./mount-process.ts', import.meta.url))
/** Longest a program may work in a mount before the test gives up. */
const RUN_LIMIT_MS = 100_000

/** A folder on the disk and mounts in it; whatever happens, `close` leaves nothing mounted and nothing running. */
export class MountLab {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-mount-'))
  readonly #children = new Set<ChildProcess>()

  /** A folder in the lab that a mount goes to. */
  at(name = 'mnt'): string {
    return path.join(this.folder, name)
  }

  /** Starts `program` with arguments and hears its events. */
  start(program = PROGRAM, args: readonly string[] = [this.at(), 'root'], env: NodeJS.ProcessEnv = process.env): MountClient {
    const child = spawn(process.execPath, ['--no-warnings', program, ...args], { stdio: ['pipe', 'pipe', 'inherit'], env, cwd: '/' })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return new MountClient(child)
  }

  async mounted(how: 'root' | 'unprivileged' = 'root', name = 'mnt'): Promise<MountClient> {
    const client = this.start(PROGRAM, [this.at(name), how])
    const event = await client.next()
    if (event.t !== 'mounted') throw new Error(`not mounted: ${JSON.stringify(event)}`)
    return client
  }

  /** A program's output; its own thread of the system waits for the mount, not ours. */
  run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(
        command,
        args,
        {
          encoding: 'utf8',
          timeout: RUN_LIMIT_MS,
          killSignal: 'SIGKILL',
          maxBuffer: 1 << 24,
          cwd: options.cwd ?? this.folder,
          env: { ...process.env, ...options.env },
        },
        (error, stdout, stderr) => {
          if (error)
            reject(
              new Error(`${command} ${args.join(' ')}: ${error.message}\n${stdout.slice(-1500)}${stderr.slice(-1500)}`, { cause: error }),
            )
          else resolve(stdout)
        },
      )
    })
  }

  sh(script: string, options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<string> {
    return this.run('bash', ['-euo', 'pipefail', '-c', script], options)
  }

  async close(): Promise<void> {
    const ends = [...this.#children].map(
      (child) =>
        new Promise<void>((resolve) => {
          child.once('exit', () => resolve())
          child.kill('SIGKILL')
        }),
    )
    await Promise.all(ends)
    for (const { at, minor } of readMountTable().filter((line) => line.at.startsWith(`${this.folder}/`))) {
      const abort = `/sys/fs/fuse/connections/${minor}/abort`
      if (existsSync(abort)) writeFileSync(abort, '1')
      spawnSync('umount', ['-l', at])
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
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

/** Processes that nothing can end, because they wait inside the kernel, of those given. */
export function stuckProcesses(pids: readonly number[]): readonly number[] {
  const there = new Set(readdirSync('/proc'))
  return pids.filter((pid) => there.has(String(pid)) && / D /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/\(.*\)/, '')))
}
