import type { DeviceId } from '../base/ids.ts'
import type { Ability, GrantCheck } from '../identity/grant-check.ts'
import type { CallContext, Handlers } from '../rpc/contract.ts'
import { pipeChannels } from '../rpc/pipe-channels.ts'
import type { FilesClient, HostClient, ProcessConnection } from './device-parts.ts'
import type { LocalTerminals } from './local-terminals.ts'
import type { PortAccount } from './port-account.ts'
import type { peerContract, peerFilesContract, peerJobsContract, peerPortsContract, peerTerminalContract } from './peer-contract.ts'

/** What of this device a linked one may ask for. */
export interface PeerServices {
  readonly terminals: LocalTerminals
  readonly host: ProcessConnection<HostClient>
  readonly files: ProcessConnection<FilesClient>
}

/** Who asks, and who says whether it may: at the place where the thing happens. */
export interface Asking extends PeerServices {
  readonly device: DeviceId
  readonly grants: GrantCheck
  readonly portAccount: PortAccount
}

type Part<C, Names extends keyof C> = { readonly [K in Names]: C[K] }

export function peerTerminalHandlers({
  device,
  grants,
  terminals,
  host,
}: Asking): Part<Handlers<typeof peerContract>, 'openTerminal' | 'openJobShell' | 'listTerminals' | 'endTerminal' | 'onDidChangeTerminal'> {
  return {
    openTerminal: (request, { signal }) => {
      grants.require({ device, ability: 'shell' })
      return terminals.open(request, signal)
    },
    openJobShell: async ({ attempt, columns, rows }, { signal }) => {
      const question = { device, ability: 'shell' } as const
      grants.require(question)
      const terminal = await (await host.client()).openShell({ asker: device, attempt, columns, rows }, { signal })
      const watching = grants.watch(question, () => void terminals.end(terminal.terminalId).catch(() => undefined)) // it has ended already
      const ending = terminals.onDidChange(({ terminalId, exit }) => {
        if (terminalId !== terminal.terminalId || exit === undefined) return
        watching.dispose()
        ending.dispose()
      })
      return terminal
    },
    listTerminals: () => {
      grants.require({ device, ability: 'shell' })
      return terminals.list()
    },
    endTerminal: async ({ terminalId }) => {
      grants.require({ device, ability: 'shell', target: terminalId })
      await terminals.end(terminalId)
      return {}
    },
    onDidChangeTerminal: (listener) =>
      terminals.onDidChange((terminal) => grants.allows({ device, ability: 'shell' }) && listener(terminal)),
  }
}

export function peerTasksHandlers({
  device,
  grants,
  host,
}: Asking): Part<Handlers<typeof peerContract>, 'listProcesses' | 'endProcess' | 'readFacts'> {
  return {
    listProcesses: async (input, { signal }) => {
      grants.require({ device, ability: 'tasks:read' })
      return (await host.client()).listProcesses(input, { signal })
    },
    readFacts: async (input, { signal }) => {
      grants.require({ device, ability: 'jobs:run' })
      return (await host.client()).readFacts(input, { signal })
    },
    endProcess: async (input, { signal }) => {
      grants.require({ device, ability: 'tasks:end', target: String(input.pid) })
      return (await host.client()).endProcess(input, { signal })
    },
  }
}

export function peerTtyHandlers({ device, grants, terminals }: Asking): Handlers<typeof peerTerminalContract> {
  return {
    attachTerminal: async (request, context) => {
      const question = { device, ability: 'shell', target: request.terminalId } as const
      grants.require(question)
      const { channel, terminal } = await terminals.attach(request, context)
      const watching = grants.watch(question, () => channel.dispose()) // a grant that ends, ends it in the middle
      channel.onDidClose(() => watching.dispose())
      return { channel: channel.id, terminal }
    },
  }
}

export function peerJobsHandlers({ device, grants, host }: Asking): Handlers<typeof peerJobsContract> {
  const asker = device
  type Opened = { readonly channel: number; readonly tree: number; readonly asShell?: boolean }
  const abilities = (shell: boolean) => (shell ? (['jobs:run', 'shell'] as const) : (['jobs:run'] as const))
  const join = async (attempt: string, context: CallContext, asShell: boolean, open: (client: HostClient) => Promise<Opened>) => {
    const require = (shell: boolean) => {
      for (const ability of abilities(shell)) grants.require({ device, ability })
    }
    require(asShell)
    const client = await host.client()
    const near = await open(client)
    const end = async () => void (await (await host.client()).endAttempt({ attempt, asker, reason: 'grant' }))
    const needsShell = near.asShell ?? asShell
    try {
      require(needsShell)
    } catch (error) {
      await end()
      throw error
    }
    const channel = context.openChannel()
    const tree = context.openChannel()
    pipeChannels(client.channel(near.channel), channel)
    pipeChannels(client.channel(near.tree), tree)
    for (const ability of abilities(needsShell)) {
      const watching = grants.watch({ device, ability }, () => void end().catch(() => undefined)) // the host is away: it ends with its lease
      channel.onDidClose(() => watching.dispose())
    }
    return { channel: channel.id, tree: tree.id }
  }
  return {
    // On the network of this machine it reaches what a shell here does, localhost included; without a sandbox it is a shell.
    startPlaced: (request, context) =>
      join(request.attempt, context, request.network || request.withoutSandbox, (client) =>
        client.startFor({ asker, request }, { signal: context.signal }),
      ),
    // The host knows how it was started: the link that asked for it may be another one.
    attachPlaced: ({ attempt, from }, context) =>
      join(attempt, context, false, (client) => client.attachFor({ asker, attempt, from }, { signal: context.signal })),
    endPlaced: async ({ attempt }, { signal }) => {
      await (await host.client()).endAttempt({ attempt, asker, reason: 'cancelled' }, { signal })
      return {}
    },
  }
}

export function peerPortsHandlers({ device, grants, host, portAccount }: Asking): Handlers<typeof peerPortsContract> {
  return {
    connectPort: async ({ attempt, port }, context) => {
      const question = { device, ability: 'ports:share', port, target: String(port) } as const
      grants.require(question)
      const client = await host.client()
      const near = client.channel((await client.connectFor({ asker: device, attempt, port }, { signal: context.signal })).channel)
      const channel = context.openChannel()
      pipeChannels(near, channel)
      const watching = grants.watch(question, () => channel.dispose())
      const counted = portAccount.connect(device, attempt, port)
      channel.onDidClose(() => {
        watching.dispose()
        counted.dispose()
      })
      return { channel: channel.id }
    },
  }
}

export function peerFilesHandlers({ device, grants, files }: Asking): Omit<Handlers<typeof peerFilesContract>, 'onDidChangeScreen'> {
  const after = async (ability: Ability, target?: string): Promise<FilesClient> => {
    grants.require({ device, ability, ...(target === undefined ? {} : { target }) })
    return files.client()
  }
  return {
    // Who is linked is one of the person's devices, and holds the keys: what crosses here is ciphertext and signed logs.
    linkFiles: async (_nothing, context) => {
      const client = await files.client()
      const { channel } = await client.linkFiles({ device }, { signal: context.signal })
      const far = context.openChannel()
      pipeChannels(client.channel(channel), far)
      return { channel: far.id }
    },
    homeFolder: async (input, options) => (await after('files:read')).homeFolder(input, options),
    listFolder: async (input, options) => (await after('files:read', input.path)).listFolder(input, options),
    readText: async (input, options) => (await after('files:read', input.path)).readText(input, options),
    readBytes: async (input, options) => (await after('files:read', input.path)).readBytes(input, options),
    readPiece: async (input, options) => (await after('files:read', input.path)).readPiece(input, options),
    writeText: async (input, options) => (await after('files:write', input.path)).writeText(input, options),
    writeBytes: async (input, options) => (await after('files:write', input.path)).writeBytes(input, options),
    makeFolder: async (input, options) => (await after('files:write', input.path)).makeFolder(input, options),
    renameEntry: async (input, options) => (await after('files:write', input.path)).renameEntry(input, options),
    trashEntry: async (input, options) => (await after('files:write', input.path)).trashEntry(input, options),
  }
}
