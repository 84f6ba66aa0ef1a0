import { errorMessage } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { homeFilesContract } from '../../files/home-files-contract.ts'
import type { CallContext, CallOptions, Handlers } from '../../rpc/contract.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'
import type { lastTextContract } from './last-text-contract.ts'
import type { LastTexts } from './last-texts.ts'
import type { Peers } from '../links/peers.ts'

export interface FilesServiceOptions {
  readonly local: ProcessConnection<FilesClient>
  readonly peers: Peers
  /** This device's id. @throws DeviceError `device/locked` */
  self(): string
  lastTexts(): LastTexts
  readonly clock: Clock
  readonly logger: Logger
}

type FileCalls = Pick<FilesClient, keyof typeof homeFilesContract>

/** Home folders as displays see them: this device's files process, or a linked device over its files lane. */
export class FilesService {
  readonly #options: FilesServiceOptions

  constructor(options: FilesServiceOptions) {
    this.#options = options
  }

  /** @throws FileError `file/device-away` */
  async homeOf(device: string): Promise<FileCalls> {
    const { self, local, peers } = this.#options
    return device === self() ? local.client() : peers.require(device, 'file/device-away').files
  }

  handlers(): Handlers<typeof homeFilesContract & typeof lastTextContract> {
    const pass =
      <Input extends { device: string }, Output>(call: (files: FileCalls) => (input: Input, options: CallOptions) => Promise<Output>) =>
      async (input: Input, { signal }: CallContext) =>
        call(await this.homeOf(input.device))(input, { signal })
    const readText = pass((files) => files.readText)
    const writeText = pass((files) => files.writeText)
    return {
      homeFolder: pass((files) => files.homeFolder),
      listFolder: pass((files) => files.listFolder),
      searchFolder: pass((files) => files.searchFolder),
      listFolderPage: pass((files) => files.listFolderPage),
      readText: async (input, context) => {
        const read = await readText(input, context)
        this.#keep(input.device, input.path, read.text, read.version)
        return read
      },
      lastText: ({ device, path }) => this.#options.lastTexts().read(device, path) ?? null,
      readBytes: pass((files) => files.readBytes),
      readPiece: pass((files) => files.readPiece),
      writeText: async (input, context) => {
        const written = await writeText(input, context)
        this.#keep(input.device, input.path, input.text, written.version)
        return written
      },
      writeBytes: pass((files) => files.writeBytes),
      beginWrite: pass((files) => files.beginWrite),
      appendWrite: pass((files) => files.appendWrite),
      commitWrite: pass((files) => files.commitWrite),
      abandonWrite: pass((files) => files.abandonWrite),
      makeFolder: pass((files) => files.makeFolder),
      renameEntry: pass((files) => files.renameEntry),
      trashEntry: pass((files) => files.trashEntry),
    }
  }

  /** What lies on this device is read from there. A text that cannot be kept costs nothing but its showing while its device is away. */
  #keep(device: string, path: string, text: string, version: string): void {
    const { self, lastTexts, clock, logger } = this.#options
    try {
      if (device !== self()) lastTexts().keep(device, path, { text, version, atMs: clock.nowMs() })
    } catch (error) {
      logger.warn('the last text of a file elsewhere could not be kept', { error: errorMessage(error) })
    }
  }
}
