import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it, vi } from 'vitest'
import { describeChunkStore } from '../../files/chunk-store.suite.ts'
import type { ChunkId } from '../../files/chunk-id.ts'
import { killedChunk } from '../../testkit/kill-packs.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { PackChunkStore } from './pack-chunk-store.ts'

const syncedFolders = vi.hoisted(() => [] as string[])
const packSyncs = vi.hoisted(() => ({ of: [] as string[], refused: [] as Error[], refusedAfterMs: 0 }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const fsync = (fd: number, done: (error: Error | null) => void) =>
    fs.fsync(fd, (error) => {
      if (!error) syncedFolders.push(fs.readlinkSync(`/proc/self/fd/${fd}`))
      done(error)
    })
  const fdatasync = (fd: number, done: (error: Error | null) => void) => {
    packSyncs.of.push(fs.readlinkSync(`/proc/self/fd/${fd}`))
    const refused = packSyncs.refused.shift()
    if (refused && packSyncs.refusedAfterMs > 0) setTimeout(done, packSyncs.refusedAfterMs, refused)
    else if (refused) process.nextTick(done, refused)
    else fs.fdatasync(fd, done)
  }
  return { ...fs, default: { ...fs, fsync, fdatasync }, fsync, fdatasync }
})

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

it('[CS11] a full pack goes to the disk before anybody asks; what the disk says of it is heard by who asks next', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-packs-'))
  const store = new PackChunkStore(folder, { packBytes: 20_000 })
  try {
    const fill = (from: number) => {
      for (let n = from; n < from + 30; n++) store.put({ id: idOf(n), epoch: 0, bytes: new Uint8Array(1_000).fill(n) })
    }
    packSyncs.of.length = 0
    fill(0)
    expect(packSyncs.of).toEqual([path.join(folder, '00000001.pack')])
    await store.sync()
    // Twice: what was written anew does not lie there either.
    const broken = (how: string) => Object.assign(new Error(`the disk is broken${how}`), { code: 'EIO' })
    packSyncs.refused = [broken(''), broken('')]
    fill(30)
    await expect(store.sync()).rejects.toThrow('the disk is broken')
    expect(packSyncs.refused).toEqual([])
    await store.sync()
    // Who asks while the disk has not said it yet waits for that, and is told.
    packSyncs.refused = [broken(' late'), broken(' late')]
    packSyncs.refusedAfterMs = 50
    fill(60)
    await expect(store.sync()).rejects.toThrow('the disk is broken late')
    await store.sync()
  } finally {
    packSyncs.refusedAfterMs = 0
    packSyncs.refused = []
    store.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
})

it('[CS11] after a sync a new pack is found after a power cut: its folder was synced with it, once for each new one', async () => {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'elsewhere-packs-')), 'packs')
  const syncs = () => syncedFolders.filter((synced) => synced === folder).length
  try {
    const store = new PackChunkStore(folder, { packBytes: 2_000 })
    store.put({ id: idOf(1), epoch: 0, bytes: new Uint8Array(1000) })
    await store.sync()
    const first = syncs()
    store.put({ id: idOf(2), epoch: 0, bytes: new Uint8Array(100) })
    await store.sync()
    const same = syncs()
    store.put({ id: idOf(3), epoch: 0, bytes: new Uint8Array(1500) })
    await store.sync()
    expect([first, same, syncs(), packsIn(folder).length]).toEqual([1, 1, 2, 2])
    store.dispose()
  } finally {
    rmSync(path.dirname(folder), { recursive: true, force: true })
  }
})

it('[CS9] the space of what was dropped comes back: a pack that is a quarter gone is copied forward, measured on the disk', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-packs-'))
  try {
    const onDisk = () => packsIn(folder).reduce((sum, file) => sum + statSync(file).size, 0)
    const store = new PackChunkStore(folder, { packBytes: 200_000 })
    for (let n = 0; n < 400; n++) store.put({ id: idOf(n), epoch: 0, bytes: new Uint8Array(5000).fill(n) })
    const full = onDisk()
    const isGone = (n: number) => n % 3 === 0
    await store.drop(
      Array.from({ length: 400 }, (_, n) => n)
        .filter(isGone)
        .map(idOf),
    )
    expect(onDisk()).toBeGreaterThanOrEqual(full)
    const before = onDisk()
    const freed = await store.reclaim()
    expect(before - onDisk()).toBe(freed)
    expect(freed).toBeGreaterThan(134 * 5000 * 0.9)
    expect(store.stats.bytes).toBe(onDisk())
    expect(await store.reclaim()).toBe(0) // nothing is copied for nothing
    store.dispose()
    const again = new PackChunkStore(folder, { packBytes: 200_000 })
    expect(new Set(again.ids())).toEqual(
      new Set(
        Array.from({ length: 400 }, (_, n) => n)
          .filter((n) => !isGone(n))
          .map(idOf),
      ),
    )
    for (let n = 0; n < 400; n++) expect((await again.get(idOf(n)))?.bytes[0]).toBe(isGone(n) ? undefined : n % 256)
    await again.drop([...again.ids()])
    await again.reclaim()
    expect(onDisk()).toBeLessThan(50_000) // records that say what was dropped, while an older pack is there
    again.dispose()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('[CS10] kill -9 while space is given back, or chunks are evicted, loses nothing that is held or has to stay', {
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-packs-'))
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const held = new Set<number>()
  const killed = { writing: 0, reclaiming: 0, evicting: 0 }
  const kinds = Object.keys(killed) as (keyof typeof killed)[]
  let [from, rounds] = [0, 0]
  try {
    const wanted = roundsOfRun(6, 150)
    for (; rounds < wanted || (kinds.some((kind) => killed[kind] === 0) && rounds < 60); rounds++) {
      const script = fileURLToPath(new URL('../../testkit/kill-packs.ts', import.meta.url))
      const child = spawn(process.execPath, [script, folder, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      let doing: keyof typeof killed = 'writing'
      const aim = kinds[rounds % kinds.length]
      let told = 0
      const enough = 100 + random.below(250)
      for await (const line of createInterface({ input: child.stdout })) {
        const [what, n] = line.split(' ')
        if (what === 'held') held.add((from = Math.max(from, Number(n) + 1)) && Number(n))
        else if (what === 'dropping') held.delete(Number(n))
        else doing = what === 'reclaiming' || what === 'evicting' ? what : 'writing'
        if (++told >= enough && (aim === 'writing' || what === aim)) setTimeout(() => child.kill('SIGKILL'), random.below(4))
      }
      await ended
      killed[doing]++
      const store = new PackChunkStore(folder, { packBytes: 100_000 })
      const lost: number[] = []
      for (const n of held) {
        const found = await store.get(killedChunk(n).id)
        if (!found || Buffer.compare(found.bytes, killedChunk(n).bytes) !== 0) lost.push(n)
      }
      store.dispose()
      expect({ seed, rounds, lost }).toEqual({ seed, rounds, lost: [] })
    }
    console.info(`kill -9 of a store of chunks: seed ${seed}, ${rounds} rounds`, killed)
    for (const kind of kinds) expect({ kind, isAny: killed[kind] > 0 }).toEqual({ kind, isAny: true })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
