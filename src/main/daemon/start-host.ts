import os from 'node:os'
import path from 'node:path'
import { DisposableStore } from '../../base/disposable.ts'
import type { Logger } from '../../base/logger.ts'
import { createHost } from '../../device/create-host.ts'
import { endStrays } from '../../platform/node/end-strays.ts'
import { listenUnixSocket } from '../../platform/node/listen-unix-socket.ts'
import { isFolder, LydellPtySpawner } from '../../platform/node/pty-lydell.ts'
import { writeShellFiles } from '../../platform/node/shell-files.ts'

export interface HostOptions {
  readonly socketPath: string
  /** Where the shell integration's files go: a folder of the data folder. */
  readonly shellFolder: string
  readonly log: Logger
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The host process: every pty of this device, served on its socket. `stop` leaves no program behind. */
export async function startHost({ socketPath, shellFolder, log, environment }: HostOptions): Promise<{ stop(): Promise<void> }> {
  const owned = new DisposableStore()
  writeShellFiles(shellFolder)
  const host = owned.add(
    createHost({
      spawner: new LydellPtySpawner(),
      isFolder,
      endStrays,
      log,
      environment,
      home: path.resolve(environment.HOME ?? os.homedir()),
      shell: environment.SHELL || os.userInfo().shell || '/bin/sh',
      shellFolder,
    }),
  )
  owned.add(await listenUnixSocket(socketPath, (transport) => host.serve(transport)))
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= host.endAll().finally(() => owned.dispose())
    return stopping
  }
  return { stop }
}
