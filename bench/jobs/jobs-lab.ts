import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { displayContract } from '../../src/device/display-contract.ts'
import { decodeJobDown, encodeJobUp } from '../../src/jobs/job-frames-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../../src/rpc/client.ts'
import { createNetLab, type NetLab } from '../../src/testkit/netlab.ts'
import { SshPeer } from '../peers/sshd.ts'

const NAMES = ['a', 'b', 'c'] as const
type Name = (typeof NAMES)[number]

export interface RunningJob {
  readonly job: string
  /** Its exit code. */
  readonly ended: Promise<number>
  signal(signal: 'SIGINT'): void
}

/** Three linked devices of one person, each in a namespace; jobs are asked for at `a`. Owns all it starts. */
export class JobsLab {
  readonly net: NetLab
  readonly project: string
  ssh: SshPeer | undefined
  readonly #folder: string
  readonly #devices = new Map<Name, { device: E2eDevice; id: string }>()
  #client: Client<typeof displayContract> | undefined

  private constructor(net: NetLab, folder: string) {
    this.net = net
    this.#folder = folder
    this.project = path.join(folder, 'project')
  }

  static async create(): Promise<JobsLab> {
    const lab = new JobsLab(createNetLab(...NAMES), await mkdtemp(path.join(os.tmpdir(), 'ew-jobs-bench-')))
    try {
      await lab.#start()
      return lab
    } catch (error) {
      await lab.dispose()
      throw error
    }
  }

  get client(): Client<typeof displayContract> {
    if (!this.#client) throw new Error('the lab has not started')
    return this.#client
  }

  place(name: Name): { readonly device: string } {
    return { device: this.#of(name).id }
  }

  async roundTripMs(name: Name): Promise<number> {
    return (await this.client.listDevices({})).find(({ deviceId }) => deviceId === this.#of(name).id)?.roundTripMs ?? 0
  }

  /** Pids of the processes that bytes of a job on `b` pass through. */
  async processes(): Promise<readonly number[]> {
    const all = await Promise.all((['a', 'b'] as const).map((name) => this.#of(name).device.processes()))
    return all.flatMap(({ host, device }) => [host, device]).filter((pid) => pid !== undefined)
  }

  /** Resolves when it is placed; its output is taken as it comes. */
  async begin(commandLine: string, where: { readonly device: string }, seen?: (bytes: number) => void): Promise<RunningJob> {
    const { job } = await this.client.startJob({ commandLine, folder: this.project, input: false, policy: { where } })
    const channel = this.client.channel((await this.client.openJobOutput({ job, from: 0 })).channel)
    const ended = new Promise<number>((resolve, reject) => {
      channel.onDidReceive((message) => {
        const frame = decodeJobDown(message)
        if (frame?.kind === 'output') seen?.(frame.bytes.length)
        if (frame?.kind !== 'exit') return
        if (frame.error) reject(new Error(frame.error.message))
        else resolve(frame.code)
      })
      channel.onDidClose(({ reason }) => reject(new Error(reason)))
    })
    ended.catch(() => undefined) // whoever waits has it
    return { job, ended, signal: (signal) => channel.send(encodeJobUp({ kind: 'signal', signal })) }
  }

  async run(commandLine: string, where: { readonly device: string }, seen?: (bytes: number) => void): Promise<number> {
    return (await this.begin(commandLine, where, seen)).ended
  }

  async dispose(): Promise<void> {
    this.#client?.dispose()
    await this.ssh?.dispose()
    for (const { device } of this.#devices.values()) await device.dispose()
    this.net.dispose()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #of(name: Name): { device: E2eDevice; id: string } {
    const found = this.#devices.get(name)
    if (!found) throw new RangeError(`no device ${name}`)
    return found
  }

  async #start(): Promise<void> {
    await mkdir(this.project)
    for (const name of NAMES) {
      const device = await E2eDevice.start({ name, machine: this.net.machine(name) })
      this.#devices.set(name, { device, id: '' })
      this.#devices.set(name, { device, id: await device.create('Maria') })
    }
    const { device } = this.#of('a')
    for (const name of ['b', 'c'] as const) await device.invite(this.#of(name).device)
    this.#client = createClient(displayContract, await connectUnixSocket(dataFolderAt(device.folder).deviceSocket))
    await eventually('a is linked with both', async () => {
      const rows = await this.client.listDevices({})
      return rows.filter(({ state }) => state === 'linked').length === 2
    })
    this.ssh = await SshPeer.start(this.net.machine('a'), this.net.machine('b'))
  }
}
