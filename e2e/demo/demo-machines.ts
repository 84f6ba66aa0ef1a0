import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { displayContract, type DisplayContract } from '../../src/device/display-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../../src/rpc/client.ts'
import { createNetLab, type LabMachine } from '../../src/testkit/netlab.ts'
import { E2eDevice } from '../harness/e2e-device.ts'
import { E2eBrowser } from '../harness/e2e-display.ts'

/** A device of the demo with what stands around it. */
export interface DemoMachine {
  readonly name: string
  readonly device: E2eDevice
  readonly deviceId: string
  /** The person's home folder on it: not the data folder. */
  readonly home: string
  readonly machine: LabMachine | undefined
}

const BASHRC = `PS1='\\[\\e[1;32m\\]\\h\\[\\e[0m\\] \\[\\e[34m\\]\\W\\[\\e[0m\\] $ '\n`

/** The machines of a demo: devices, browsers and helpers. Owns all of it; `dispose` ends and removes it in reverse order. */
export class DemoMachines {
  readonly inNamespaces: boolean
  readonly #machines = new Map<string, DemoMachine>()
  readonly #cleanup: (() => Promise<void> | void)[] = []

  constructor(inNamespaces: boolean) {
    this.inNamespaces = inNamespaces
  }

  async start(person: string, names: readonly string[]): Promise<void> {
    const lab = this.inNamespaces ? createNetLab(...names) : undefined
    if (lab) this.#cleanup.push(() => lab.dispose())
    for (const name of names) {
      const machine = lab?.machine(name)
      const home = await mkdtemp(path.join(os.tmpdir(), `ew-home-${name}-`))
      this.#cleanup.push(() => rm(home, { recursive: true, force: true }))
      await writeFile(path.join(home, '.bashrc'), BASHRC.replace('\\h', name))
      const device = await E2eDevice.start({ name, ...(machine && { machine }), env: { HOME: home, SHELL: '/bin/bash' } })
      this.#cleanup.push(() => device.dispose())
      this.#machines.set(name, { name, device, deviceId: await device.create(person), home, machine })
    }
  }

  machine(name: string): DemoMachine {
    const machine = this.#machines.get(name)
    if (!machine) throw new RangeError(`no machine ${name}`)
    return machine
  }

  get all(): readonly DemoMachine[] {
    return [...this.#machines.values()]
  }

  async browser(name: string): Promise<E2eBrowser> {
    const browser = await E2eBrowser.launch(this.machine(name).machine, { leaveSignals: true })
    this.#cleanup.push(() => browser.dispose())
    return browser
  }

  /** Asks a device over its own socket. */
  async ask<T>(name: string, work: (client: Client<DisplayContract>) => Promise<T>): Promise<T> {
    const client = createClient(displayContract, await connectUnixSocket(dataFolderAt(this.machine(name).device.folder).deviceSocket))
    try {
      return await work(client)
    } finally {
      client.dispose()
    }
  }

  async isLinked(from: string, to: string): Promise<boolean> {
    const rows = await this.ask(from, (client) => client.listDevices({}))
    return rows.some(({ deviceId, state }) => deviceId === this.machine(to).deviceId && state === 'linked')
  }

  /** Runs a script of ours on a machine until `dispose`, and returns the first line it prints. */
  async helper(name: string, script: string, ...args: readonly string[]): Promise<string> {
    const { machine } = this.machine(name)
    const command = [path.join(import.meta.dirname, script), ...args]
    const options = { stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'] }
    const child: ChildProcess = machine ? machine.spawn(process.execPath, command, options) : spawn(process.execPath, command, options)
    this.#cleanup.push(() => void child.kill('SIGTERM'))
    if (!child.stdout) throw new Error(`${script} has no output`)
    const [chunk] = await once(child.stdout, 'data')
    return String(chunk).split('\n')[0] ?? ''
  }

  /**
   * Opens an entrance of a device that a browser of this machine reaches too. In a namespace the device's loopback is not
   * ours: a relay listens on the same port here.
   */
  async entrance(name: string): Promise<string> {
    const { device, machine } = this.machine(name)
    const url = await device.entrance()
    if (!machine) return url
    const { port } = new URL(url)
    const folder = await mkdtemp(path.join(os.tmpdir(), 'ew-relay-'))
    this.#cleanup.push(() => rm(folder, { recursive: true, force: true }))
    const socket = path.join(folder, 'relay.sock')
    await this.helper(name, 'loopback-relay.ts', socket, port)
    const server = createServer((incoming) => {
      const outgoing = connect(socket)
      incoming.pipe(outgoing).pipe(incoming)
      incoming.on('error', () => outgoing.destroy())
      outgoing.on('error', () => incoming.destroy())
    })
    await once(server.listen(Number(port), '127.0.0.1'), 'listening')
    this.#cleanup.push(() => void server.close())
    return url
  }

  /** Files a person would have, so that a file window is worth looking at. */
  async fillHome(name: string, files: Readonly<Record<string, string>>): Promise<void> {
    const { home } = this.machine(name)
    for (const [file, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(home, file)), { recursive: true })
      await writeFile(path.join(home, file), text)
    }
  }

  async dispose(): Promise<void> {
    for (const release of this.#cleanup.splice(0).reverse()) {
      try {
        await release()
      } catch (error) {
        console.error(`demo: cleaning up: ${error}`)
      }
    }
  }
}
