import type { Disposable } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Transport } from '../rpc/channel.ts'
import { serve } from '../rpc/serve.ts'
import { factsContract } from './device-facts-contract.ts'
import { hostContract } from './host-contract.ts'
import type { MachineFacts } from './machine-facts.ts'
import type { TaskTable } from './task-table.ts'
import { tasksContract } from './terminal-contract.ts'
import type { TerminalHost } from './terminal-host.ts'

/** All that is served on host.sock. The host does not know its device: calls of tasksContract come back with the one they named. */
export const hostProcessContract = { ...hostContract, ...tasksContract, ...factsContract }

export interface HostService {
  readonly host: TerminalHost
  readonly tasks: TaskTable
  readonly facts: MachineFacts
  /** Ends everything; resolves when no program is left. */
  stop(): Promise<void>
  readonly logger: Logger
}

/** Serves one connection to the host. Whoever reached the 0600 socket is this account, so everything is allowed. */
export function serveHost(parts: HostService, transport: Transport): Disposable {
  const { host, tasks, facts, stop, logger } = parts
  return serve(
    hostProcessContract,
    {
      listProcesses: ({ device }, { signal }) => tasks.list(device, signal),
      endProcess({ pid, force }) {
        tasks.end(pid, force)
        return {}
      },
      readFacts: ({ device, tools }, { signal }) => facts.read(device, tools, signal),
      measureFolder: ({ folder }, { signal }) => facts.measureFolder(folder, signal),
      spawn: (request) => host.spawn(request),
      attach({ terminalId, columns, rows }, { openChannel }) {
        host.find(terminalId) // before a channel is opened for nothing
        const channel = openChannel()
        return { channel: channel.id, terminal: host.attach(terminalId, channel, { columns, rows }) }
      },
      list: () => host.list(),
      async end({ terminalId }) {
        await host.end(terminalId)
        return {}
      },
      screen: async ({ terminalId }) => ({ screen: await host.screen(terminalId) }),
      async stop() {
        await stop()
        return {}
      },
      onDidChangeTerminal: host.onDidChangeTerminal,
      onDidChangeScreen: host.onDidChangeScreen,
    },
    transport,
    { allow: () => true, onBug: (error, name) => logger.error(`${name} failed`, { error: errorMessage(error) }) },
  )
}
