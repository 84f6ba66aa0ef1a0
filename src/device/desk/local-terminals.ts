import type { Disposable } from '../../base/disposable.ts'
import { DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { CallContext } from '../../rpc/contract.ts'
import { pipeChannels } from '../../rpc/pipe-channels.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'

export interface TerminalRequest {
  readonly tab?: string | undefined
  readonly cwd?: string | undefined
  readonly command?: string[] | undefined
  /** Another person's device, for which it is opened. */
  readonly guest?: HostTerminal['guest']
  readonly columns: number
  readonly rows: number
}

/** How a terminal ended whose host process is gone: the kernel hangs up on its programs. */
const HUNG_UP = { code: 0, signal: 1 } as const

/**
 * The terminals of this device, which live in its host process: for its displays and for linked devices alike. They outlive
 * this process. A host that restarts is connected again, and what went with the old one is told as ended. Owns no terminal.
 */
export class LocalTerminals implements Disposable {
  readonly #host: ProcessConnection<HostClient>
  readonly #log: Logger
  readonly #owned = new DisposableStore()
  /** As the host told them last. */
  readonly #running = new Map<string, HostTerminal>()
  readonly #changed = this.#owned.add(new Emitter<HostTerminal>())
  readonly #screenChanged = this.#owned.add(new Emitter<{ terminalId: string }>())

  readonly onDidChange = this.#changed.event
  readonly onDidChangeScreen = this.#screenChanged.event

  constructor(host: ProcessConnection<HostClient>, log: Logger) {
    this.#host = host
    this.#log = log
    this.#owned.add(
      host.onDidConnect((client) => {
        void this.#settle(client)
        client.onDidChangeScreen((screen) => this.#screenChanged.fire(screen))
      }),
    )
  }

  async open(request: TerminalRequest, signal?: AbortSignal): Promise<HostTerminal> {
    const host = await this.#host.client()
    return host.spawn(request, signal ? { signal } : {})
  }

  /** Joins a new channel of `context` to the terminal. Its bytes are terminal-frames-contract.ts, passed on unread. */
  async attach(
    request: { terminalId: string; columns: number; rows: number },
    context: CallContext,
  ): Promise<{ channel: ByteChannel; terminal: HostTerminal }> {
    const host = await this.#host.client()
    const channel = context.openChannel() // first: a refusal must not leave one open in the host
    const { channel: hostChannel, terminal } = await host.attach(request, { signal: context.signal })
    pipeChannels(host.channel(hostChannel), channel)
    return { channel, terminal }
  }

  async list(): Promise<HostTerminal[]> {
    return (await this.#host.client()).list({})
  }

  async end(terminalId: string): Promise<void> {
    await (await this.#host.client()).end({ terminalId })
  }

  async screen(terminalId: string): Promise<string> {
    return (await (await this.#host.client()).screen({ terminalId })).screen
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /** Of what ran at the last connection, some may have gone with the process behind it: nobody else would say so. */
  async #settle(client: HostClient): Promise<void> {
    const before = [...this.#running.keys()]
    const heard = new Set<string>()
    client.onDidChangeTerminal((terminal) => {
      heard.add(terminal.terminalId)
      this.#take(terminal)
    })
    try {
      const there = new Map((await client.list({})).map((terminal) => [terminal.terminalId, terminal]))
      for (const terminal of there.values()) if (!terminal.exit && !heard.has(terminal.terminalId)) this.#note(terminal)
      for (const id of before) {
        const known = this.#running.get(id)
        if (known && !heard.has(id) && (!there.has(id) || there.get(id)?.exit)) this.#take(there.get(id) ?? { ...known, exit: HUNG_UP })
      }
    } catch (error) {
      this.#log.warn('what runs in terminals here is not known yet', { why: errorMessage(error) }) // the next connection asks again
    }
  }

  #take(terminal: HostTerminal): void {
    this.#note(terminal)
    this.#changed.fire(terminal)
  }

  #note(terminal: HostTerminal): void {
    if (terminal.exit) this.#running.delete(terminal.terminalId)
    else this.#running.set(terminal.terminalId, terminal)
  }
}
