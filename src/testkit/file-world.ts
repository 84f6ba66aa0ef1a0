import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { ChunkSource } from '../files/content-reader.ts'
import type { DatasetNode } from '../files/dataset-node.ts'
import type { DatasetStore } from '../files/dataset-store.ts'
import { bringSegments, testFileDevice, type TestFileDevice } from './file-device.ts'
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
  #written = 0

  /** `storeOf`: where a bug is planted. */
  constructor(random: SeededRandom, storeOf: (n: number) => DatasetStore, deviceOf: FileDeviceOf = testFileDevice) {
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
  }

  async step(): Promise<void> {
    const random = this.#random
    for (const clock of this.clocks) clock.advance(random.below(400))
    if (random.chance(0.25)) {
      const [from, to] = [random.below(3), random.below(3)]
      this.steps.push(`${from} > ${to}`)
      if (from !== to) this.bring(from, to)
      return
    }
    const { dataset, n } = random.pick(this.devices)
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
          this.live.add(await this.textOf(n, dataset.require(back.node.id)))
        }
      }
      this.steps.push(`${n}: ${what} ${any?.name ?? ''} ${name}`)
    } catch (error) {
      if (!String((error as { code?: string }).code).startsWith('file/')) throw error
    }
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
