import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { Disposable } from '../base/disposable.ts'
import { silentLogger } from '../base/logger.ts'
import type { Dataset } from '../files/dataset.ts'
import type { DatasetNode } from '../files/dataset-node.ts'
import { DatasetTree } from '../files/dataset-tree.ts'
import { type Ino, ROOT_INO } from '../files/mounted-tree.ts'
import type { TreePlant } from '../files/tree-news.ts'
import type { ManualClock } from './manual-clock.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface FileWorldMounts {
  readonly plant?: TreePlant
}

/** The mount of one device of a FileWorld, and what programs have open in it. */
export class FileWorldMount implements Disposable {
  readonly #dataset: Dataset
  readonly #tree: DatasetTree
  readonly #home: Ino
  readonly #open: Ino[] = []

  constructor(dataset: Dataset, clock: ManualClock, mounts: FileWorldMounts) {
    this.#dataset = dataset
    const space = () => ({ totalBytes: 1000, freeBytes: 500, files: 0 })
    this.#tree = new DatasetTree({ datasets: [{ name: 'Home', dataset }], clock, log: silentLogger, space, ...mounts })
    this.#home = this.#tree.lookup(ROOT_INO, 'Home')?.ino as Ino
  }

  get openCount(): number {
    return this.#open.length
  }

  open(node: DatasetNode): string {
    this.#open.push(this.#numberOf(node))
    return `opens ${node.name}`
  }

  /** Another text in place of what the open file has. `isRemoved`: a program here removed it meanwhile. */
  async write(random: SeededRandom, text: string): Promise<{ before: string; isRemoved: boolean }> {
    const ino = random.pick(this.#open)
    const before = await this.#textAt(ino)
    this.#tree.setattr(ino, { fileBytes: 0 })
    await this.#tree.write(ino, 0, utf8(text))
    return { before, isRemoved: this.#tree.getattr(ino).linkCount === 0 }
  }

  /** Closed, or synced and open still. */
  async end(random: SeededRandom, isClosed: boolean): Promise<string> {
    const at = random.below(this.#open.length)
    const ino = this.#open[at] as Ino
    if (!isClosed) {
      await this.#tree.fsync(ino)
      return `syncs ${await this.#textAt(ino)}`
    }
    this.#open.splice(at, 1)
    return this.#closed(ino)
  }

  async remove(node: DatasetNode): Promise<{ name: string; text: string }> {
    const ino = this.#numberOf(node)
    const text = await this.#textAt(ino)
    this.#tree.unlink(this.#folderOf(node), node.name)
    this.#tree.forget(ino, 1)
    return { name: node.name, text }
  }

  /** @returns what was at `to` */
  async replace(from: DatasetNode, to: DatasetNode): Promise<string> {
    const ino = this.#numberOf(to)
    const text = await this.#textAt(ino)
    this.#tree.rename(this.#folderOf(from), from.name, this.#folderOf(to), to.name, 'replace')
    this.#tree.forget(ino, 1)
    return text
  }

  /** What became quiet meanwhile becomes a version. */
  rest(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  async close(): Promise<void> {
    for (const ino of this.#open.splice(0)) await this.#closed(ino)
    await this.#tree.settle()
  }

  dispose(): void {
    this.#tree.dispose()
  }

  async #closed(ino: Ino): Promise<string> {
    const text = await this.#textAt(ino)
    await this.#tree.flush(ino)
    this.#tree.forget(ino, 1)
    return `closes ${text}`
  }

  async #textAt(ino: Ino): Promise<string> {
    return (await this.#tree.read(ino, 0, 100)).map(fromUtf8).join('')
  }

  #folderOf(node: DatasetNode): Ino {
    const names = [...this.#dataset.upFrom(node.id)].slice(1).map(({ name }) => name)
    return names.reduceRight((folder, name) => this.#tree.lookup(folder, name)?.ino as Ino, this.#home)
  }

  #numberOf(node: DatasetNode): Ino {
    return this.#tree.lookup(this.#folderOf(node), node.name)?.ino as Ino
  }
}
