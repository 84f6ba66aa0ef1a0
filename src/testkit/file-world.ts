import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { ChunkSource } from '../files/content-reader.ts'
import type { DatasetNode } from '../files/dataset-node.ts'
import type { DatasetStore } from '../files/dataset-store.ts'
import { bringSegments, testFileDevice, type TestFileDevice } from './file-device.ts'
import { FileWorldMount, type FileWorldMounts } from './file-world-mount.ts'
import { ManualClock } from './manual-clock.ts'
import type { SeededRandom } from './seeded-random.ts'

type FileDeviceOf = (
  n: number,
  clock: ManualClock,
  options: { readonly store: DatasetStore; readonly source: ChunkSource },
) => TestFileDevice

/**
 * Three devices that change one tree of files, linked or not, with clocks a day apart; and a model that knows only this: a text
 * that somebody wrote is lost when somebody who saw it in that file wrote over it or removed it, and never otherwise.
 */
export class FileWorld {
  readonly clocks: readonly ManualClock[]
  readonly devices: readonly TestFileDevice[]
  readonly steps: string[] = []
  /** Texts that must be found in the end. */
  readonly live = new Set<string>()
  readonly all = new Set<string>()
  readonly #random: SeededRandom
  readonly #mounts: readonly FileWorldMount[]
  /** What programs wrote over in an open file: restored before that is a version, it may be replaced by it, for it was seen. */
  readonly #covered = new Set<string>()
  #written = 0

  /** `storeOf`, `plant`: where a bug is planted. `mounts`: programs work in a mount of each device, too. */
  constructor(
    random: SeededRandom,
    storeOf: (n: number) => DatasetStore,
    deviceOf: FileDeviceOf = testFileDevice,
    mounts?: FileWorldMounts,
  ) {
    this.#random = random
    this.clocks = [0, 86_400_000, -86_400_000].map((offset) => new ManualClock(1_700_000_000_000 + offset))
    this.devices = this.clocks.map((clock, n) => {
      const source: ChunkSource = {
        fetch: async (id) => {
          for (const { chunks } of this.devices) {
            const chunk = await chunks.get(id)
            if (chunk) return chunk
          }
          return undefined
        },
      }
      return deviceOf(n, clock, { store: storeOf(n), source })
    })
    this.#mounts = mounts ? this.devices.map(({ dataset }, n) => new FileWorldMount(dataset, this.clocks[n] as ManualClock, mounts)) : []
  }

  async step(): Promise<void> {
    const random = this.#random
    for (const clock of this.clocks) clock.advance(random.below(400))
    for (const mount of this.#mounts) await mount.rest()
    if (random.chance(0.25)) {
      const [from, to] = [random.below(3), random.below(3)]
      this.steps.push(`${from} > ${to}`)
      if (from !== to) this.bring(from, to)
      return
    }
    const { dataset, n } = random.pick(this.devices)
    if (this.#mounts.length > 0 && random.chance(0.4)) return this.#stepInMount(n)
    const nodes = this.nodesOf(n)
    const folders = nodes.filter(({ kind }) => kind === 'folder')
    const parent = random.chance(0.3) || folders.length === 0 ? dataset.root : random.pick(folders).id
    const name = random.pick(['a', 'b', 'c.txt', 'dir', 'dir2'])
    const any = nodes.length > 0 ? random.pick(nodes) : undefined
    const what = random.below(10)
    try {
      if (what <= 1) await this.#write(n, dataset.createFile(parent, name))
      else if (what === 2) dataset.makeFolder(parent, name)
      else if (what <= 4 && any) {
        if (any.kind === 'file') await this.#write(n, any)
      } else if (what === 5 && any) dataset.move(any.id, parent, random.chance(0.5) ? name : any.name)
      else if (what === 6 && any) {
        const there = dataset.lookup(parent, name)
        const lost = there && there.kind === 'file' && there.id !== any.id && any.kind === 'file' ? await this.textOf(n, there) : undefined
        dataset.move(any.id, parent, name, { replace: true })
        if (lost !== undefined) this.live.delete(lost)
      } else if (what === 7 && any) {
        const gone = await this.#textsUnder(n, any)
        dataset.removeAll(any.id)
        for (const text of gone) this.live.delete(text)
      } else if (what === 8 && any) dataset.setAttributes(any.id, { mode: random.below(0o777) })
      else if (what === 9) {
        const back = dataset.removed().find(({ node }) => node.kind === 'file')
        if (back) {
          dataset.restore(back.node.id)
          const text = await this.textOf(n, dataset.require(back.node.id))
          if (!this.#covered.has(text)) this.live.add(text)
        }
      }
      this.steps.push(`${n}: ${what} ${any?.name ?? ''} ${name}`)
    } catch (error) {
      if (!String((error as { code?: string }).code).startsWith('file/')) throw error
    }
  }

  /** A program on device `n` opens a file of its mount, writes into one that is open, closes, syncs or removes one. */
  async #stepInMount(n: number): Promise<void> {
    const random = this.#random
    const mount = this.#mounts[n] as FileWorldMount
    const files = this.nodesOf(n).filter(({ kind }) => kind === 'file')
    const what = random.below(10)
    let said: string | undefined
    if (what <= 1 || mount.openCount === 0) said = files.length > 0 ? mount.open(random.pick(files)) : undefined
    else if (what <= 5) {
      const text = `text ${++this.#written} of ${n}`
      const { before, isRemoved } = await mount.write(random, text)
      this.live.delete(before)
      this.#covered.add(before)
      if (!isRemoved) this.live.add(text)
      this.all.add(text)
      said = `${before} becomes ${text}`
    } else if (what <= 7) said = await mount.end(random, random.chance(0.7))
    else if (what === 8 && files.length > 0) {
      const { name, text } = await mount.remove(random.pick(files))
      this.live.delete(text)
      said = `removes ${name} with ${text}`
    } else said = await this.#rename(mount, random, files)
    await mount.rest()
    this.steps.push(`${n} mount: ${said ?? 'nothing'}`)
  }

  /** Over another file, of a name that carries no mark: what that held when it went is gone. */
  async #rename(mount: FileWorldMount, random: SeededRandom, files: readonly DatasetNode[]): Promise<string | undefined> {
    const targets = files.filter(({ name }) => !name.includes('('))
    if (targets.length === 0) return undefined
    const [from, to] = [random.pick(files), random.pick(targets)]
    if (from.id === to.id) return undefined
    const text = await mount.replace(from, to)
    this.live.delete(text)
    return `${from.name} over ${to.name} with ${text}`
  }

  /** Programs close all they have open. */
  async closeAll(): Promise<void> {
    for (const mount of this.#mounts) await mount.close()
  }

  dispose(): void {
    for (const mount of this.#mounts) mount.dispose()
  }

  bring(from: number, to: number): void {
    bringSegments((this.devices[from] as TestFileDevice).dataset, (this.devices[to] as TestFileDevice).dataset)
  }

  bringAll(): void {
    for (let round = 0; round < 2; round++) for (const from of [0, 1, 2]) for (const to of [0, 1, 2]) if (from !== to) this.bring(from, to)
  }

  nodesOf(n: number): DatasetNode[] {
    const { dataset } = this.devices[n] as TestFileDevice
    const found: DatasetNode[] = []
    const visit = (node: DatasetNode) => {
      found.push(node)
      if (node.kind === 'folder') for (const child of dataset.children(node.id)) visit(child)
    }
    for (const child of dataset.children(dataset.root)) visit(child)
    return found.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  async textOf(n: number, node: DatasetNode): Promise<string> {
    return fromUtf8(await (this.devices[n] as TestFileDevice).dataset.readRange(node.id, 0, 100))
  }

  /** Path, kind, mode and text of everything, as a device shows it. */
  async listing(n: number): Promise<string[]> {
    const { dataset } = this.devices[n] as TestFileDevice
    const lines = this.nodesOf(n).map(async (node) => {
      const text = node.kind === 'file' ? await this.textOf(n, node) : node.kind
      return `${dataset.pathOf(node.id)} ${node.mode} ${text} ${node.id.slice(0, 4)}`
    })
    return (await Promise.all(lines)).sort()
  }

  async texts(n: number): Promise<Set<string>> {
    const files = this.nodesOf(n).filter(({ kind }) => kind === 'file')
    return new Set(await Promise.all(files.map((node) => this.textOf(n, node))))
  }

  async #textsUnder(n: number, node: DatasetNode): Promise<string[]> {
    if (node.kind === 'file') return [await this.textOf(n, node)]
    const { dataset } = this.devices[n] as TestFileDevice
    const under = dataset.children(node.id).map((child) => this.#textsUnder(n, child))
    return (await Promise.all(under)).flat()
  }

  async #write(n: number, node: DatasetNode): Promise<void> {
    const { dataset } = this.devices[n] as TestFileDevice
    const before = await this.textOf(n, node)
    const text = `text ${++this.#written} of ${n}`
    const bytes = utf8(text)
    const read = (offset: number, length: number) => bytes.subarray(offset, offset + length)
    await dataset.commitContent(node.id, node.version, { bytes: bytes.length, extents: [{ offset: 0, length: bytes.length }], read })
    this.live.delete(before)
    this.live.add(text)
    this.all.add(text)
  }
}
