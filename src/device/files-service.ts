import type { homeFilesContract } from '../files/home-files-contract.ts'
import type { CallContext, CallOptions, Handlers } from '../rpc/contract.ts'
import type { FilesClient, ProcessConnection } from './device-parts.ts'
import type { Peers } from './peers.ts'

export interface FilesServiceOptions {
  readonly local: ProcessConnection<FilesClient>
  readonly peers: Peers
  /** This device's id. @throws DeviceError `device/locked` */
  self(): string
}

type FileCalls = Omit<FilesClient, 'channel' | 'onDidClose' | 'dispose'>

/** Home folders as displays see them: this device's files process, or a linked device over its files lane. */
export class FilesService {
  readonly #options: FilesServiceOptions

  constructor(options: FilesServiceOptions) {
    this.#options = options
  }

  handlers(): Handlers<typeof homeFilesContract> {
    const at = async (device: string): Promise<FileCalls> =>
      device === this.#options.self() ? this.#options.local.client() : this.#options.peers.require(device, 'file/device-away').files
    const pass =
      <Input extends { device: string }, Output>(call: (files: FileCalls) => (input: Input, options: CallOptions) => Promise<Output>) =>
      async (input: Input, { signal }: CallContext) =>
        call(await at(input.device))(input, { signal })
    return {
      homeFolder: pass((files) => files.homeFolder),
      listFolder: pass((files) => files.listFolder),
      readText: pass((files) => files.readText),
      readBytes: pass((files) => files.readBytes),
      writeText: pass((files) => files.writeText),
      makeFolder: pass((files) => files.makeFolder),
      renameEntry: pass((files) => files.renameEntry),
      trashEntry: pass((files) => files.trashEntry),
    }
  }
}
