import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { LabMachine } from '../../src/testkit/netlab.ts'
import { scratchFolder } from '../scratch-folder.ts'
import { endProcess } from './xvfb.ts'

const PROGRAM = '/usr/bin/syncthing'
const PORT = 22000
const KEY = 'only-on-a-socket-of-this-bench'
const FOLDER = 'f'
const READY_MS = 60_000
const CALL_MS = 30_000

/** Nothing is looked for outside the lab, nothing is reported, and it may use the processor as any other program does. */
const OPTIONS: Readonly<Record<string, string>> = {
  globalAnnounceEnabled: 'false',
  localAnnounceEnabled: 'false',
  relaysEnabled: 'false',
  natEnabled: 'false',
  urAccepted: '-1',
  crashReportingEnabled: 'false',
  startBrowser: 'false',
  autoUpgradeIntervalH: '0',
  reconnectionIntervalS: '1',
  setLowPriority: 'false',
}

const status = z.object({ state: z.string(), localFiles: z.number(), needFiles: z.number() })
const connections = z.object({ connections: z.record(z.string(), z.object({ connected: z.boolean() })) })

type Side = 'a' | 'b'

interface Instance {
  readonly machine: LabMachine
  readonly home: string
  readonly socket: string
  readonly id: string
  readonly child: ChildProcess
}

/**
 * Two syncthing on two machines of a lab, that know each other's address and nothing else, with one folder of each in common. Owns processes and
 * their homes; not the folders. All else is as it comes.
 */
export class SyncthingPair {
  readonly #folder: string
  readonly #instances = new Map<Side, Instance>()

  private constructor(folder: string) {
    this.#folder = folder
  }

  static whyNot(): string | undefined {
    return existsSync(PROGRAM) ? undefined : 'syncthing is not installed (apt-get install syncthing)'
  }

  /** What it was started with, for the report. */
  static get commandLine(): string {
    const [line = ''] = execFileSync(PROGRAM, ['--version'], { encoding: 'utf8' }).split('\n')
    const changed = Object.entries(OPTIONS).map(([name, value]) => `${name}=${value}`)
    return `syncthing serve --no-browser --no-restart --no-upgrade (${line.split(' ')[1]}; ${changed.join(' ')}; else its defaults)`
  }

  /** @throws Error  they did not find each other */
  static async start(a: LabMachine, b: LabMachine): Promise<SyncthingPair> {
    const pair = new SyncthingPair(scratchFolder('ew-st-'))
    try {
      await pair.#begin('a', a)
      await pair.#begin('b', b)
      for (const [side, other] of [
        ['a', 'b'],
        ['b', 'a'],
      ] as const) {
        const { id, machine } = pair.#at(other)
        await pair.#call(side, 'POST', '/rest/config/devices', {
          deviceID: id,
          name: other,
          addresses: [`tcp://${machine.address}:${PORT}`],
        })
      }
      await pair.#until('are connected', async () => {
        const answer = connections.parse(await pair.#call('a', 'GET', '/rest/system/connections'))
        return answer.connections[pair.#at('b').id]?.connected === true
      })
      return pair
    } catch (error) {
      await pair.dispose()
      throw error
    }
  }

  /** One folder on each side; those in `paused` do nothing before they are told to. */
  async share(at: Readonly<Record<Side, string>>, { paused = [] }: { paused?: readonly Side[] } = {}) {
    const devices = [...this.#instances.values()].map(({ id }) => ({ deviceID: id }))
    for (const side of ['a', 'b'] as const) {
      await mkdir(at[side], { recursive: true })
      const folder = { id: FOLDER, label: FOLDER, path: at[side], type: 'sendreceive', devices, paused: paused.includes(side) }
      await this.#call(side, 'PUT', `/rest/config/folders/${FOLDER}`, folder)
    }
  }

  /** How long a change rests before it is sent. */
  async setWatch(seconds: number): Promise<void> {
    for (const side of ['a', 'b'] as const) await this.#call(side, 'PATCH', `/rest/config/folders/${FOLDER}`, { fsWatcherDelayS: seconds })
  }

  /** Stops and starts what a side does with its folder. */
  async setPaused(side: Side, paused: boolean): Promise<void> {
    await this.#call(side, 'PATCH', `/rest/config/folders/${FOLDER}`, { paused })
  }

  /** Returns when the side has looked through its folder. */
  async scan(side: Side): Promise<void> {
    await this.#call(side, 'POST', `/rest/db/scan?folder=${FOLDER}`, undefined, 600_000)
  }

  /** Resolves when a side is at rest, needs nothing and knows at least so many files. */
  async rested(side: Side, files: number, patienceMs?: number): Promise<void> {
    const isSo = async () => {
      const { state, localFiles, needFiles } = status.parse(await this.#call(side, 'GET', `/rest/db/status?folder=${FOLDER}`))
      return state === 'idle' && needFiles === 0 && localFiles >= files
    }
    await this.#until(`of ${side} rests with ${files} files`, isSo, patienceMs)
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#instances.values()].map(({ child }) => endProcess(child, 15_000)))
    await rm(this.#folder, { recursive: true, force: true })
  }

  #at(side: Side): Instance {
    const instance = this.#instances.get(side)
    if (!instance) throw new RangeError(`syncthing does not run on ${side}`)
    return instance
  }

  async #begin(side: Side, machine: LabMachine): Promise<void> {
    const home = path.join(this.#folder, side)
    const socket = path.join(this.#folder, `${side}.sock`)
    execFileSync(PROGRAM, ['generate', `--home=${home}`, '--no-default-folder'], { stdio: 'ignore' })
    const config = path.join(home, 'config.xml')
    let text = await readFile(config, 'utf8')
    const elements = { ...OPTIONS, listenAddress: `tcp://${machine.address}:${PORT}` }
    for (const [name, value] of Object.entries(elements)) {
      const element = new RegExp(`(<${name}>)[^<]*(</${name}>)`)
      if (!element.test(text)) throw new Error(`this syncthing has no option ${name}`)
      text = text.replace(element, `$1${value}$2`)
    }
    text = text.replace(/(<gui[^>]*>\s*<address>)[^<]*/, `$1${socket}`).replace(/(<apikey>)[^<]*/, `$1${KEY}`)
    await writeFile(config, text)
    const words = ['serve', `--home=${home}`, '--no-browser', '--no-restart', '--no-upgrade', `--logfile=${path.join(home, 'log')}`]
    const id = execFileSync(PROGRAM, ['serve', `--home=${home}`, '--device-id'], { encoding: 'utf8' }).trim()
    const child = machine.spawn(PROGRAM, words, { stdio: 'ignore', env: { ...process.env, HOME: home } })
    this.#instances.set(side, { machine, home, socket, id, child })
    await this.#until(`on ${side} answers`, async () => (await this.#call(side, 'GET', '/rest/system/ping')) !== undefined)
  }

  async #until(what: string, look: () => Promise<boolean>, patienceMs = READY_MS): Promise<void> {
    const giveUpMs = performance.now() + patienceMs
    while (!(await look().catch(() => false))) {
      const ended = [...this.#instances.entries()].find(([, { child }]) => child.exitCode !== null || child.signalCode !== null)
      if (ended)
        throw new Error(`syncthing ended: ${(await readFile(path.join(ended[1].home, 'log'), 'utf8').catch(() => '')).slice(-600)}`)
      if (performance.now() > giveUpMs) throw new Error(`syncthing ${what}: not so after ${patienceMs} ms`)
      await delay(50)
    }
  }

  /** Its own interface, on a socket of the file system: a namespace's loopback is not ours. */
  #call(side: Side, method: string, at: string, body?: object, timeoutMs = CALL_MS): Promise<unknown> {
    const { socket } = this.#at(side)
    const headers = { 'X-API-Key': KEY, ...(body && { 'Content-Type': 'application/json' }) }
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: socket, path: at, method, headers, timeout: timeoutMs }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        answer.on('error', reject)
        answer.on('end', () => {
          if (answer.statusCode !== 200) return reject(new Error(`syncthing: ${method} ${at}: ${answer.statusCode} ${text.slice(0, 200)}`))
          resolve(text === '' ? {} : JSON.parse(text))
        })
      })
      asked.on('error', reject)
      asked.on('timeout', () => asked.destroy(new Error(`syncthing: ${method} ${at}: no answer in ${timeoutMs} ms`)))
      asked.end(body && JSON.stringify(body))
    })
  }
}
