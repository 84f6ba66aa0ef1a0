import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { E2eDesk } from '../../e2e/harness/e2e-desk.ts'
import { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from '../../e2e/harness/e2e-display.ts'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { displayContract, type DisplayContract } from '../../src/device/display-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { TEST_CANDIDATES_VARIABLE } from '../../src/platform/node/candidate-exchange.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../../src/rpc/client.ts'
import type { PathConditions } from '../../src/testkit/delay-line.ts'
import { createNetLab, type LabMachine } from '../../src/testkit/netlab.ts'
import { endProcess } from '../peers/xvfb.ts'
import { scratchFolder } from '../scratch-folder.ts'
import { growLog, type LogSize } from './big-log.ts'

const PROXY = path.resolve(import.meta.dirname, '../../src/testkit/proxy-process.ts')
const AREA = { width: 1300, height: 860 }

/** Where A's sshd listens while it is measured. */
export const SSHD_PORT = 22622

interface SshAddress {
  readonly host: string
  readonly port: number
}

export interface BenchLabOptions {
  readonly proxied: boolean
  /** No display, and so no browser, takes part in the pairing: nothing but the devices uses the processor afterwards. */
  readonly withoutDisplay?: boolean
  /** A's log is grown to this before B is paired. */
  readonly logBytes?: number
  /** More environment of a device, whose data folder is given. */
  readonly env?: (name: string, folder: string) => Readonly<Record<string, string>>
}

interface BenchMachine {
  readonly machine: LabMachine
  readonly device: E2eDevice
  readonly deviceId: string
}

/** Devices `a` and `b` in namespaces, paired and linked; with `proxied` all of a link runs through a proxy on a third. Owns all it starts. */
export class BenchLab {
  /** From the code typed on B until the desk of A was drawn on B's display. */
  codeToDeskMs: number | undefined
  /** What A's log held before B came, where it was grown. */
  log: LogSize | undefined
  readonly #machines = new Map<string, BenchMachine>()
  readonly #browsers = new Map<string, E2eBrowser>()
  readonly #cleanup: (() => Promise<void> | void)[] = []
  #proxyUrl: string | undefined
  /** Where B reaches A's sshd through the proxy. */
  #sshThroughProxy: SshAddress | undefined

  static async create(options: BenchLabOptions): Promise<BenchLab> {
    const made = new BenchLab()
    try {
      await made.#start(options)
      return made
    } catch (error) {
      await made.dispose()
      throw error
    }
  }

  machine(name: 'a' | 'b'): BenchMachine {
    const machine = this.#machines.get(name)
    if (!machine) throw new RangeError(`no machine ${name}`)
    return machine
  }

  async browser(name: 'a' | 'b'): Promise<E2eBrowser> {
    const known = this.#browsers.get(name)
    if (known) return known
    const browser = await E2eBrowser.launch(this.machine(name).machine)
    this.#cleanup.push(() => browser.dispose())
    this.#browsers.set(name, browser)
    return browser
  }

  async display(name: 'a' | 'b', how: 'move' | 'beside'): Promise<E2eDisplay> {
    const display = await E2eDisplay.open(this.machine(name).device, await this.browser(name))
    await display.unlock(how)
    return display
  }

  desk(name: 'a' | 'b'): Promise<E2eDesk> {
    return E2eDesk.open(this.machine(name).device, AREA)
  }

  async ask<T>(name: 'a' | 'b', work: (client: Client<DisplayContract>) => Promise<T>): Promise<T> {
    const client = createClient(displayContract, await connectUnixSocket(dataFolderAt(this.machine(name).device.folder).deviceSocket))
    try {
      return await work(client)
    } finally {
      client.dispose()
    }
  }

  async link(from: 'a' | 'b', to: 'a' | 'b') {
    const rows = await this.ask(from, (client) => client.listDevices({}))
    const row = rows.find(({ deviceId }) => deviceId === this.machine(to).deviceId)
    if (!row) throw new Error(`${from} does not know ${to}`)
    return row
  }

  /** Where B reaches A's sshd: through the proxy, if the lab has one. */
  get sshAddress(): SshAddress {
    return this.#sshThroughProxy ?? { host: this.machine('a').machine.address, port: SSHD_PORT }
  }

  /** Changes what the proxy does to packets from now on. */
  async setPath(conditions: Partial<PathConditions>): Promise<void> {
    if (!this.#proxyUrl) throw new Error('this lab has no proxy')
    const answer = await fetchInside(this.machine('a').machine, this.#proxyUrl, JSON.stringify(conditions))
    if (answer !== 0) throw new Error(`the proxy did not take ${JSON.stringify(conditions)}`)
  }

  async dispose(): Promise<void> {
    for (const release of this.#cleanup.splice(0).reverse()) {
      try {
        await release()
      } catch (error) {
        console.error(`bench: cleaning up: ${error}`)
      }
    }
  }

  async #start({ proxied, withoutDisplay, logBytes, env }: BenchLabOptions): Promise<void> {
    const lab = createNetLab('a', 'b', 'p')
    this.#cleanup.push(() => lab.dispose())
    if (proxied) {
      const { address } = lab.machine('p')
      const sshd = `${lab.machine('a').address}:${SSHD_PORT}`
      const proxy = lab.machine('p').spawn(process.execPath, [PROXY, address, '{}', sshd], { stdio: ['ignore', 'pipe', 'inherit'] })
      this.#cleanup.push(() => endProcess(proxy))
      if (!proxy.stdout) throw new Error('the proxy has no output')
      const lines = createInterface({ input: proxy.stdout })[Symbol.asyncIterator]()
      this.#proxyUrl = String((await lines.next()).value)
      this.#sshThroughProxy = { host: address, port: Number((await lines.next()).value) }
    }
    for (const name of ['a', 'b']) {
      const machine = lab.machine(name)
      const folder = scratchFolder(`ew-${name}-`)
      const device = await E2eDevice.start({ name, machine, folder, ...(env && { env: env(name, folder) }) })
      this.#cleanup.push(() => device.dispose())
      this.#machines.set(name, { machine, device, deviceId: await device.create('Maria') })
    }
    const { device, deviceId } = this.machine('a')
    if (logBytes !== undefined) this.log = await growLog(device, deviceId, logBytes)
    if (withoutDisplay && !proxied) await device.invite(this.machine('b').device)
    else await this.#pair()
    await eventually('a and b are linked', async () => (await this.link('b', 'a')).state === 'linked')
  }

  /** Pairs over the bare network, then starts both anew so that their links go through the proxy only. */
  async #restartThrough(proxyUrl: string): Promise<void> {
    const devices = [this.machine('a').device, this.machine('b').device] as const
    await devices[0].invite(devices[1])
    for (const device of devices) {
      await device.stop()
      await device.run({ [TEST_CANDIDATES_VARIABLE]: proxyUrl })
      await device.unlockDevice()
    }
  }

  /** A display of B is open before: it is what the person looks at while typing the code. */
  async #pair(): Promise<void> {
    const [a, b] = [this.machine('a').device, this.machine('b').device]
    if (this.#proxyUrl) return this.#restartThrough(this.#proxyUrl)
    const desk = await this.desk('a')
    desk.do({ type: 'activity/rename', activityId: desk.state.currentActivity, name: 'The desk of A' })
    desk.dispose()
    const display = await this.display('b', 'move')
    // A person sits at A: what joins by their key may use a shell there, which echo and terminals need.
    await a.whileUnlocked(async () => {
      const offering = a.startCli(['pair', 'offer', '--yes'])
      const code = await offering.until(/^ {2}(\d\S+)$/m)
      const typedMs = performance.now()
      const joined = b.startCli(['pair', 'join', code, '--yes'])
      await display.page
        .getByRole('button', { name: 'Activity The desk of A' })
        .waitFor({ timeout: 20_000 })
        .then(
          () => {
            this.codeToDeskMs = performance.now() - typedMs
          },
          () => undefined, // the row says that the desk did not come up by itself
        )
      const { code: failed, output } = await joined.done
      await offering.done
      if (failed !== 0) throw new Error(`pairing failed\n${output}`)
    })
    await display.close()
  }
}

/** PUT from inside a namespace: the proxy's address is not reachable from here. */
async function fetchInside(machine: LabMachine, url: string, body: string): Promise<number | null> {
  const script = `const r = await fetch(${JSON.stringify(url)}, { method: 'PUT', body: ${JSON.stringify(body)} }); process.exit(r.ok ? 0 : 1)`
  const child = machine.spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  return code as number | null
}
