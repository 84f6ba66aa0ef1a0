import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { errorCode, errorMessage } from '../../base/errors.ts'
import { type DataFolder, defaultDataFolder, openDataFolder } from '../daemon/data-folder.ts'
import type { ProcessReport } from '../daemon/process-life.ts'
import { daemonEntry } from '../daemon/project-root.ts'
import { StartError } from '../daemon/start-error.ts'
import { ProcessFailure } from '../daemon/supervised-process.ts'
import { type DisplayHost, displayHost } from '../daemon/supervisor-contract.ts'
import { askYesNo } from './console-prompt.ts'
import { EndRequests } from './end-requests.ts'
import { endSupervisor } from './end-supervisor.ts'
import { connectSupervisor, type SupervisorClient } from './local-client.ts'
import { offerElectron } from './offer-electron.ts'

export const START_HELP = `Starts this machine's device and opens the desktop.

  --host electron|browser|none   what shows the desktop (default: Electron if its binary is there, else an app window of
                                 an installed Chromium, Chrome, Edge or Brave, else a one-time URL is printed)
  --data DIR                     where this device keeps everything (default: ${defaultDataFolder()})
  --port N                       port on 127.0.0.1 (default: the one of last time, else any free one)
  --no-download                  never ask whether to fetch Electron's binary
  --detach                       start it, open the desktop and return; "elsewhere stop" ends it
  --help                         this text

When it runs already, another display of it is opened. Closing the window leaves the device up; Ctrl-C ends everything.
DEBUG=sync,files writes more of those folders to DIR/logs/elsewhere.log.`

/** Exit code of what Ctrl-C ended before anything was started. */
const INTERRUPTED = 130

/** What of the caller's session a window needs. */
const SESSION_VARIABLES = [
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'XDG_SESSION_TYPE',
  'DBUS_SESSION_BUS_ADDRESS',
  'LANG',
  'ELSEWHERE_BROWSER',
  'ELECTRON_OVERRIDE_DIST_PATH',
]

/** `elsewhere start`. Resolves with the exit code when everything has ended, or at once with --detach and for a second display. */
export async function startCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      host: { type: 'string', default: 'auto' },
      data: { type: 'string' },
      port: { type: 'string' },
      'no-download': { type: 'boolean', default: false },
      detach: { type: 'boolean', default: false },
    },
  })
  const host = displayHost.safeParse(values.host)
  if (!host.success) throw new TypeError(`--host is electron, browser or none, not "${values.host}"`)
  if (values.port !== undefined && !/^\d{1,5}$/.test(values.port))
    throw new TypeError(`--port is a number up to 65535, not "${values.port}"`)
  requireNode()
  const data = openDataFolder(values.data ?? defaultDataFolder())
  if (!values['no-download'] && !(await offerElectron(data, host.data))) return INTERRUPTED

  const running = await connectSupervisor(data).catch(() => undefined)
  if (running) {
    console.log('This device runs already; opening another display of it.')
    await openDisplay(running, host.data)
    running.dispose()
    return 0
  }
  const endRequests = new EndRequests()
  const origin = await startSupervisor(data, values.port, endRequests)
  if (origin === undefined) return 0
  console.log(`Elsewhere runs at ${origin} (data in ${data.path}).`)
  const supervisor = await connectSupervisor(data)
  try {
    await openDisplay(supervisor, host.data)
  } catch (error) {
    // The device is up: it must not be left behind without a word, nor ended for want of a window.
    console.error(`The desktop could not be opened: ${errorMessage(error)} [${errorCode(error)}]. "elsewhere start" opens it later.`)
  }
  if (values.detach) {
    endRequests.dispose()
    supervisor.dispose()
    return 0
  }
  console.log('Closing the window leaves it up; Ctrl-C ends it.')
  return waitForEnd(supervisor, endRequests)
}

/** @throws StartError `start/wrong-node` */
function requireNode(): void {
  if (Number(process.versions.node.split('.')[0]) >= 24) return
  throw new StartError(
    'start/wrong-node',
    `This needs Node 24, and this is Node ${process.versions.node}. "npm ci" brings Node 24 along; start with "npm start" or bin/elsewhere.mjs, which use it.`,
  )
}

/**
 * Starts the supervisor in a session of its own, so that Ctrl-C here does not reach it. Resolves with the device's origin
 * when it is ready, or with nothing when it was asked to end before: then no process of it is left.
 */
function startSupervisor(data: DataFolder, port: string | undefined, endRequests: EndRequests): Promise<string | undefined> {
  const log = openSync(path.join(data.logs, 'start.log'), 'a', 0o600)
  const args = ['--no-warnings', daemonEntry('supervisor'), '--data', data.path, ...(port === undefined ? [] : ['--port', port])]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log, 'ipc'] })
  closeSync(log)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    let ended = false
    endRequests.listen(() => {
      ended = true
      child.kill('SIGTERM')
    })
    child.once('exit', (code, signal) => {
      if (ended) return resolve(undefined)
      const why = signal ?? `code ${code}`
      reject(new StartError('start/process-failed', `The supervisor ended before the device was ready (${why}); ${data.logs} says why.`))
    })
    child.on('message', (message: ProcessReport) => {
      if (ended || message.kind === 'alive') return
      if (message.kind === 'failed') return reject(new ProcessFailure(message.code, message.message))
      endRequests.hold()
      child.removeAllListeners()
      child.disconnect()
      child.unref()
      resolve(String(message.details?.origin ?? ''))
    })
  })
}

async function openDisplay(supervisor: SupervisorClient, host: DisplayHost): Promise<void> {
  const environment: Record<string, string> = {}
  for (const name of SESSION_VARIABLES) {
    const value = process.env[name]
    if (value) environment[name] = value
  }
  const opened = await supervisor.openDisplay({ host, environment })
  if (opened.kind === 'electron') return console.log('The desktop opens in Electron.')
  if (opened.kind === 'browser')
    return console.log(`The desktop opens in an app window of ${path.basename(opened.program ?? 'a browser')}.`)
  if (opened.reason) console.log(`No window was opened: ${opened.reason}.`)
  console.log(`Open this in a browser on this machine (works once, for two minutes):\n  ${opened.url}`)
}

/** Stays until everything has ended: by Ctrl-C, a signal, or "elsewhere stop" in another terminal. */
function waitForEnd(supervisor: SupervisorClient, endRequests: EndRequests): Promise<number> {
  return new Promise((resolve) => {
    let asking = false
    let ending = false
    const end = async () => {
      if (ending) return
      ending = true
      console.log('Ending…')
      await endSupervisor(supervisor).catch((error) => console.error(`It did not end: ${errorMessage(error)} [${errorCode(error)}]`))
      resolve(0)
    }
    supervisor.onDidClose(() => {
      if (ending) return
      console.log('The device was ended elsewhere.')
      resolve(0)
    })
    endRequests.listen((signal) => {
      if (signal !== 'SIGINT' || asking) return void end() // Ctrl-C again means yes
      asking = true
      void mayEnd(supervisor).then((yes) => {
        asking = false
        if (yes) void end()
      })
    })
  })
}

/** Asks once when programs still run in terminals. Without a terminal to ask on, the answer is yes. */
async function mayEnd(supervisor: SupervisorClient): Promise<boolean> {
  const { programs } = await supervisor.status({}).catch(() => ({ programs: [] as string[] }))
  if (programs.length === 0 || !process.stdin.isTTY) return true
  const names = [...new Set(programs)].slice(0, 5).join(', ')
  const one = `A program still runs in a terminal (${names}). End it?`
  const answer = await askYesNo(
    `\n${programs.length === 1 ? one : `${programs.length} programs still run in terminals (${names}). End them?`}`,
  )
  return answer !== false
}
