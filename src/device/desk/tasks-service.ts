import type { tasksContract } from '../../jobs/terminal-contract.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'
import type { Peers } from '../links/peers.ts'

export interface TasksServiceOptions {
  readonly local: ProcessConnection<HostClient>
  readonly peers: Peers
  /** This device's id. @throws DeviceError `device/locked` */
  self(): string
}

/** What runs, as displays see it: on this device (its host process knows), or on a linked one over its control lane. */
export class TasksService {
  readonly #options: TasksServiceOptions

  constructor(options: TasksServiceOptions) {
    this.#options = options
  }

  handlers(): Handlers<typeof tasksContract> {
    const { local, peers, self } = this.#options
    const at = async (device: string) => (device === self() ? local.client() : peers.require(device, 'task/device-away').control)
    return {
      listProcesses: async (input, { signal }) => (await at(input.device)).listProcesses(input, { signal }),
      endProcess: async (input, { signal }) => (await at(input.device)).endProcess(input, { signal }),
    }
  }
}
