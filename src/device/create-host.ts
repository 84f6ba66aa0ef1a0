import { systemClock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import type { Logger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { AttemptHost } from '../jobs/attempt-host.ts'
import type { JobSpawner } from '../jobs/job-process.ts'
import { type MachineCondition, MachineFacts } from '../jobs/machine-facts.ts'
import type { PlacedPrograms, ProgramIdentifier } from '../jobs/program-identity.ts'
import type { PtySpawner } from '../jobs/pty.ts'
import type { ProcessReader } from '../jobs/process-table.ts'
import type { ProjectContext } from '../jobs/placement-contract.ts'
import type { PortSockets } from '../jobs/port-socket.ts'
import { type HostService, serveHost } from '../jobs/serve-host.ts'
import { shellCommand } from '../jobs/shell-integration.ts'
import { type SignalProcess, TaskTable } from '../jobs/task-table.ts'
import { TerminalHost } from '../jobs/terminal-host.ts'
import type { TreePlaces } from '../jobs/tree-folder.ts'
import { XtermScreen } from '../jobs/xterm-screen.ts'
import type { Transport } from '../rpc/channel.ts'

/** What the platform gives the host process. */
export interface HostParts {
  readonly spawner: PtySpawner
  readonly jobSpawner: JobSpawner
  readonly treePlaces: TreePlaces
  readonly programs: PlacedPrograms
  readonly portSockets: Pick<PortSockets, 'connect'>
  readonly isFolder: (path: string) => boolean
  /** What a folder says of the aliases typed in it. */
  readonly readProject: (folder: string) => Promise<ProjectContext>
  readonly identifier: ProgramIdentifier
  /** What starts the command line about this device with some words; undefined: there is none. */
  readonly commandLine: ((words: readonly string[]) => readonly string[]) | undefined
  /** Ends programs that left their terminal and says which would not; they are known by the mark they were started with. */
  readonly endStrays: (isOurs: (mark: string) => boolean) => Promise<readonly { readonly pid: number; readonly command: string }[]>
  readonly processes: ProcessReader
  readonly condition: MachineCondition
  readonly signal: SignalProcess
  /** Elsewhere's first process on this device, if that started us. */
  readonly supervisorPid: number | undefined
  readonly log: Logger
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly shell: string
  /** Where SHELL_INTEGRATION_FILES lie. */
  readonly shellFolder: string
}

/** The inside of a host process: every terminal and attempt of this device. */
export interface HostCore extends Disposable {
  serve(transport: Transport): Disposable
  /** Ends everything; resolves when no program is left. Safe to repeat. */
  endAll(): Promise<void>
}

/** Joins the parts of the host process. It outlives the device and files processes. */
export function createHost(parts: HostParts): HostCore {
  const { spawner, isFolder, endStrays, log, environment, home, shell, shellFolder } = parts
  const owned = new DisposableStore()
  const host = owned.add(
    new TerminalHost({
      spawner,
      newScreen: ({ columns, rows }) => new XtermScreen(columns, rows),
      clock: systemClock,
      random: systemRandom,
      logger: log,
      environment,
      home,
      shell: () => shellCommand(shell, shellFolder, environment.ZDOTDIR),
      isFolder,
    }),
  )
  const tasks = new TaskTable({
    reader: parts.processes,
    signal: parts.signal,
    clock: systemClock,
    supervisorPid: parts.supervisorPid,
    terminals: () => host.list().flatMap(({ pid, terminalId, exit }) => (exit ? [] : [{ pid, terminalId }])),
  })
  const facts = new MachineFacts({ reader: parts.processes, condition: parts.condition, clock: systemClock })
  const attempts = owned.add(
    new AttemptHost({
      spawner: parts.jobSpawner,
      places: parts.treePlaces,
      programs: parts.programs,
      sockets: parts.portSockets,
      signs: parts.condition.ownerSigns,
      terminals: host,
      noSandbox: () => parts.condition.noSandbox(),
      clock: systemClock,
      logger: log,
      environment,
      home,
    }),
  )
  owned.add(host.onDidType(({ terminalId }) => attempts.noteTyped(terminalId)))
  const endAll = async () => {
    await Promise.all([host.endAll(), attempts.endAll()])
    const left = await endStrays((mark) => host.hasStarted(mark) || attempts.hasStarted(mark))
    for (const { pid, command } of left) log.error('a program does not end; it is stuck in the kernel', { pid, command })
  }
  const service: HostService = {
    host,
    tasks,
    facts,
    attempts,
    readProject: parts.readProject,
    identifyProgram: async (program, folder) => {
      const { id } = await parts.identifier.identify(program, { folder, searchPath: environment.PATH ?? '' })
      return id
    },
    commandLine: parts.commandLine,
    stop: endAll,
    logger: log,
  }
  return {
    serve: (transport) => serveHost(service, transport),
    endAll,
    dispose: () => owned.dispose(),
  }
}
