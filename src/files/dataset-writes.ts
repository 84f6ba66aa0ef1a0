import type { Disposable } from '../base/disposable.ts'
import { toHex } from '../base/bytes.ts'
import type { Dataset } from './dataset.ts'
import { FileError } from './file-error.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { EMPTY_MANIFEST, type Manifest } from './manifest.ts'
import type { NodeId, OpId } from './op.ts'
import type { DatasetNode } from './dataset-node.ts'

/** Where content that is being written goes. */
export type WriteTarget =
  | { readonly node: NodeId; readonly base: OpId }
  | { readonly parent: NodeId; readonly name: string; readonly mode?: number | undefined }

interface Write {
  readonly dataset: Dataset
  readonly target: WriteTarget
  readonly mtimeNs: bigint | undefined
  manifest: Manifest
  /** Appends of one write are carried out one after another. */
  last: Promise<unknown>
  readonly hold: Disposable
}

/** Open at once over one connection. */
const MAX_WRITES = 256

/**
 * Contents that one connection is writing piece by piece. What was appended lies in the chunk store, sealed, and is a version
 * of nothing before it is committed; a connection that ends leaves chunks that the next collection of garbage takes.
 */
export class DatasetWrites implements Disposable {
  readonly #crypto: FilesCrypto
  readonly #writes = new Map<string, Write>()

  constructor(crypto: FilesCrypto) {
    this.#crypto = crypto
  }

  begin(dataset: Dataset, target: WriteTarget, mtimeNs?: bigint): string {
    if (this.#writes.size >= MAX_WRITES) throw new FileError('file/failed', `more than ${MAX_WRITES} files are being written at once`)
    if ('node' in target) dataset.require(target.node)
    else if (dataset.lookup(target.parent, target.name)) throw new FileError('file/exists', `${target.name} is there already`)
    const id = toHex(this.#crypto.randomBytes(16))
    const hold = dataset.holds.hold(() => [write.manifest])
    const write: Write = { dataset, target, mtimeNs, manifest: EMPTY_MANIFEST, last: Promise.resolve(), hold }
    this.#writes.set(id, write)
    return id
  }

  /** Resolves with how many bytes there are now. */
  append(id: string, bytes: Uint8Array): Promise<number> {
    const write = this.#require(id)
    const appended = write.last.then(async () => {
      const offset = write.manifest.bytes
      const read = (from: number, length: number) => bytes.subarray(from - offset, from - offset + length)
      const change = { bytes: offset + bytes.length, extents: [{ offset, length: bytes.length }], read }
      write.manifest = await write.dataset.writer.change(write.manifest, change)
      return write.manifest.bytes
    })
    write.last = appended.catch(() => {})
    return appended
  }

  async commit(id: string): Promise<DatasetNode> {
    const { dataset, target, mtimeNs, last } = this.#require(id)
    await last
    const { manifest } = this.#require(id)
    await dataset.sync()
    this.abandon(id) // what follows names it in the same turn
    const times = mtimeNs === undefined ? {} : { mtimeNs }
    if ('node' in target) return dataset.setContent(target.node, target.base, manifest, times)
    return dataset.createFile(target.parent, target.name, { manifest, ...times, ...(target.mode !== undefined && { mode: target.mode }) })
  }

  abandon(id: string): void {
    this.#writes.get(id)?.hold.dispose()
    this.#writes.delete(id)
  }

  dispose(): void {
    for (const id of [...this.#writes.keys()]) this.abandon(id)
  }

  #require(id: string): Write {
    const write = this.#writes.get(id)
    if (!write) throw new FileError('file/not-found', 'what was being written was given up; write it again')
    return write
  }
}
