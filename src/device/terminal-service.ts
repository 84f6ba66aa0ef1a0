import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import type { HostTerminal } from '../jobs/host-contract.ts'
import type { TerminalInfo, terminalContract } from '../jobs/terminal-contract.ts'
import type { Handlers } from '../rpc/contract.ts'
import { pipeChannels } from '../rpc/pipe-channels.ts'
import type { DisplaySession } from './display-session.ts'
import type { LastScreens } from './last-screens.ts'
import type { LocalTerminals } from './local-terminals.ts'
import type { Peers } from './peers.ts'

export interface TerminalServiceOptions {
  readonly local: LocalTerminals
  readonly peers: Peers
  /** @throws DeviceError `device/locked` */
  self(): DeviceId
  lastScreens(): LastScreens
}

/**
 * Terminals as displays see them: of this device, or of a linked one whose calls are passed on (the grant is checked over
 * there). A channel of another device is joined message for message, and slows down end to end.
 */
export class TerminalService implements Disposable {
  readonly #options: TerminalServiceOptions
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<TerminalInfo>())

  constructor(options: TerminalServiceOptions) {
    this.#options = options
    this.#owned.add(options.local.onDidChange((terminal) => this.#changed.fire({ device: options.self(), ...terminal })))
    this.#owned.add(options.peers.onDidChangeTerminal(({ device, terminal }) => this.#changed.fire({ device, ...terminal })))
  }

  handlers(session: DisplaySession): Handlers<typeof terminalContract> {
    const { local } = this.#options
    return {
      openTerminal: async ({ device, ...request }, { signal }) => {
        const peer = this.#elsewhere(device)
        return here(device, await (peer ? peer.control.openTerminal(request, { signal }) : local.open(request, signal)))
      },
      attachTerminal: async ({ device, ...request }, context) => {
        const peer = this.#elsewhere(device)
        if (!peer) {
          const { channel, terminal } = await local.attach(request, context)
          session.hold(channel)
          return { channel: channel.id, info: here(device, terminal) }
        }
        const channel = session.hold(context.openChannel()) // first: a refusal must not leave one open over there
        const attached = await peer.tty.attachTerminal(request, { signal: context.signal })
        pipeChannels(peer.tty.channel(attached.channel), channel)
        return { channel: channel.id, info: here(device, attached.terminal) }
      },
      lastScreen: ({ device, terminalId }) => this.#options.lastScreens().read(device, terminalId) ?? null,
      listTerminals: async ({ device }, { signal }) => {
        const peer = this.#elsewhere(device)
        const terminals = await (peer ? peer.control.listTerminals({}, { signal }) : local.list())
        return terminals.map((terminal) => here(device, terminal))
      },
      endTerminal: async ({ device, terminalId }, { signal }) => {
        const peer = this.#elsewhere(device)
        await (peer ? peer.control.endTerminal({ terminalId }, { signal }) : local.end(terminalId))
        this.#options.lastScreens().forget(device, terminalId)
        return {}
      },
      onDidChangeTerminal: this.#changed.event,
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /** The linked device, or undefined for this one. @throws DeviceError `device/away`, `device/unknown` */
  #elsewhere(device: string) {
    return device === this.#options.self() ? undefined : this.#options.peers.require(device, 'terminal/device-away')
  }
}

const here = (device: string, terminal: HostTerminal): TerminalInfo => ({ device, ...terminal })
