import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { TerminalInfo, terminalContract } from '../../jobs/terminal-contract.ts'
import type { TerminalSize } from '../../jobs/terminal-frames-contract.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { Client } from '../../rpc/client.ts'
import type { Handlers } from '../../rpc/contract.ts'
import { pipeChannels } from '../../rpc/pipe-channels.ts'
import type { contactShellContract } from '../contacts/contact-contract.ts'
import type { ContactsService } from '../contacts/contacts-service.ts'
import type { DisplaySession } from './display-session.ts'
import type { LastScreens } from './last-screens.ts'
import type { LocalTerminals, TerminalRequest } from './local-terminals.ts'
import type { Peer, Peers } from '../links/peers.ts'

export interface TerminalServiceOptions {
  readonly local: LocalTerminals
  readonly peers: Peers
  /** @throws DeviceError `device/locked` */
  self(): DeviceId
  lastScreens(): LastScreens
  readonly contacts: Pick<ContactsService, 'shellsOf' | 'noteShell' | 'onDidChangeShell'>
}

/** Terminals of a linked device, of this person's or a contact's, as it is asked for them. */
interface FarTerminals {
  open(request: TerminalRequest, options: CallOptions): Promise<HostTerminal>
  attach(request: Attached, options: CallOptions): Promise<{ readonly channel: number; readonly terminal: HostTerminal }>
  channel(id: number): ByteChannel
  list(options: CallOptions): Promise<HostTerminal[]>
  end(terminalId: string, options: CallOptions): Promise<unknown>
}
interface CallOptions {
  readonly signal: AbortSignal
}
interface Attached extends TerminalSize {
  readonly terminalId: string
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
    const tell = ({ device, terminal }: { readonly device: DeviceId; readonly terminal: HostTerminal }) =>
      this.#changed.fire({ device, ...terminal })
    this.#owned.add(options.local.onDidChange((terminal) => tell({ device: options.self(), terminal })))
    this.#owned.add(options.peers.onDidChangeTerminal(tell))
    this.#owned.add(options.contacts.onDidChangeShell(tell))
  }

  handlers(session: DisplaySession): Handlers<typeof terminalContract> {
    const { local } = this.#options
    return {
      openTerminal: async ({ device, ...request }, options) => {
        const far = this.#elsewhere(device)
        return here(device, await (far ? far.open(request, options) : local.open(request, options.signal)))
      },
      attachTerminal: async ({ device, ...request }, context) => {
        const far = this.#elsewhere(device)
        if (!far) {
          const { channel, terminal } = await local.attach(request, context)
          session.hold(channel)
          return { channel: channel.id, info: here(device, terminal) }
        }
        const channel = session.hold(context.openChannel()) // first: a refusal must not leave one open over there
        const attached = await far.attach(request, context)
        pipeChannels(far.channel(attached.channel), channel)
        return { channel: channel.id, info: here(device, attached.terminal) }
      },
      lastScreen: ({ device, terminalId }) => this.#options.lastScreens().read(device, terminalId) ?? null,
      listTerminals: async ({ device }, options) => {
        const far = this.#elsewhere(device)
        const terminals = await (far ? far.list(options) : local.list())
        return terminals.map((terminal) => here(device, terminal))
      },
      endTerminal: async ({ device, terminalId }, options) => {
        const far = this.#elsewhere(device)
        await (far ? far.end(terminalId, options) : local.end(terminalId))
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
  #elsewhere(device: string): FarTerminals | undefined {
    const { self, contacts, peers } = this.#options
    if (device === self()) return undefined
    const shells = contacts.shellsOf(device)
    return shells
      ? ofContact(shells, (opened) => contacts.noteShell(device, opened))
      : ofPeer(peers.require(device, 'terminal/device-away'))
  }
}

const ofPeer = ({ control, tty }: Peer): FarTerminals => ({
  open: (request, options) => control.openTerminal(request, options),
  attach: (request, options) => tty.attachTerminal(request, options),
  channel: (id) => tty.channel(id),
  list: (options) => control.listTerminals({}, options),
  end: (terminalId, options) => control.endTerminal({ terminalId }, options),
})

const ofContact = (shells: Client<typeof contactShellContract>, note: (opened: HostTerminal) => void): FarTerminals => ({
  // It begins in the home folder there, with that account's own shell.
  open: async ({ tab, command, columns, rows }, options) => {
    if (command) throw new JobError('terminal/spawn-failed', "a contact's device opens its own shell only; type the command there")
    const opened = await shells.openShell({ ...(tab !== undefined && { tab }), columns, rows }, options)
    note(opened)
    return opened
  },
  attach: (request, options) => shells.attachShell(request, options),
  channel: (id) => shells.channel(id),
  list: (options) => shells.listShells({}, options),
  end: (terminalId, options) => shells.endShell({ terminalId }, options),
})

const here = (device: string, terminal: HostTerminal): TerminalInfo => ({ device, ...terminal })
