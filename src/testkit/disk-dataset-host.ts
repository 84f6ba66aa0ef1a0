import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { systemClock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import { DatasetHost } from '../files/dataset-host.ts'
import type { DatasetNode } from '../files/dataset-node.ts'
import type { OpenDataset } from '../files/open-dataset.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { openDatasetStores } from '../platform/node/open-dataset-stores.ts'
import { openInput } from './dataset-hosts.ts'
import { testDatasetKeys } from './file-parts.ts'

/** The files process of device `n` of two, or of `count`, with its stores on a disk, where a test finds them between a stop and a start. */
export class DiskDatasetHost implements Disposable {
  readonly n: number
  readonly folder: string
  readonly #count: number
  readonly #logger: Logger
  #host: DatasetHost | undefined

  constructor(n: number, options: { readonly folder?: string; readonly count?: number; readonly logger?: Logger } = {}) {
    this.n = n
    this.#count = options.count ?? 2
    this.folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'elsewhere-disk-'))
    this.#logger = options.logger ?? silentLogger
  }

  /** What is shared with others; folders of this device only lie beside it. */
  get shared(): string {
    return path.join(this.folder, 'shared')
  }

  get host(): DatasetHost {
    if (!this.#host) throw new Error('it is stopped')
    return this.#host
  }

  get open(): OpenDataset {
    return this.host.require(testDatasetKeys().dataset)
  }

  /** @param onSetAside  told of trees that are damaged */
  async start(onSetAside?: (file: string) => void): Promise<this> {
    const openStores = (_: string, key: Uint8Array, part: 'shared' | 'local', isDamaged = false) => {
      const environment = { ELSEWHERE_CACHE_BYTES: String(2 ** 40) }
      return openDatasetStores(path.join(this.folder, part), key.slice(), environment, this.#logger, { part, isDamaged })
    }
    this.#host = new DatasetHost({ crypto: new NodeFilesCrypto(), clock: systemClock, logger: this.#logger, openStores })
    if (onSetAside) this.#host.handlers().onDidSetAside(({ file }) => onSetAside(file))
    await this.#host.handlers().openDataset(openInput(this.n, this.#count), {} as never)
    return this
  }

  /** As a lock does: all is carried and signed. */
  async stop(): Promise<void> {
    await this.#host?.stop()
    this.#host = undefined
  }

  async write(name: string, bytes: Uint8Array, parent = this.open.dataset.root): Promise<DatasetNode> {
    const { dataset } = this.open
    const manifest = await dataset.writer.write(bytes)
    return dataset.createFile(parent, name, { manifest })
  }

  dispose(): void {
    void this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
