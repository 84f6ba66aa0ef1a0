import os from 'node:os'
import path from 'node:path'
import { DisposableStore } from '../../base/disposable.ts'
import type { Logger } from '../../base/logger.ts'
import { createHost } from '../../device/create-host.ts'
import { sendSignal } from '../../platform/node/end-processes.ts'
import { ContainerEngines } from '../../platform/node/container-engines.ts'
import { endStrays } from '../../platform/node/end-strays.ts'
import { listenUnixSocket } from '../../platform/node/listen-unix-socket.ts'
import { SystemCondition } from '../../platform/node/machine-condition.ts'
import { SystemProcessReader } from '../../platform/node/proc-process-reader.ts'
import { removeLeftGroups } from '../../platform/node/job-limits.ts'
import { NodeJobSpawner } from '../../platform/node/node-job-spawner.ts'
import { NodePlacedPrograms } from '../../platform/node/node-placed-programs.ts'
import { NodeProgramIdentifier } from '../../platform/node/node-program-identifier.ts'
import { NodePortSockets } from '../../platform/node/node-port-sockets.ts'
import { NodeTreePlaces } from '../../platform/node/node-tree-places.ts'
import { isFolder, LydellPtySpawner } from '../../platform/node/pty-lydell.ts'
import { readProject } from '../../platform/node/read-project.ts'
import { writeShellFiles } from '../../platform/node/shell-files.ts'

export interface HostOptions {
  readonly socketPath: string
  /** Where the shell integration's files go: a folder of the data folder. */
  readonly shellFolder: string
  /** Where copies of folders go, of jobs that run here for other devices. */
  readonly jobsFolder: string
  /** Starts the command line in terminals, about this device. */
  readonly commandLine?: { readonly data: string; readonly cli: readonly string[] }
  readonly log: Logger
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Elsewhere's first process on this device, if that started us: Tasks shows what it started. */
  readonly supervisorPid?: number | undefined
}

const commandLineOf = ({ commandLine }: HostOptions) =>
  commandLine && (([command = '', ...words]: readonly string[]) => [...commandLine.cli, command, '--data', commandLine.data, ...words])

/** The host process: every pty and every attempt of this device, served on its socket. `stop` leaves no program behind. */
export async function startHost(options: HostOptions): Promise<{ stop(): Promise<void> }> {
  const { socketPath, shellFolder, jobsFolder, log, environment, supervisorPid } = options
  const owned = new DisposableStore()
  removeLeftGroups(Date.now())
  writeShellFiles(shellFolder, options.commandLine)
  const home = path.resolve(environment.HOME ?? os.homedir())
  const engines = new ContainerEngines(path.join(jobsFolder, 'engines'))
  const jobSpawner = owned.add(new NodeJobSpawner(engines))
  const host = owned.add(
    createHost({
      spawner: new LydellPtySpawner(),
      isFolder,
      readProject,
      identifier: new NodeProgramIdentifier(),
      commandLine: commandLineOf(options),
      jobSpawner,
      portSockets: new NodePortSockets(),
      treePlaces: new NodeTreePlaces(jobsFolder, home),
      programs: new NodePlacedPrograms(),
      endStrays,
      processes: new SystemProcessReader(),
      condition: new SystemCondition(environment, engines),
      signal: sendSignal,
      supervisorPid,
      log,
      environment,
      home,
      shell: environment.SHELL || os.userInfo().shell || '/bin/sh',
      shellFolder,
    }),
  )
  owned.add(await listenUnixSocket(socketPath, (transport) => host.serve(transport)))
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= host
      .endAll()
      .finally(() => jobSpawner.end())
      .finally(() => owned.dispose())
    return stopping
  }
  return { stop }
}
