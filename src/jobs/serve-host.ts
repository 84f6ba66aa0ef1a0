import type { Disposable } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Transport } from '../rpc/channel.ts'
import { serve } from '../rpc/serve.ts'
import { attemptsContract } from './attempt-contract.ts'
import type { AttemptHost } from './attempt-host.ts'
import { factsContract } from './device-facts-contract.ts'
import { hostContract } from './host-contract.ts'
import { JobError } from './job-error.ts'
import type { MachineFacts } from './machine-facts.ts'
import type { ProjectContext } from './placement-contract.ts'
import type { TaskTable } from './task-table.ts'
import { tasksContract } from './terminal-contract.ts'
import type { TerminalHost } from './terminal-host.ts'

/** All that is served on host.sock. The host does not know its device: calls of tasksContract come back with the one they named. */
export const hostProcessContract = { ...hostContract, ...tasksContract, ...factsContract, ...attemptsContract }

export interface HostService {
  readonly host: TerminalHost
  readonly tasks: TaskTable
  readonly facts: MachineFacts
  readonly attempts: AttemptHost
  readProject(folder: string): Promise<ProjectContext>
  identifyProgram(program: string, folder: string): Promise<string>
  /** What starts the command line about this device with some words; undefined: this host has none. */
  readonly commandLine: ((words: readonly string[]) => readonly string[]) | undefined
  /** Ends everything; resolves when no program is left. */
  stop(): Promise<void>
  readonly logger: Logger
}

/** Serves one connection to the host. Whoever reached the 0600 socket is this account, so everything is allowed. */
export function serveHost(parts: HostService, transport: Transport): Disposable {
  const { host, tasks, facts, attempts, readProject, identifyProgram, commandLine, stop, logger } = parts
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
      readProject: ({ folder }) => readProject(folder),
      identifyProgram: async ({ program, folder }) => ({ id: await identifyProgram(program, folder) }),
      spawnCommandLine({ words, tab, columns, rows }) {
        if (!commandLine) throw new JobError('terminal/spawn-failed', 'this device has no command line to run in a terminal')
        return host.spawn({ command: [...commandLine(words)], tab, columns, rows })
      },
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
      startHere(request, { openChannel }) {
        const channel = openChannel()
        attempts.startHere(request, channel)
        return { channel: channel.id }
      },
      attachHere({ attempt, from }, { openChannel }) {
        attempts.require(undefined, attempt)
        const channel = openChannel()
        attempts.attach(undefined, attempt, from, channel, undefined)
        return { channel: channel.id }
      },
      async startFor({ asker, request, ...given }, { openChannel }) {
        const [channel, tree] = [openChannel(), openChannel()]
        await attempts.startFor(asker, request, channel, tree, given)
        return { channel: channel.id, tree: tree.id }
      },
      attachFor({ asker, attempt, from }, { openChannel }) {
        attempts.require(asker, attempt)
        const [channel, tree] = [openChannel(), openChannel()]
        attempts.attach(asker, attempt, from, channel, tree)
        const rights = attempts.rightsOf(asker, attempt)
        return { channel: channel.id, tree: tree.id, asShell: attempts.isAsShell(asker, attempt), ...(rights && { rights }) }
      },
      async connectFor({ asker, attempt, port }, { openChannel }) {
        return { channel: (await attempts.connect(asker, attempt, port, openChannel)).id }
      },
      openShell: ({ asker, attempt, columns, rows }) => attempts.openShell(asker, attempt, { columns, rows }),
      async endAttempt({ attempt, asker, grant, reason }) {
        if (grant === undefined) await attempts.end(attempt, asker, reason)
        else await attempts.loseRight(attempt, asker, grant)
        return {}
      },
      tellDisplayOpen({ isOpen }) {
        attempts.setDisplayOpen(isOpen)
        return {}
      },
      touchOwner() {
        attempts.touchOwner()
        return {}
      },
      jobHome: () => ({ home: attempts.home }),
      listAttempts: () => attempts.list(),
      listForOthers: () => attempts.listForOthers(),
      async endForOthers({ attempt }) {
        await attempts.stopForOthers(attempt)
        return {}
      },
      onDidChangeForOthers: attempts.onDidChangeForOthers,
      async offerTree({ attempt, folder, from }, { openChannel }) {
        const channel = openChannel()
        await attempts.offerTree(attempt, folder, from, channel)
        return { channel: channel.id }
      },
      onDidChangeTree: attempts.onDidChangeTree,
      onDidChangeTerminal: host.onDidChangeTerminal,
      onDidChangeScreen: host.onDidChangeScreen,
    },
    transport,
    { allow: () => true, onBug: (error, name) => logger.error(`${name} failed`, { error: errorMessage(error) }) },
  )
}
