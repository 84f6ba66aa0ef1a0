import { displayContract, type DisplayContract } from '../../src/device/display-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../../src/rpc/client.ts'
import { createNetLab, type NetLab } from '../../src/testkit/netlab.ts'
import { E2eBrowser, E2eDisplay, type DisplayOptions } from './e2e-display.ts'
import { E2eDevice } from './e2e-device.ts'

/** One machine of a test: a namespace, a device in it, and a browser in it. */
export interface E2eMachine {
  readonly device: E2eDevice
  readonly browser: E2eBrowser
  readonly deviceId: string
}

export interface LabOptions {
  readonly paired?: boolean
  readonly supervisor?: string
  /** Whose each device is, where they are of different persons; then they are not paired. */
  readonly persons?: readonly string[]
  /** Further machines, with nothing on them. */
  readonly bare?: readonly string[]
}

/**
 * Machines in namespaces of their own, each with a device and a browser, all paired into one person's devices.
 * Owns everything it made, also when making it failed half way.
 */
export class E2eLab {
  readonly lab: NetLab
  readonly #machines = new Map<string, E2eMachine>()
  readonly #devices: E2eDevice[] = []
  readonly #browsers: E2eBrowser[] = []

  private constructor(lab: NetLab) {
    this.lab = lab
  }

  static create(...names: readonly string[]): Promise<E2eLab> {
    return E2eLab.createWith({}, ...names)
  }

  /** `paired: false` leaves every device a person of its own; `supervisor` runs another build than the checkout's. */
  static async createWith(options: LabOptions, ...names: readonly string[]): Promise<E2eLab> {
    const made = new E2eLab(createNetLab(...names, ...(options.bare ?? [])))
    try {
      // Side by side: each waits most of its time for its own processes. All have settled before one's failure ends the lab.
      for (const added of await Promise.allSettled(names.map((name, nth) => made.#add(name, options, options.persons?.[nth]))))
        if (added.status === 'rejected') throw added.reason
      if (options.paired === false || options.persons) return made
      const [first, ...others] = names.map((name) => made.machine(name))
      for (const other of others) await first?.device.invite(other.device)
      return made
    } catch (error) {
      await made.#release()
      throw error
    }
  }

  machine(name: string): E2eMachine {
    const machine = this.#machines.get(name)
    if (!machine) throw new RangeError(`no machine ${name}`)
    return machine
  }

  async display(name: string, how: 'move' | 'beside', options?: DisplayOptions): Promise<E2eDisplay> {
    const { device, browser } = this.machine(name)
    const display = await E2eDisplay.open(device, browser, options)
    await display.unlock(how)
    return display
  }

  /** Asks a device what its displays may ask, over its own socket: what the UI shows is checked against it. */
  async ask<T>(name: string, work: (client: Client<DisplayContract>) => Promise<T>): Promise<T> {
    const client = createClient(displayContract, await connectUnixSocket(dataFolderAt(this.machine(name).device.folder).deviceSocket))
    try {
      return await work(client)
    } finally {
      client.dispose()
    }
  }

  /** The link from one device to another, as the first sees it. */
  async link(from: string, to: string) {
    const rows = await this.ask(from, (client) => client.listDevices({}))
    const row = rows.find(({ deviceId }) => deviceId === this.machine(to).deviceId)
    if (!row) throw new Error(`${from} does not know ${to}`)
    return row
  }

  /** What has crossed a device's links since it began, by kind. undefined: it is locked, or was ended. */
  async frames(name: string): Promise<Readonly<Record<string, number>> | undefined> {
    const text = await this.ask(name, async (client) => (await client.debugSnapshot({})).text).catch(() => undefined)
    const counts = text && /^frames\s+(\{.*\})$/m.exec(text)?.[1]
    return counts ? JSON.parse(counts) : undefined
  }

  /** No raw Yjs frame was sent or came on any link of these devices: asked at the end of every test's lab, and before a device is killed. */
  async requireNoRawFrames(): Promise<void> {
    for (const name of this.#machines.keys()) {
      const counts = await this.frames(name)
      if (counts && counts.forbidden !== 0) throw new Error(`${name} met raw Yjs frames: ${JSON.stringify(counts)}`)
    }
  }

  async dispose(): Promise<void> {
    try {
      await this.requireNoRawFrames()
    } finally {
      await this.#release()
    }
  }

  async #release(): Promise<void> {
    // Side by side too, but no browser outlives the device it shows.
    for (const releases of [this.#browsers, this.#devices]) {
      await Promise.all(releases.splice(0).map((owned) => owned.dispose().catch((error: unknown) => console.error(error))))
    }
    this.lab.dispose()
  }

  async #add(name: string, { supervisor }: LabOptions, person = 'Ada'): Promise<void> {
    const machine = this.lab.machine(name)
    const device = await E2eDevice.start({ name, machine, ...(supervisor && { supervisor }) })
    this.#devices.push(device)
    const deviceId = await device.create(person)
    const browser = await E2eBrowser.launch(machine)
    this.#browsers.push(browser)
    this.#machines.set(name, { device, browser, deviceId })
  }
}

/** Polls until `look` answers with something true. @throws Error  after `patienceMs`, with what it saw last */
export async function eventually<T>(what: string, look: () => Promise<T>, patienceMs = 20_000): Promise<NonNullable<T>> {
  const giveUpMs = performance.now() + patienceMs
  let last: unknown
  for (;;) {
    try {
      const seen = await look()
      if (seen) return seen
      last = seen
    } catch (error) {
      last = error
    }
    if (performance.now() > giveUpMs)
      throw new Error(`${what}: not so after ${patienceMs} ms; last seen: ${last instanceof Error ? last.message : JSON.stringify(last)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** As `eventually`, for a value that becomes `expected`. @throws Error  with what it saw last and what it should have seen */
export async function eventuallyEqual<T>(what: string, look: () => Promise<T>, expected: T, patienceMs = 20_000): Promise<void> {
  const [wanted, seen] = [JSON.stringify(expected), { now: '' }]
  await eventually(
    what,
    async () => {
      seen.now = JSON.stringify(await look())
      return seen.now === wanted
    },
    patienceMs,
  ).catch((error: unknown) => {
    throw new Error(`${what}: not so after ${patienceMs} ms\n   seen: ${seen.now}\n wanted: ${wanted}`, { cause: error })
  })
}
