import type { Event } from '../base/emitter.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Attempt } from './attempt.ts'
import type { HostTerminal } from './host-contract.ts'
import { JobError } from './job-error.ts'
import type { PtyRequest } from './pty.ts'
import type { TerminalSize } from './terminal-frames-contract.ts'

/** At once in one job. */
const MAX_SHELLS = 8

/** What it needs of the terminals of this host. */
export interface ShellTerminals {
  start(request: PtyRequest): HostTerminal
  hangUp(terminalId: string): Promise<void>
  readonly onDidChangeTerminal: Event<HostTerminal>
}

/** Shells that were opened in running attempts (rule JB86): terminals of this host, that end with what they were opened in. */
export class AttemptShells {
  readonly #terminals: ShellTerminals
  readonly #log: Logger
  /** Terminals with the process in each. */
  readonly #open = new Map<Attempt, Map<string, number>>()

  constructor(terminals: ShellTerminals, log: Logger) {
    this.#terminals = terminals
    this.#log = log
  }

  /** @throws JobError `job/not-running`, `job/no-shell`, `job/too-many`, `terminal/spawn-failed`, `terminal/too-many` */
  open(attempt: Attempt, size: TerminalSize): HostTerminal {
    const { process, status } = attempt
    if (!process) throw new JobError('job/not-running', 'it does not run (yet, or any more), so there is nothing to open a shell in')
    if (status.state === 'paused')
      throw new JobError('job/not-running', 'it holds still while somebody is at that machine; try again when it goes on')
    const open = this.#open.get(attempt) ?? new Map<string, number>()
    if (open.size >= MAX_SHELLS) throw new JobError('job/too-many', `${MAX_SHELLS} shells are open in it; close some first`)
    const shell = process.shell()
    let terminal: HostTerminal
    try {
      const { file, arguments: args, environment: env, folder: cwd } = shell
      terminal = this.#terminals.start({ file, args, env, cwd, ...size })
    } catch (error) {
      shell.dispose()
      throw error
    }
    const { terminalId, pid } = terminal
    process.adopt(pid)
    if (!this.#open.has(attempt)) {
      this.#open.set(attempt, open)
      process.onDidExit(() => this.#endAll(attempt))
    }
    open.set(terminalId, pid)
    const watching = this.#terminals.onDidChangeTerminal((now) => {
      if (now.terminalId !== terminalId || now.exit === undefined) return
      watching.dispose()
      process.release(pid)
      shell.dispose()
      open.delete(terminalId)
    })
    return terminal
  }

  /** Processes of shells in jobs of other devices: who types into them sits there, not at this machine. */
  get pidsOfOthers(): readonly number[] {
    return this.#ofOthers.flatMap((open) => [...open.values()])
  }

  isOfOthers(terminalId: string): boolean {
    return this.#ofOthers.some((open) => open.has(terminalId))
  }

  get #ofOthers(): Map<string, number>[] {
    return [...this.#open].flatMap(([{ asker }, open]) => (asker === undefined ? [] : [open]))
  }

  #endAll(attempt: Attempt): void {
    for (const terminalId of this.#open.get(attempt)?.keys() ?? []) {
      void this.#terminals
        .hangUp(terminalId)
        .catch((error: unknown) => this.#log.warn('a shell in a job does not end with it', { why: errorMessage(error) }))
    }
    this.#open.delete(attempt)
  }
}
