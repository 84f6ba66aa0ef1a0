import { expect, it } from 'vitest'
import type { ChunkId } from './chunk-id.ts'
import { PieceList } from './piece-list.ts'

it('[FC7] the piece that an offset lies in is found, at its first and its last byte', () => {
  const lengths = [16, 1, 300, 70, 5]
  const list = new PieceList(lengths.map((length, n) => ({ id: `${n}` as ChunkId, length })))
  let start = 0
  lengths.forEach((length, n) => {
    expect([list.startOf(n), list.at(start), list.at(start + length - 1)]).toEqual([start, n, n])
    start += length
  })
  expect([list.at(start + 9), new PieceList([]).at(3)]).toEqual([4, 0])
})
