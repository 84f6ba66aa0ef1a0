import { toBase58 } from '../base/base58.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorMessage } from '../base/errors.ts'
import type { TerminalId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { type HostTerminal, MAX_LAST_SCREEN_LENGTH } from './host-contract.ts'
import { JobError } from './job-error.ts'
import type { PtyRequest, PtySpawner } from './pty.ts'
import type { ShellCommand } from './shell-integration.ts'
import { Terminal } from './terminal.ts'
import { TerminalAttachment } from './terminal-attachment.ts'
import { TERMINAL_MARK, terminalEnvironment } from './terminal-environment.ts'
import type { TerminalSize } from './terminal-frames-contract.ts'
import type { TerminalScreen } from './terminal-screen.ts'

/** More than anybody has open; each costs about 10 MB with a full scrollback. */
export const MAX_TERMINALS = 256
/** Ended terminals whose screen is kept until a display has closed them. */
const MAX_EXITED = 32
/** How often a change of the screen is told while output goes on. */
const SCREEN_CHANGE_MS = 3_000
/** Lines above the screen in a last screen; halved until it fits MAX_LAST_SCREEN_LENGTH. */
const LAST_SCREEN_SCROLLBACK = 200

export interface TerminalHostParts {
  readonly spawner: PtySpawner
  readonly newScreen: (size: TerminalSize) => TerminalScreen
  readonly clock: Clock
  readonly random: RandomSource
  readonly logger: Logger
  /** The person's environment and home on this machine. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** How their shell is started when no command is given. */
  readonly shell: () => ShellCommand
  /** Whether a folder is there: a terminal's old folder may be gone. */
  readonly isFolder: (path: string) => boolean
}

export interface SpawnRequest extends TerminalSize {
  /** The tab that asks. Every display of a desk asks for a new tab's terminal; it gets one. */
  readonly tab?: string | undefined
  readonly cwd?: string | undefined
  readonly command?: readonly string[] | undefined
  readonly guest?: HostTerminal['guest']
}

/** All terminals of one host process. Owns them; they end with it. */
export class TerminalHost implements Disposable {
  readonly #parts: TerminalHostParts
  readonly #terminals = new Map<
    string,
    { terminal: Terminal; owned: DisposableStore; viewers: Set<TerminalAttachment>; tab: string | undefined; isGuest: boolean }
  >()
  /** Ids of all terminals of this process's life, so that programs which left theirs are known at the end. */
  readonly #started = new Set<string>()
  readonly #changed = new Emitter<HostTerminal>()
  readonly #screenChanged = new Emitter<{ readonly terminalId: string }>()
  readonly #typed = new Emitter<{ readonly terminalId: string }>()
  /** A person typed into it. */
  readonly onDidType = this.#typed.event
  readonly onDidChangeTerminal = this.#changed.event
  readonly onDidChangeScreen = this.#screenChanged.event

  constructor(parts: TerminalHostParts) {
    this.#parts = parts
  }

  /**
   * Starts a terminal, or answers with the one that already runs for `request.tab`.
   *
   * @throws JobError `terminal/spawn-failed`, `terminal/too-many`
   */
  spawn(request: SpawnRequest): HostTerminal {
    const running = request.tab === undefined ? undefined : this.#runningFor(request.tab)
    if (running) return running
    const { environment, home, shell, isFolder } = this.#parts
    const [file, ...args] = request.command ?? []
    const command: ShellCommand = file === undefined ? shell() : { file, args, env: {} }
    const cwd = request.cwd !== undefined && isFolder(request.cwd) ? request.cwd : home
    const env = terminalEnvironment(environment, command.env)
    return this.start({ ...request, file: command.file, args: command.args, cwd, env })
  }

  /**
   * A terminal for exactly this program, in exactly this environment.
   *
   * @throws JobError `terminal/spawn-failed`, `terminal/too-many`
   */
  start(request: PtyRequest & Pick<SpawnRequest, 'tab' | 'guest'>): HostTerminal {
    const { spawner, newScreen, clock, random } = this.#parts
    const { file, args, cwd, columns, rows } = request
    this.#forgetExited()
    if (this.#terminals.size >= MAX_TERMINALS) {
      throw new JobError('terminal/too-many', `${MAX_TERMINALS} terminals are open on this device; close some first`)
    }
    const id = toBase58(random.bytes(16)) as TerminalId
    const size = { columns, rows }
    const pty = spawner.spawn({ file, args, cwd, env: { ...request.env, [TERMINAL_MARK]: id }, ...size })
    const terminal = new Terminal({ id, pty, screen: newScreen(size), clock, size, cwd, guest: request.guest })
    this.#started.add(id)
    const owned = new DisposableStore()
    owned.add(terminal)
    owned.add(terminal.onDidChange((info) => this.#changed.fire(info)))
    this.#tellScreenChanges(terminal, owned)
    this.#terminals.set(id, { terminal, owned, viewers: new Set(), tab: request.tab, isGuest: request.guest !== undefined })
    this.#parts.logger.info('terminal started', { terminal: id, pid: pty.pid })
    const info = terminal.info()
    this.#changed.fire(info)
    return info
  }

  #runningFor(tab: string): HostTerminal | undefined {
    for (const held of this.#terminals.values()) {
      const info = held.tab === tab ? held.terminal.info() : undefined
      if (info && info.exit === undefined) return info
    }
    return undefined
  }

  /** Whether this host ever ran a terminal of that id. */
  hasStarted(terminalId: string): boolean {
    return this.#started.has(terminalId)
  }

  /** @throws JobError `terminal/unknown` */
  find(terminalId: string): HostTerminal {
    return this.#find(terminalId).terminal.info()
  }

  list(): HostTerminal[] {
    return [...this.#terminals.values()].map(({ terminal }) => terminal.info())
  }

  /** Takes the channel over. @throws JobError `terminal/unknown` */
  attach(terminalId: string, channel: ByteChannel, size: TerminalSize): HostTerminal {
    const { terminal, viewers } = this.#find(terminalId)
    const viewer = new TerminalAttachment(terminal, channel, this.#parts.clock, size)
    viewers.add(viewer)
    viewer.onDidType(() => this.#typed.fire({ terminalId }))
    viewer.onDidEnd(() => viewers.delete(viewer))
    return terminal.info()
  }

  /** @throws JobError `terminal/unknown` */
  screen(terminalId: string): Promise<string> {
    const { terminal, owned } = this.#find(terminalId)
    return new Promise((resolve, reject) => {
      const ended = owned.defer(() => reject(JobError.unknownTerminal(terminalId)))
      const answer = (screen: string) => {
        resolve(screen)
        owned.release(ended)
      }
      const take = (scrollbackLines: number): void =>
        terminal.snapshot(scrollbackLines, ({ bytes }) => {
          const screen = new TextDecoder().decode(bytes)
          if (screen.length <= MAX_LAST_SCREEN_LENGTH) answer(screen)
          else if (scrollbackLines > 0) take(Math.floor(scrollbackLines / 2))
          else answer('') // a screen of 1000 x 1000 in 24-bit colours: not worth keeping elsewhere
        })
      take(LAST_SCREEN_SCROLLBACK)
    })
  }

  /** @throws JobError `terminal/unknown` */
  async end(terminalId: string): Promise<void> {
    const entry = this.#find(terminalId)
    await entry.terminal.end()
    this.#forget(entry.terminal.id)
    this.#parts.logger.info('terminal ended', { terminal: terminalId })
  }

  /** Ends its programs; its last screen stays until a display closes it. One that is gone has ended. */
  async hangUp(terminalId: string): Promise<void> {
    await this.#terminals.get(terminalId)?.terminal.end()
  }

  /** Ends every terminal; resolves when no program is left. */
  async endAll(): Promise<void> {
    await Promise.all(
      [...this.#terminals.keys()].map((id) =>
        this.end(id).catch((error: unknown) =>
          this.#parts.logger.error('terminal would not end', { terminal: id, error: errorMessage(error) }),
        ),
      ),
    )
  }

  dispose(): void {
    for (const id of [...this.#terminals.keys()]) this.#forget(id)
    this.#changed.dispose()
    this.#typed.dispose()
    this.#screenChanged.dispose()
  }

  #find(terminalId: string) {
    const entry = this.#terminals.get(terminalId)
    if (!entry) throw JobError.unknownTerminal(terminalId)
    return entry
  }

  #forget(terminalId: string): void {
    const entry = this.#terminals.get(terminalId)
    this.#terminals.delete(terminalId)
    for (const viewer of entry?.viewers ?? []) viewer.dispose()
    entry?.owned.dispose()
  }

  /** Guests' first, also those that a guest still looks at: nobody takes the owner's places by ending shells. */
  #forgetExited(): void {
    const ended = [...this.#terminals.values()].filter(({ terminal }) => terminal.exit)
    const [guests, own] = [ended.filter(({ isGuest }) => isGuest), ended.filter(({ isGuest }) => !isGuest)]
    const exited = [...guests, ...own.filter(({ viewers }) => viewers.size === 0)]
    for (const { terminal } of exited.slice(0, Math.max(0, exited.length - MAX_EXITED))) this.#forget(terminal.id)
  }

  #tellScreenChanges(terminal: Terminal, owned: DisposableStore): void {
    let timer: Disposable | undefined
    owned.defer(() => timer?.dispose())
    owned.add(
      terminal.onDidSettle(() => {
        timer ??= this.#parts.clock.after(SCREEN_CHANGE_MS, () => {
          timer = undefined
          this.#screenChanged.fire({ terminalId: terminal.id })
        })
      }),
    )
  }
}
