import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { describeChunkStore } from '../../files/chunk-store.suite.ts'
import type { ChunkId } from '../../files/chunk-id.ts'
import { PackChunkStore } from './pack-chunk-store.ts'

const packsIn = (folder: string) =>
  readdirSync(folder)
    .sort()
    .map((name) => path.join(folder, name))

function flipBit(file: string, at: number): void {
  const fd = openSync(file, 'r+')
  writeSync(fd, Buffer.of((readFileSync(file)[at] as number) ^ 1), 0, 1, at)
  closeSync(fd)
}

describeChunkStore('packs', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-packs-'))
  let store = new PackChunkStore(folder, { packBytes: 20_000 })
  return {
    store,
    reopen: async () => {
      store.dispose()
      store = new PackChunkStore(folder, { packBytes: 20_000 })
      return store
    },
    damage: async (id) => {
      const head = Buffer.from(id, 'hex')
      for (const file of packsIn(folder)) {
        const at = readFileSync(file).indexOf(head)
        if (at >= 0) return flipBit(file, at + 300)
      }
    },
    dispose: async () => {
      store.dispose()
      rmSync(folder, { recursive: true, force: true })
    },
  }
})

const idOf = (n: number) => n.toString(16).padStart(64, '0') as ChunkId

it('[CS7] a cut-off tail and a damaged header cost the chunks they hit and no other', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-packs-'))
  try {
    const first = new PackChunkStore(folder)
    for (let n = 0; n < 10; n++) await first.put({ id: idOf(n), epoch: 0, bytes: new Uint8Array(500).fill(n) })
    first.dispose()
    const file = packsIn(folder)[0] as string
    flipBit(file, 3 * 584 + 20) // the id of the fourth
    truncateSync(file, statSync(file).size - 100)
    const again = new PackChunkStore(folder)
    expect([...again.ids()].sort()).toEqual([0, 1, 2, 4, 5, 6, 7, 8].map(idOf))
    await again.put({ id: idOf(9), epoch: 1, bytes: new Uint8Array(500).fill(9) })
    expect(await again.get(idOf(9))).toEqual({ id: idOf(9), epoch: 1, bytes: new Uint8Array(500).fill(9) })
    again.dispose()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
