import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { ShellDoor } from '../../jobs/shell-door.ts'
import { decodeKnock, decodeShellMessage, encodeAnswer, LineCutter, questionNumber, type ShellMessage } from '../../jobs/shell-message.ts'
import { makeFifo } from './make-fifo.ts'

/** More shells than a person has open; each costs four descriptors. Those that have ended make room. */
const MAX_SHELLS = 64
/** Shells that ended are looked for so often, while there are any. */
const LOOK_MS = 60_000
const FOLDER = /^\d{1,9}\.\d{1,20}$/

export interface FifoShellDoorOptions {
  /** A folder of the data folder that nothing else uses. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Logger
}

interface Shell {
  readonly pid: number
  readonly startedAt: string | undefined
  readonly owned: DisposableStore
}

/**
 * Hooked shells reach the device through FIFOs in a 0700 folder: `knock`, which all share, and a folder with `ask` and `answer`
 * for each that knocked. Every FIFO is held open for reading and writing and without waiting, by the device too: no end of it
 * ever blocks, nor does the other's death.
 */
export class FifoShellDoor implements ShellDoor {
  readonly #options: FifoShellDoorOptions

  constructor(options: FifoShellDoorOptions) {
    this.#options = options
  }

  get isWanted(): boolean {
    return process.platform !== 'win32' && existsSync(this.#options.folder)
  }

  open(asked: (message: ShellMessage) => readonly string[] | undefined): Disposable {
    const { folder, clock, log } = this.#options
    // Called from a pipe's event: nobody above takes what it throws.
    const answer = (message: ShellMessage) => {
      try {
        return asked(message)
      } catch (error) {
        log.error('a shell could not be answered; its line stays there', { error: errorMessage(error) })
        return undefined
      }
    }
    const owned = new DisposableStore()
    if (process.platform === 'win32') return owned
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const sweep = () => {
      for (const name of readdirSync(folder)) {
        if (name === 'knock' || name.startsWith('.new') || FOLDER.test(name))
          rmSync(path.join(folder, name), { recursive: true, force: true })
      }
    }
    sweep()
    owned.defer(sweep)
    const shells = new Map<string, Shell>()
    const drop = (name: string) => {
      shells.get(name)?.owned.dispose()
      shells.delete(name)
    }
    owned.defer(() => {
      for (const name of shells.keys()) drop(name)
    })
    const lookForEnded = () => {
      for (const [name, { pid, startedAt }] of shells) if (startOf(pid) !== startedAt) drop(name)
    }
    let looking: Disposable | undefined
    owned.defer(() => looking?.dispose())
    const knock = path.join(folder, 'knock')
    makeFifo(knock)
    owned.add(
      readFifo(knock, (line) => {
        const found = decodeKnock(line)
        if (!found) return
        const name = `${found.pid}.${found.nonce}`
        const startedAt = startOf(found.pid)
        if (shells.has(name) || startedAt === undefined) return
        if (shells.size >= MAX_SHELLS) lookForEnded()
        if (shells.size >= MAX_SHELLS)
          return log.warn('too many shells are hooked to this device; this one is not', { shells: shells.size })
        try {
          shells.set(name, { pid: found.pid, startedAt, owned: openShell(folder, name, answer) })
        } catch (error) {
          return log.error('a shell could not be given its pipes', { error: errorMessage(error) })
        }
        looking ??= clock.every(LOOK_MS, () => {
          lookForEnded()
          if (shells.size > 0) return
          looking?.dispose()
          looking = undefined
        })
      }),
    )
    return owned
  }
}

/** Appears at once, with both ends open: a shell that finds it is heard. */
function openShell(folder: string, name: string, answer: (message: ShellMessage) => readonly string[] | undefined): DisposableStore {
  const owned = new DisposableStore()
  const made = path.join(folder, `.new${name}`)
  const kept = path.join(folder, name)
  try {
    mkdirSync(made, { mode: 0o700 })
    owned.defer(() => {
      for (const at of [made, kept]) rmSync(at, { recursive: true, force: true })
    })
    for (const fifo of ['ask', 'answer']) makeFifo(path.join(made, fifo))
    const out = openSync(path.join(made, 'answer'), constants.O_RDWR | constants.O_NONBLOCK)
    owned.defer(() => closeSync(out))
    let question: { readonly id: string; readonly programs: readonly string[] | undefined } | undefined
    owned.add(
      readFifo(
        path.join(made, 'ask'),
        (line) => {
          const message = decodeShellMessage(line)
          const id = message ? message.kind === 'ask' && message.id : questionNumber(line)
          const programs = message && answer(message)
          if (id) question = { id, programs }
        },
        () => {
          if (question) write(out, encodeAnswer(question.id, question.programs))
          question = undefined
        },
      ),
    )
    renameSync(made, kept)
    return owned
  } catch (error) {
    owned.dispose()
    throw error
  }
}

/** @param onDrained  after what was there has been told */
function readFifo(at: string, onLine: (line: Uint8Array) => void, onDrained?: () => void): Disposable {
  // A pipe that libuv polls: a read of it never waits in a thread of the pool.
  const socket = new net.Socket({ fd: openSync(at, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false })
  const lines = new LineCutter()
  socket.on('data', (bytes) => {
    for (const line of lines.take(bytes)) onLine(line)
    onDrained?.()
  })
  socket.on('error', () => socket.destroy()) // nothing more is heard; the shell stays by itself
  return { dispose: () => void socket.destroy() }
}

/** A shell that does not read loses its answer, and stays by itself. */
function write(fd: number, text: string): void {
  try {
    writeSync(fd, text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
  }
}

/** What tells one process of that id from a later one; undefined: there is none. */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      process.kill(pid, 0)
      return 'there'
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'there' : undefined
  }
}
