import { fdatasync, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { errorCode } from '../../base/errors.ts'
import type { ChunkId } from '../../files/chunk-id.ts'
import { PackChunkStore } from './pack-chunk-store.ts'

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  return { ...fs, readSync: vi.fn(fs.readSync), openSync: vi.fn(fs.openSync), fdatasync: vi.fn(fs.fdatasync) }
})

let folder = ''
let store: PackChunkStore
const idOf = (n: number) => n.toString(16).padStart(64, '0') as ChunkId
const bytesOf = (n: number) => utf8(`sealed ${n} `.repeat(200))
const failure = (code: string) => Object.assign(new Error(code), { code })

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-bad-sector-'))
  store = new PackChunkStore(folder, { packBytes: 8_000 })
  for (let n = 1; n <= 12; n++) store.put({ id: idOf(n), epoch: 0, bytes: bytesOf(n) })
})
afterEach(() => {
  for (const one of [readSync, openSync, fdatasync]) vi.mocked(one as typeof readSync).mockReset()
  store.dispose()
  rmSync(folder, { recursive: true, force: true })
})

/** Reads of these bytes of the first pack fail from now on. */
async function spoil(isBad: (position: number, length: number) => boolean): Promise<void> {
  const real = (await vi.importActual<typeof import('node:fs')>('node:fs')).readSync
  let spoilt: number | undefined
  vi.mocked(readSync).mockImplementation(((file: number, bytes: Buffer, offset: number, length: number, position: number) => {
    spoilt ??= file
    if (file === spoilt && isBad(position, length)) throw failure('EIO')
    return real(file, bytes, offset, length, position)
  }) as typeof readSync)
  await store.get(idOf(1)) // the first that is read is of the first pack
}

it('[CS13] a chunk on a bad sector counts as not held, so that another device is asked; the cache gives way elsewhere', async () => {
  await store.sync()
  expect(await store.get(idOf(2))).toBeDefined()
  await spoil((position) => position >= 1_000)
  expect([await store.get(idOf(2)), store.has(idOf(2))]).toEqual([undefined, false])
  const before = readdirSync(folder).length
  expect(await store.evict(16_000, (id) => id === idOf(3))).toBeGreaterThanOrEqual(8_000)
  expect(readdirSync(folder).length).toBeLessThan(before)
  store.put({ id: idOf(2), epoch: 0, bytes: bytesOf(2) })
  expect((await store.get(idOf(2)))?.bytes).toEqual(bytesOf(2))
})

it('[CS13] a chunk that the disk lost and nobody needs holds up no sync when the cache has given way; one that is needed does', async () => {
  await store.sync()
  for (const isNeeded of [true, false]) {
    const id = idOf(isNeeded ? 20 : 21)
    store.put({ id, epoch: 0, bytes: bytesOf(20) })
    vi.mocked(fdatasync).mockImplementationOnce(((_: number, done: (error: Error | null) => void) => {
      done(failure('EIO'))
    }) as typeof fdatasync)
    vi.mocked(readSync).mockImplementation(() => {
      throw failure('EIO')
    })
    await expect(store.sync().catch((error) => Promise.reject(new Error(errorCode(error))))).rejects.toThrow('EIO')
    vi.mocked(readSync).mockReset()
    await store.evict(1, (one) => isNeeded || one !== id)
    if (isNeeded) {
      await expect(store.sync()).rejects.toThrow('EIO')
      store.put({ id, epoch: 0, bytes: bytesOf(20) })
    }
    await store.sync()
  }
})

it('[CS13] that no pack can be made on a full disk is said as that a full disk keeps nothing more', async () => {
  const real = (await vi.importActual<typeof import('node:fs')>('node:fs')).openSync
  vi.mocked(openSync).mockImplementation(((file: string, flags: string, mode: number) => {
    if (flags === 'wx+') throw failure('ENOSPC')
    return real(file, flags, mode)
  }) as typeof openSync)
  let said: unknown
  try {
    for (let n = 30; n < 40; n++) store.put({ id: idOf(n), epoch: 0, bytes: bytesOf(n) })
  } catch (error) {
    said = error
  }
  expect(errorCode(said)).toBe('chunk/store-full')
})

it('[CS13] what is to stay of a pack that goes is where it was, when the disk loses what it was copied to', async () => {
  await store.sync()
  const fs = await vi.importActual<typeof import('node:fs')>('node:fs')
  const first = readdirSync(folder).sort()[0] as string
  let refused = 0
  /** All but the first pack lies on bad sectors. */
  const isBad = (file: number) => !fs.readlinkSync(`/proc/self/fd/${file}`).endsWith(first)
  vi.mocked(fdatasync).mockImplementation(((file: number, done: (error: Error | null) => void) => {
    if (!isBad(file)) return fs.fdatasync(file, done)
    refused++
    setImmediate(() => done(failure('EIO')))
  }) as typeof fdatasync)
  vi.mocked(readSync).mockImplementation(((file: number, bytes: Buffer, offset: number, length: number, position: number) => {
    if (isBad(file)) throw failure('EIO')
    return fs.readSync(file, bytes, offset, length, position)
  }) as typeof readSync)
  const isKept = (id: ChunkId) => id !== idOf(2)
  await store.evict(1_000, isKept).catch(() => {})
  expect(refused).toBeGreaterThan(0)
  for (const one of [readSync, fdatasync]) vi.mocked(one as typeof readSync).mockReset()
  await store.sync()
  await store.evict(1_000, isKept)
  for (let n = 1; n <= 12; n++) if (n !== 2) expect((await store.get(idOf(n)))?.bytes).toEqual(bytesOf(n))
  store.dispose()
  store = new PackChunkStore(folder, { packBytes: 8_000 })
  for (let n = 1; n <= 12; n++) if (n !== 2) expect((await store.get(idOf(n)))?.bytes).toEqual(bytesOf(n))
})
