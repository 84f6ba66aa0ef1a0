import { accessSync, constants, readlinkSync, statSync } from 'node:fs'
import path from 'node:path'
import { type IPty, spawn } from '@lydell/node-pty'
import { Emitter } from '../../base/emitter.ts'
import { JobError } from '../../jobs/job-error.ts'
import { type ProcessSample, processTree } from '../../jobs/process-table.ts'
import type { Pty, PtyRequest, PtySpawner } from '../../jobs/pty.ts'
import type { TerminalExit } from '../../jobs/terminal-frames-contract.ts'
import { endProcesses } from './end-processes.ts'
import { listProcesses } from './proc-process-reader.ts'

/** How long an ended program's last output may take to arrive. */
const EXIT_WAIT_MS = 1_000

/** Ptys through @lydell/node-pty, which is prebuilt. Checks first what would otherwise only show as an exit code of 1. */
export class LydellPtySpawner implements PtySpawner {
  spawn({ file, args, cwd, env, columns, rows }: PtyRequest): Pty {
    if (!isFolder(cwd)) throw new JobError('terminal/spawn-failed', `the folder ${cwd} is not there; choose another`)
    if (findProgram(file, cwd, env.PATH ?? '') === undefined) {
      throw new JobError('terminal/spawn-failed', `there is no program ${file} on this device; check its name and PATH`)
    }
    try {
      const pty = spawn(file, [...args], { name: 'xterm-256color', cols: columns, rows, cwd, env: { ...env }, encoding: null })
      return new LydellPty(pty)
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      throw new JobError(
        'terminal/spawn-failed',
        `${file} could not be started (${message}); the device may be out of terminals or memory`,
        { cause },
      )
    }
  }
}

class LydellPty implements Pty {
  readonly #pty: IPty
  readonly #output = new Emitter<Uint8Array>()
  readonly #exited = new Emitter<TerminalExit>()
  readonly onDidOutput = this.#output.event
  readonly onDidExit = this.#exited.event
  readonly #startedAt: string | undefined
  #exit: TerminalExit | undefined
  #disposed = false

  constructor(pty: IPty) {
    this.#pty = pty
    this.#startedAt = listProcesses().find(({ pid }) => pid === this.#pty.pid)?.startedAt
    // encoding null makes these Buffers, whatever the type says
    pty.onData((data) => this.#output.fire(data as unknown as Buffer))
    // Without a listener of ours node-pty throws what its socket says (a write to a program that has just gone) at the process,
    // and every other terminal would end with it. The exit says all that is to be said.
    const emitter = pty as unknown as { on(name: 'error', listener: () => void): void }
    emitter.on('error', () => {})
    pty.onExit(({ exitCode, signal }) => {
      this.#exit = { code: exitCode, ...(signal ? { signal } : {}) }
      this.#exited.fire(this.#exit)
    })
  }

  get pid(): number {
    return this.#pty.pid
  }

  get unwrittenBytes(): number {
    // node-pty has no way to ask; its socket is the stream that the keys wait in
    const socket: { readonly writableLength?: number } | undefined = Reflect.get(this.#pty, '_socket')
    return socket?.writableLength ?? 0
  }

  write(bytes: Uint8Array): void {
    if (!this.#exit) this.#pty.write(Buffer.from(bytes) as unknown as string)
  }

  resize(columns: number, rows: number): void {
    if (this.#exit) return
    try {
      this.#pty.resize(columns, rows)
    } catch (error) {
      if (!/EBADF|ENOTTY/.test(String(error))) throw error // it has just gone; its exit is on the way
    }
  }

  pause(): void {
    this.#pty.pause()
  }

  resume(): void {
    this.#pty.resume()
  }

  foreground(): string {
    return this.#exit ? '' : path.basename(this.#pty.process.split(' ')[0] ?? '').replace(/^-/, '')
  }

  workingFolder(): string | undefined {
    if (this.#exit || process.platform !== 'linux') return undefined
    try {
      return readlinkSync(`/proc/${this.pid}/cwd`)
    } catch {
      return undefined // it has just ended, or has become another account's
    }
  }

  async end(graceMs: number): Promise<void> {
    if (!this.#exit) this.#pty.resume() // a paused pty would keep its programs from writing their last words
    const left = await endProcesses(() => this.#programs(), graceMs)
    if (left.length > 0) {
      throw new JobError(
        'terminal/would-not-end',
        `process ${left[0]?.pid} does not end; it is stuck in the kernel, waiting for a device or a network disk`,
      )
    }
    if (this.#exit) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, EXIT_WAIT_MS)
      this.#exited.event(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** A pid is not reused while its session has members; once it names another program, nothing of ours is left. */
  #programs(): readonly ProcessSample[] {
    const processes = listProcesses()
    const leader = processes.find(({ pid }) => pid === this.pid)
    if (leader && leader.startedAt !== this.#startedAt) return []
    return processTree(processes, new Set([this.pid]))
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#output.dispose()
    this.#exited.dispose()
    if (!this.#exit) this.#pty.kill('SIGHUP')
    ;(this.#pty as unknown as { destroy?: () => void }).destroy?.()
  }
}

export function isFolder(folder: string): boolean {
  try {
    return path.isAbsolute(folder) && statSync(folder).isDirectory()
  } catch {
    return false // not there, or not for us to enter
  }
}

/** As execvp looks: a name with a slash as it is, any other along PATH. */
export function findProgram(file: string, cwd: string, searchPath: string): string | undefined {
  const candidates = file.includes('/') ? [path.resolve(cwd, file)] : searchPath.split(':').map((folder) => path.join(folder || cwd, file))
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK)
      return statSync(candidate).isFile()
    } catch {
      return false // not there or not for us: the next one
    }
  })
}
