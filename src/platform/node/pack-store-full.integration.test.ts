import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ChunkId } from '../../files/chunk-id.ts'
import { MountLab, whyNoMounts } from '../../testkit/mount-lab.ts'
import { PackChunkStore } from './pack-chunk-store.ts'

let lab: MountLab
beforeEach(async () => {
  lab = await MountLab.open()
})
afterEach(() => lab.close())

const idOf = (n: number) => n.toString(16).padStart(64, '0') as ChunkId

it.skipIf(whyNoMounts() !== undefined)(
  '[RP4, CS10] on a disk without room for one byte more, what may go makes room for what is to be kept of other packs',
  async () => {
    const disk = lab.at('disk')
    mkdirSync(disk)
    await lab.run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk])
    const store = new PackChunkStore(path.join(disk, 'packs'), { packBytes: 256 * 1024 })
    let count = 0
    const fill = () => {
      for (;;) store.put({ id: idOf(count++), epoch: 0, bytes: new Uint8Array(8_000).fill(count) })
    }
    expect(fill).toThrow(expect.objectContaining({ code: 'chunk/store-full' }))
    const packs = readdirSync(path.join(disk, 'packs')).length
    expect(packs).toBeGreaterThan(8)
    // Something stays of every pack but one, which is not the oldest.
    const perPack = Math.floor((256 * 1024) / (8_000 + 84))
    const stays = (id: ChunkId) => {
      const n = Number.parseInt(id, 16)
      return n % 10 === 0 && Math.floor(n / perPack) !== 5
    }
    expect(await store.evict(1_000_000, stays)).toBeGreaterThanOrEqual(1_000_000)
    for (let n = 0; n < count - 1; n += 10) {
      if (!stays(idOf(n))) continue
      expect((await store.get(idOf(n)))?.bytes[0]).toBe((n + 1) % 256)
    }
    store.put({ id: idOf(count), epoch: 0, bytes: new Uint8Array(8_000) })
    store.dispose()
  },
)
