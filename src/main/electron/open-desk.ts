import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { sleep, systemClock } from '../../base/clock.ts'
import { controlContract } from '../../device/control-contract.ts'
import { connectUnixSocket } from '../../platform/node/unix-socket-transport.ts'
import { createClient } from '../../rpc/client.ts'
import { dataFolderAt, defaultDataFolder } from '../daemon/data-folder.ts'
import type { OpenDesk } from './shell-window.ts'

/** How long a device may take from its start until it answers. */
const START_PATIENCE_MS = 15_000
const RETRY_MS = 200

export interface OpenDeskOptions {
  readonly dataFolder: string
  /** A 0600 page that leads to a one-time URL, when whoever started this window made one. Used once. */
  readonly entranceFile: string | undefined
  /** Node 24 and the supervisor, when this application brings them; else a device must be running. */
  readonly supervisor: { readonly node: string; readonly entry: string } | undefined
}

/** The one-time URL inside an entrance page. @throws Error  it is no such page */
export function urlOfEntrance(html: string): string {
  const [, url] = /http-equiv="refresh" content="0;url=(http:\/\/[a-z0-9.-]+:\d+\/[^"]*)"/.exec(html) ?? []
  if (url === undefined) throw new Error('the page that should lead to the desk is not one')
  return url
}

/** Reads `--entrance-file=` and `--data=`; everything else on the command line is Electron's. */
export function readArguments(args: readonly string[], env: NodeJS.ProcessEnv): { dataFolder: string; entranceFile: string | undefined } {
  const value = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)
  const entranceFile = value('entrance-file')
  // An entrance lies in the data folder of the device that made it.
  return { dataFolder: value('data') ?? (entranceFile ? path.dirname(entranceFile) : defaultDataFolder(env)), entranceFile }
}

/** What a second start hands to the first: its entrance, if it brought one. */
export function entranceOf(data: unknown): string | undefined {
  const file = data !== null && typeof data === 'object' && 'entranceFile' in data ? data.entranceFile : undefined
  return typeof file === 'string' && file.length <= 4096 ? file : undefined
}

/** Asks the running device, over its 0600 socket, for an address that opens one display, once. */
async function askDevice(dataFolder: string): Promise<string> {
  const client = createClient(controlContract, await connectUnixSocket(dataFolderAt(dataFolder).deviceSocket))
  try {
    return (await client.openEntrance({})).url
  } finally {
    client.dispose()
  }
}

export function createOpenDesk(options: OpenDeskOptions): OpenDesk {
  let entranceFile = options.entranceFile
  let startedByUs = false
  return async (signal) => {
    if (entranceFile !== undefined) {
      const file = entranceFile
      entranceFile = undefined // one-time: the next desk asks the device
      return urlOfEntrance(readFileSync(file, 'utf8'))
    }
    const deadlineMs = systemClock.monotonicMs() + START_PATIENCE_MS
    for (;;) {
      try {
        return await askDevice(options.dataFolder)
      } catch (error) {
        if (options.supervisor === undefined || systemClock.monotonicMs() > deadlineMs) throw error
        if (!startedByUs) {
          startedByUs = true
          const { node, entry } = options.supervisor
          spawn(node, [entry, '--data', options.dataFolder], { detached: true, stdio: 'ignore' }).unref()
        }
        await sleep(systemClock, RETRY_MS, signal)
      }
    }
  }
}
