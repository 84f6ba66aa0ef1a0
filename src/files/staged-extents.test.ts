import { expect, it } from 'vitest'
import { BlockPool, StagedExtents } from './staged-extents.ts'

const BLOCK = 65_536

it('[FC8] a block that is used again tells nothing of the file it was of', () => {
  const pool = new BlockPool(4 * BLOCK)
  const first = new StagedExtents(pool)
  first.write(0, new Uint8Array(3 * BLOCK).fill(0xaa))
  first.release()
  expect(first.isEmpty).toBe(true)
  expect(first.memoryBytes).toBe(0)
  const second = new StagedExtents(pool)
  // The end of a block makes it a whole one; nothing of it was written before.
  second.write(BLOCK - 10, new Uint8Array(10).fill(1))
  second.write(2 * BLOCK - 1, new Uint8Array(2).fill(2))
  second.zero(3 * BLOCK, 5)
  expect(second.extents()).toEqual([
    { offset: BLOCK - 10, length: 10 },
    { offset: 2 * BLOCK - 1, length: 2 },
    { offset: 3 * BLOCK, length: 5 },
  ])
  const read = new Uint8Array(4 * BLOCK)
  expect(second.readInto(read, 0).reduce((sum, { length }) => sum + length, 0)).toBe(4 * BLOCK - 17)
  expect(read.some((byte) => byte === 0xaa)).toBe(false)
  expect([...read.subarray(BLOCK - 11, BLOCK + 1)]).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0])
  // Grown to a whole block from a short one: what it grows by is not of another file either.
  const third = new StagedExtents(pool)
  third.write(0, new Uint8Array(10).fill(3))
  third.write(40_000, new Uint8Array(BLOCK - 40_000).fill(4))
  expect(third.readInto(read.fill(0), 0)[0]).toEqual({ offset: 10, length: 39_990 })
  expect(read.some((byte) => byte === 0xaa)).toBe(false)
})

it('[FC8] whole blocks are used again, as many as are to be kept, until they are let go of', () => {
  const pool = new BlockPool(2 * BLOCK)
  const blocks = [new Uint8Array(BLOCK), new Uint8Array(BLOCK), new Uint8Array(BLOCK)]
  for (const block of blocks) pool.give(block)
  pool.give(new Uint8Array(100))
  expect([pool.take(), pool.take(), pool.take()]).toEqual([blocks[1], blocks[0], undefined])
  pool.give(blocks[0] as Uint8Array)
  pool.clear()
  expect(pool.take()).toBeUndefined()
})
