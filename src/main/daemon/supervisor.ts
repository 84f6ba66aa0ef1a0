import { parseArgs } from 'node:util'
import { systemClock } from '../../base/clock.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import { controlContract } from '../../device/control-contract.ts'
import { hostContract } from '../../jobs/host-contract.ts'
import { listenUnixSocket } from '../../platform/node/listen-unix-socket.ts'
import { connectUnixSocket } from '../../platform/node/unix-socket-transport.ts'
import { createClient } from '../../rpc/client.ts'
import type { Handlers } from '../../rpc/contract.ts'
import { serve } from '../../rpc/serve.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { DisplayLauncher } from './display-launcher.ts'
import { LineLogger, parseDebug } from './line-logger.ts'
import { LogFile } from './log-file.ts'
import { MUCH_IN_BUFFERS } from './much-in-buffers.ts'
import { daemonEntry } from './project-root.ts'
import { StartError } from './start-error.ts'
import { SupervisedProcess } from './supervised-process.ts'
import { supervisorContract } from './supervisor-contract.ts'

/** Programs that sit in a terminal's foreground when it is idle. */
const SHELLS = new Set(['sh', 'bash', 'dash', 'zsh', 'fish', 'ksh', 'mksh', 'ash', 'nu', 'pwsh', 'tcsh', 'csh', 'login'])

/**
 * Starts, watches and ends the three processes of a device, and opens and ends its windows. Does nothing that can block
 * or fail on its own: it must outlive everything it looks after. Order: host before device, so that terminals are there;
 * at the end device first, so that what it keeps is flushed while the others still answer.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { data: { type: 'string' }, port: { type: 'string' } } })
  const data = openDataFolder(values.data ?? '.')
  await requireAlone(data)
  const logFile = new LogFile(data.logs)
  const log = new LineLogger('supervisor', parseDebug(process.env.DEBUG), (line) => logFile.write(line))
  const launcher = new DisplayLauncher(data, systemClock, log)
  const processOf = (name: string, entry: string, args: readonly string[] = []) =>
    new SupervisedProcess({
      name,
      file: daemonEntry(entry),
      args: ['--data', data.path, ...args],
      nodeArgs: name === 'files' ? MUCH_IN_BUFFERS : [],
      clock: systemClock,
      log,
      // What waits for a mount waits inside the kernel: only the end of the files process lets it go.
      isWatched: name === 'files',
      writeLog: (text) => logFile.write(text),
    })
  const processes = [
    processOf('host', 'host-main'),
    processOf('files', 'files-main'),
    processOf('device', 'device-main', values.port === undefined ? [] : ['--port', values.port]),
  ]

  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= stopAll())
  const stopAll = async () => {
    log.info('ending everything')
    await launcher.dispose()
    for (const child of [...processes].reverse()) await child.stop()
    log.info('ended')
    logFile.dispose()
  }
  const exit = (code: number) => {
    socket?.dispose()
    process.exit(code)
  }
  const stopAndExit = () => void stop().then(() => exit(0))
  process.on('SIGTERM', stopAndExit)
  process.on('SIGINT', () => {}) // Ctrl-C belongs to whoever started us; it asks first
  process.on('SIGHUP', () => {})
  process.on('disconnect', () => {}) // whoever started us may go; the device stays
  process.on('uncaughtException', (error) => log.error('a bug in the supervisor', { error }))

  let socket: { dispose(): void } | undefined
  const handlers: Handlers<typeof supervisorContract> = {
    status: async () => ({ pid: process.pid, processes: processes.map((child) => child.status), programs: await foregroundPrograms(data) }),
    openDisplay: ({ host, environment }) => launcher.open(host, environment, () => oneTimeUrl(data)),
    stop: async () => {
      await stop()
      setTimeout(() => exit(0), 50) // the answer goes out first
      return {}
    },
  }
  try {
    socket = await listenUnixSocket(data.supervisorSocket, (transport) => {
      serve(supervisorContract, handlers, transport, { allow: () => true, onBug: (error, name) => log.error('bug', { name, error }) })
    })
    for (const child of processes) await child.start()
  } catch (error) {
    await stop()
    throw error
  }
  log.info('everything runs', { data: data.path })
  process.send?.({ kind: 'ready', details: processes.at(-1)?.details ?? {} })
}

/** @throws StartError `start/already-running` */
async function requireAlone(data: DataFolder): Promise<void> {
  const other = await connectUnixSocket(data.supervisorSocket).catch(() => undefined)
  if (!other) return
  other.dispose()
  throw new StartError(
    'start/already-running',
    `A device already runs on ${data.path}. "elsewhere start --data ${data.path}" opens another display of it.`,
  )
}

async function oneTimeUrl(data: DataFolder): Promise<string> {
  const device = createClient(controlContract, await connectUnixSocket(data.deviceSocket))
  try {
    return (await device.openEntrance({})).url
  } finally {
    device.dispose()
  }
}

/** Never fails: a host that does not answer has no programs we could name. */
async function foregroundPrograms(data: DataFolder): Promise<string[]> {
  try {
    const host = createClient(hostContract, await connectUnixSocket(data.hostSocket))
    try {
      const terminals = await host.list({})
      return terminals
        .filter(({ exit, foreground }) => !exit && !SHELLS.has(foreground.replace(/^-/, '')))
        .map(({ foreground }) => foreground)
    } finally {
      host.dispose()
    }
  } catch {
    return []
  }
}

main().catch((error) => {
  if (process.send) process.send({ kind: 'failed', code: errorCode(error), message: errorMessage(error) })
  else process.stderr.write(`${errorMessage(error)}\n`)
  setImmediate(() => process.exit(1))
})
