import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Emitter } from '../../src/base/emitter.ts'
import { controlContract } from '../../src/device/control-contract.ts'
import { displayContract } from '../../src/device/display-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { supervisorContract } from '../../src/main/daemon/supervisor-contract.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../../src/rpc/client.ts'
import type { Contract } from '../../src/rpc/contract.ts'
import type { LabMachine } from '../../src/testkit/netlab.ts'

export const PASSPHRASE = 'correct horse battery staple'
const SUPERVISOR = path.resolve(import.meta.dirname, '../../dist/daemon/supervisor.mjs')
const CLI = path.resolve(import.meta.dirname, '../../bin/elsewhere.mjs')
/** Starting three Node processes on a busy two-core machine. */
const READY_PATIENCE_MS = 60_000

export interface E2eDeviceOptions {
  readonly name: string
  /** Where it runs: a namespace of a lab, or this machine. */
  readonly machine?: LabMachine
  readonly env?: Readonly<Record<string, string>>
  /** An own data folder: made, if need be, and removed at the end. Default: one under the system's temporary folder. */
  readonly folder?: string
  /** Another Node, and another supervisor, than the checkout's: a package's. */
  readonly node?: string
  readonly supervisor?: string
}

/**
 * A real device: supervisor, host, files and device processes with a data folder of its own, built from dist/.
 * Owns processes and folder; `dispose` ends the one and removes the other.
 */
export class E2eDevice {
  readonly name: string
  readonly machine: LabMachine | undefined
  readonly folder: string
  readonly #env: Readonly<Record<string, string>>
  readonly #program: { readonly node: string; readonly entry: string }
  #supervisor: ChildProcess | undefined

  private constructor(options: E2eDeviceOptions, folder: string) {
    this.name = options.name
    this.machine = options.machine
    this.folder = folder
    this.#env = options.env ?? {}
    this.#program = { node: options.node ?? process.execPath, entry: options.supervisor ?? SUPERVISOR }
  }

  /** Makes the data folder and starts the processes. */
  static async start(options: E2eDeviceOptions): Promise<E2eDevice> {
    const folder = options.folder ?? (await mkdtemp(path.join(os.tmpdir(), `ew-${options.name}-`)))
    const device = new E2eDevice(options, folder)
    await device.run().catch(async (error: unknown) => {
      await device.dispose()
      throw error
    })
    return device
  }

  /** Starts the processes (again), on the same data folder and perhaps in another environment, and waits until the device answers. */
  async run(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { node, entry } = this.#program
    const args = [entry, '--data', this.folder, '--port', '0']
    const options = {
      env: { ...process.env, HOME: this.folder, ELSEWHERE_MOUNT: 'off', ELSEWHERE_OWNER_SIGNS: '', ...this.#env, ...more },
      stdio: ['ignore', 'ignore', 'pipe'] as const,
    }
    const child = this.machine
      ? this.machine.spawn(node, args, { ...options, stdio: [...options.stdio] })
      : spawn(node, args, { ...options, stdio: [...options.stdio] })
    let stderr = ''
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    this.#supervisor = child
    const giveUpMs = performance.now() + READY_PATIENCE_MS
    for (;;) {
      const status = await this.status().catch(() => undefined)
      if (status) return
      if (child.exitCode !== null) throw new Error(`${this.name}: the supervisor ended with ${child.exitCode}\n${stderr}\n${this.log()}`)
      if (performance.now() > giveUpMs) throw new Error(`${this.name} did not answer in ${READY_PATIENCE_MS} ms\n${stderr}\n${this.log()}`)
      await delay(50)
    }
  }

  /** First run without a display: person, device keys, passphrase. Returns the device's id. */
  async create(personName: string): Promise<string> {
    const { deviceId } = await this.#device((client) =>
      client.createDevice({ personName, deviceName: this.name, passphrase: PASSPHRASE, unattended: false }),
    )
    return deviceId
  }

  status() {
    return this.#device((client) => client.status({}))
  }

  unlockDevice() {
    return this.#device((client) => client.unlockDevice({ passphrase: PASSPHRASE }))
  }

  /** A URL that opens a display, once. */
  async entrance(): Promise<string> {
    return (await this.#device((client) => client.openEntrance({}))).url
  }

  /** Pids by the supervisor's own account: host, files, device. */
  async processes(): Promise<Readonly<Record<string, number | undefined>>> {
    const { pid, processes } = await this.#call(supervisorContract, dataFolderAt(this.folder).supervisorSocket, (client) =>
      client.status({}),
    )
    return { supervisor: pid, ...Object.fromEntries(processes.map((one) => [one.name, one.pid])) }
  }

  /** kill -9 of one of its processes; the supervisor starts it again. */
  async kill(name: 'host' | 'files' | 'device'): Promise<void> {
    const pid = (await this.processes())[name]
    if (pid === undefined) throw new Error(`${this.name}: ${name} is not running`)
    process.kill(pid, 'SIGKILL')
  }

  /** Starts the command line as a person would, in the device's own namespace. */
  startCli(args: readonly string[], input = '') {
    const options = { env: { ...process.env, HOME: this.folder, ELSEWHERE_DATA: this.folder } }
    const child = this.machine
      ? this.machine.spawn(process.execPath, [CLI, ...args], options)
      : spawn(process.execPath, [CLI, ...args], options)
    let output = ''
    const heard = new Emitter<void>()
    const take = (chunk: Buffer) => {
      output += String(chunk)
      heard.fire()
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    child.stdin?.end(input)
    const done = new Promise<{ code: number; output: string }>((resolve) =>
      child.once('close', (code) => resolve({ code: code ?? 1, output })),
    )
    /** The first group of `pattern`, once the output holds it. */
    const until = (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(output)?.[1]
          if (found !== undefined) resolve(found)
        }
        heard.event(look)
        void done.then(() => reject(new Error(`${args.join(' ')} ended without ${pattern}:\n${output}`)))
        look()
      })
    return { done, until, end: () => child.kill('SIGKILL') }
  }

  /** Runs it to its end. */
  cli(args: readonly string[], input = ''): Promise<{ code: number; output: string }> {
    return this.startCli(args, input).done
  }

  /** While `work` runs a display of this device is unlocked, so that the person's own key is open: what joins meanwhile is an admin. */
  async whileUnlocked<T>(work: () => Promise<T>): Promise<T> {
    const display = createClient(displayContract, await connectUnixSocket(dataFolderAt(this.folder).deviceSocket))
    try {
      await display.unlock({ passphrase: PASSPHRASE, how: 'beside' })
      return await work()
    } finally {
      display.dispose()
    }
  }

  /** Pairs with another device through the command line on both, as a person at two machines would. */
  invite(other: E2eDevice): Promise<void> {
    return this.whileUnlocked(() => this.#invite(other))
  }

  async #invite(other: E2eDevice): Promise<void> {
    const offering = this.startCli(['pair', 'offer', '--yes'])
    const code = await offering.until(/^ {2}(\d\S+)$/m)
    const joined = await other.cli(['pair', 'join', code, '--yes'])
    if (joined.code !== 0) offering.end() // it would wait for somebody else for ten minutes
    if (joined.code !== 0) throw new Error(`joining failed\n${joined.output}\n${this.log()}\n${other.log()}`)
    const offered = await offering.done
    if (offered.code !== 0 || joined.code !== 0)
      throw new Error(`pairing failed\n${offered.output}\n${joined.output}\n${this.log()}\n${other.log()}`)
  }

  /** The end of its logs, for a failing test's message. */
  log(bytes = 4_000): string {
    const folder = dataFolderAt(this.folder).logs
    if (!existsSync(folder)) return ''
    const file = path.join(folder, 'elsewhere.log')
    return existsSync(file) ? readFileSync(file, 'utf8').slice(-bytes) : ''
  }

  /** Ends the processes in order, as Ctrl-C does, and keeps the folder. */
  async stop(): Promise<void> {
    const child = this.#supervisor
    this.#supervisor = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
    await ended
    clearTimeout(timer)
  }

  async dispose(): Promise<void> {
    await this.stop()
    await this.#killStrays()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }

  /** Processes that still carry this data folder on their command line: none should; a failing test must not leave any. */
  async #killStrays(): Promise<void> {
    for (const pid of await readdir('/proc').catch(() => [])) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
      const line = await Promise.resolve()
        .then(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
        .catch(() => '')
      if (line.includes(this.folder)) process.kill(Number(pid), 'SIGKILL')
    }
  }

  #device<T>(work: (client: Client<typeof controlContract>) => Promise<T>): Promise<T> {
    return this.#call(controlContract, dataFolderAt(this.folder).deviceSocket, work)
  }

  async #call<C extends Contract, T>(contract: C, socket: string, work: (client: Client<C>) => Promise<T>): Promise<T> {
    const client = createClient(contract, await connectUnixSocket(socket))
    try {
      return await work(client)
    } finally {
      client.dispose()
    }
  }
}
