import { fromUtf8, toBase64Url, utf8 } from '../base/bytes.ts'
import type { Disposable } from '../base/disposable.ts'
import { errorCode } from '../base/errors.ts'
import { silentLogger } from '../base/logger.ts'
import type { ChunkId } from '../files/chunk-id.ts'
import type { DatasetNode } from '../files/dataset-node.ts'
import type { DatasetStore } from '../files/dataset-store.ts'
import { FilePeer } from '../files/file-peer.ts'
import { MemoryChunkStore } from '../files/memory-chunk-store.ts'
import { MemoryDatasetStore } from '../files/memory-dataset-store.ts'
import { OpenDataset } from '../files/open-dataset.ts'
import { pagedVersions } from '../files/paged-versions.ts'
import { restoreVersion } from '../files/restore-version.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { testSegmentSigner } from './file-device.ts'
import { testDatasetKeys } from './file-parts.ts'
import { ManualClock } from './manual-clock.ts'
import { memoryChannelPair } from './memory-channels.ts'
import type { SeededRandom } from './seeded-random.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** What happens, by number; what makes and loses garbage comes more often. */
const STEPS = [0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 6, 6, 7, 8, 9, 9, 9, 10, 11, 11, 11, 12, 12, 12, 13, 13]
const NEVER = new AbortController().signal

/** Ids by the seed: who keeps what is decided by hashes of them. */
class SeededCrypto extends NodeFilesCrypto {
  readonly #random: SeededRandom
  constructor(random: SeededRandom) {
    super()
    this.#random = random
  }
  override randomBytes(length: number): Uint8Array {
    return this.#random.bytes(length)
  }
}

/** Devices with one dataset, linked or not, real exchange, book and housekeeping; only the disks are memory. */
export class GarbageWorld implements Disposable {
  readonly clock = new ManualClock(Date.UTC(2026, 0, 1))
  readonly devices: readonly OpenDataset[]
  readonly steps: string[] = []
  readonly #random: SeededRandom
  readonly #links = new Map<string, Disposable>()
  #written = 0

  /** `storeOf`: where a bug is planted. `limits`: of the caches of some. */
  constructor(
    random: SeededRandom,
    count: number,
    storeOf: (clock: ManualClock) => DatasetStore,
    limits: readonly number[] = [],
    isMetered?: () => Promise<boolean>,
  ) {
    this.#random = random
    const crypto = new SeededCrypto(random)
    const keys = testDatasetKeys()
    const signers = Array.from({ length: count }, (_, n) => testSegmentSigner(n))
    const devices = signers.map(({ device }, n) => ({ device, name: `device ${n}`, isMember: true }))
    this.devices = signers.map(({ device, certificate }, n) => {
      const more = { limitBytes: limits[n] ?? 2 ** 40, dispose: () => {} }
      const openStores = (_dataset: string, _key: Uint8Array, part: 'shared' | 'local') => {
        const store = part === 'shared' ? storeOf(this.clock) : new MemoryDatasetStore()
        return { store, chunks: new MemoryChunkStore(), ...more }
      }
      return new OpenDataset(
        { crypto, clock: this.clock, logger: silentLogger, openStores, isMetered },
        {
          dataset: keys.dataset,
          name: 'Home',
          device,
          idKey: toBase64Url(new Uint8Array(32).fill(7)),
          epochs: [{ epoch: 0, key: toBase64Url(new Uint8Array(32).fill(0x40)) }],
          storageKey: toBase64Url(new Uint8Array(32)),
          segmentSeed: toBase64Url(new Uint8Array(32).fill(200 + n)),
          certificate: toBase64Url(certificate),
          devices,
        },
      )
    })
  }

  link(a: number, b: number): void {
    const key = [a, b].sort().join()
    if (a === b || this.#links.has(key)) return
    const [near, far] = memoryChannelPair()
    const peers = [
      [a, b, near],
      [b, a, far],
    ] as const
    const ends = peers.map(([self, other, channel]) => {
      const open = this.#at(self)
      const peer = new FilePeer({ device: this.#at(other).self, channel, require: () => open, logger: silentLogger })
      peer.attach(open)
      return peer
    })
    this.#links.set(key, { dispose: () => ends.forEach((end) => end.dispose()) })
  }

  cut(a: number): void {
    for (const [key, link] of this.#links) {
      if (!key.split(',').includes(String(a))) continue
      link.dispose()
      this.#links.delete(key)
    }
  }

  linkAll(): void {
    for (const a of this.devices.keys()) for (const b of this.devices.keys()) this.link(a, b)
  }

  /** Until nothing moves any more. */
  async settle(): Promise<void> {
    let before = ''
    for (let same = 0; same < 8; ) {
      await new Promise((resolve) => setImmediate(resolve))
      const now = this.devices.map(({ dataset, book, chunks }) => {
        dataset.flush()
        return [...dataset.frontier().values()].join() + book.owed.length + book.unsafe.length + [...chunks.ids()].length
      })
      same = now.join() === before ? same + 1 : 0
      before = now.join()
    }
  }

  async tidy(n: number): Promise<void> {
    const running = this.#at(n)
      .housekeeping.run()
      .then(() => 'done')
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
    while ((await Promise.race([running, turn()])) !== 'done') this.clock.advance(20)
  }

  /** Lets go of all that this device need not keep. */
  async evict(n: number): Promise<void> {
    await this.#at(n).makeRoom(0, 0)
  }

  async step(longestMs = 3 * DAY_MS): Promise<void> {
    const random = this.#random
    const what = random.pick(STEPS)
    const n = random.below(this.devices.length)
    const { dataset } = this.#at(n)
    const files = dataset.children(dataset.root).filter(({ kind }) => kind === 'file')
    const any = files.length > 0 ? random.pick(files) : undefined
    this.steps.push(`${n}: ${what} ${any?.name ?? ''}`)
    try {
      if (what === 0) this.clock.advance(random.below(longestMs))
      else if (what === 1) this.clock.advance(random.below(3 * 60 * MINUTE_MS))
      else if (what === 2) this.cut(n)
      else if (what === 3) this.link(n, random.below(this.devices.length))
      else if (what === 4 && random.chance(0.5)) this.linkAll()
      else if (what === 5 && files.length < 4) await this.write(n, dataset.createFile(dataset.root, `f${this.#written}`))
      else if (what === 6 && any) await this.write(n, any)
      else if (what === 7 && any) dataset.remove(any.id)
      else if (what === 8) dataset.forget(dataset.removed().map(({ node }) => node.id))
      else if (what === 9 && any) dataset.createFile(dataset.root, `copy ${this.#written++}`, { manifest: any.manifest })
      else if (what === 10 && any) {
        const version = random.pick(dataset.versions(any.id))
        if (!version.isRemoval) await restoreVersion(this.#at(n), any.id, version.version, NEVER)
      } else if (what === 11) await this.tidy(n)
      else if (what === 12) await this.evict(n)
      else if (what === 13) await this.settle()
    } catch (error) {
      if (!/^(file|chunk)\//.test(String(errorCode(error)))) throw error
    }
  }

  async write(n: number, node: DatasetNode): Promise<void> {
    const { dataset } = this.#at(n)
    const bytes = utf8(`text ${++this.#written} of ${n}`)
    const read = (offset: number, length: number) => bytes.subarray(offset, offset + length)
    await dataset.commitContent(node.id, node.version, { bytes: bytes.length, extents: [{ offset: 0, length: bytes.length }], read })
  }

  /** Everybody meets, tidies and meets again. */
  async meet(): Promise<void> {
    this.linkAll()
    await this.settle()
    for (let round = 0; round < 2; round++) {
      for (const n of this.devices.keys()) await this.tidy(n)
      await this.settle()
    }
  }

  /** Versions that history shows and nobody can read, by name: all devices are asked. */
  async lost(n: number): Promise<string[]> {
    const { dataset } = this.#at(n)
    const lost: string[] = []
    for (const { node, version } of pagedVersions(this.#at(n).store)) {
      if (version.content.kind !== 'file' || !dataset.keeps(node, version.op)) continue
      const { manifest } = version.content
      const reading = dataset.reader.read(manifest, 0, 100).then(fromUtf8)
      const text = await Promise.race([reading.catch((error: unknown) => String(errorCode(error))), this.#later()])
      if (manifest.bytes > 0 && !text.startsWith('text ')) lost.push(`${dataset.node(node)?.name ?? node} ${version.op}: ${text}`)
    }
    return lost
  }

  /** Chunks of a device that no version it keeps names. */
  garbage(n: number): ChunkId[] {
    const named = new Set<ChunkId | undefined>()
    for (const { version } of pagedVersions(this.#at(n).store))
      if (version.content.kind === 'file') for (const { id } of version.content.manifest.pieces) named.add(id)
    return [...this.#at(n).chunks.ids()].filter((id) => !named.has(id))
  }

  dispose(): void {
    for (const link of this.#links.values()) link.dispose()
    for (const device of this.devices) device.dispose()
  }

  /** A source that does not answer is asked again by the clock, which moves meanwhile. */
  async #later(): Promise<string> {
    for (let turn = 0; turn < 100; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      this.clock.advance(100)
    }
    return 'no answer'
  }

  #at(n: number): OpenDataset {
    return this.devices[n] as OpenDataset
  }
}
