import type { Disposable } from '../base/disposable.ts'
import { DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { HostTerminal } from '../jobs/host-contract.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import type { CallContext } from '../rpc/contract.ts'
import { pipeChannels } from '../rpc/pipe-channels.ts'
import type { HostClient, ProcessConnection } from './device-parts.ts'

export interface TerminalRequest {
  readonly tab?: string | undefined
  readonly cwd?: string | undefined
  readonly command?: string[] | undefined
  /** Another person's device, for which it is opened. */
  readonly guest?: HostTerminal['guest']
  readonly columns: number
  readonly rows: number
}

/**
 * The terminals of this device, which live in its host process: for its displays and for linked devices alike. They outlive
 * this process; a host that restarts is connected again. Owns no terminal.
 */
export class LocalTerminals implements Disposable {
  readonly #host: ProcessConnection<HostClient>
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<HostTerminal>())
  readonly #screenChanged = this.#owned.add(new Emitter<{ terminalId: string }>())

  readonly onDidChange = this.#changed.event
  readonly onDidChangeScreen = this.#screenChanged.event

  constructor(host: ProcessConnection<HostClient>) {
    this.#host = host
    this.#owned.add(
      host.onDidConnect((client) => {
        client.onDidChangeTerminal((terminal) => this.#changed.fire(terminal))
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
}
