import type { DeviceId } from '../../base/ids.ts'
import type { Ability, GrantCheck } from '../../identity/grant-check.ts'
import type { Handlers } from '../../rpc/contract.ts'
import { pipeChannels } from '../../rpc/pipe-channels.ts'
import type { DirectFiles } from '../files/direct-files.ts'
import { FILES_HIGH_BYTES } from '../files/file-links.ts'
import type { FilesClient, HostClient, ProcessConnection } from '../device-parts.ts'
import type { LocalTerminals } from '../desk/local-terminals.ts'
import type { PortAccount } from '../jobs/port-account.ts'
import type { peerContract, peerFilesContract, peerPortsContract, peerTerminalContract } from './peer-contract.ts'

/** What of this device a linked one may ask for. */
export interface PeerServices {
  readonly terminals: LocalTerminals
  readonly host: ProcessConnection<HostClient>
  readonly files: ProcessConnection<FilesClient>
  readonly direct: DirectFiles
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

export function peerFilesHandlers({
  device,
  grants,
  files,
  direct,
}: Asking): Omit<Handlers<typeof peerFilesContract>, 'onDidChangeScreen'> {
  const after = async (ability: Ability, target?: string): Promise<FilesClient> => {
    grants.require({ device, ability, ...(target === undefined ? {} : { target }) })
    return files.client()
  }
  return {
    // Who is linked is one of the person's devices, and holds the keys: what crosses here is ciphertext and signed logs.
    linkFiles: async (_nothing, context) => {
      const client = await files.client()
      const { channel } = await client.linkFiles({ device, ...direct.wayOf(device) }, { signal: context.signal })
      const far = context.openChannel()
      direct.watch(far)
      pipeChannels(client.channel(channel), far, FILES_HIGH_BYTES)
      return { channel: far.id }
    },
    homeFolder: async (input, options) => (await after('files:read')).homeFolder(input, options),
    listFolder: async (input, options) => (await after('files:read', input.path)).listFolder(input, options),
    searchFolder: async (input, options) => (await after('files:read', input.path)).searchFolder(input, options),
    listFolderPage: async (input, options) => (await after('files:read', input.path)).listFolderPage(input, options),
    readText: async (input, options) => (await after('files:read', input.path)).readText(input, options),
    readBytes: async (input, options) => (await after('files:read', input.path)).readBytes(input, options),
    readPiece: async (input, options) => (await after('files:read', input.path)).readPiece(input, options),
    writeText: async (input, options) => (await after('files:write', input.path)).writeText(input, options),
    writeBytes: async (input, options) => (await after('files:write', input.path)).writeBytes(input, options),
    beginWrite: async (input, options) => (await after('files:write', input.path)).beginWrite(input, options),
    appendWrite: async (input, options) => (await after('files:write', input.path)).appendWrite(input, options),
    commitWrite: async (input, options) => (await after('files:write', input.path)).commitWrite(input, options),
    abandonWrite: async (input, options) => (await after('files:write', input.path)).abandonWrite(input, options),
    makeFolder: async (input, options) => (await after('files:write', input.path)).makeFolder(input, options),
    renameEntry: async (input, options) => (await after('files:write', input.path)).renameEntry(input, options),
    trashEntry: async (input, options) => (await after('files:write', input.path)).trashEntry(input, options),
  }
}
