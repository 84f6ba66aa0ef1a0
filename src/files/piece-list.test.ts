import { expect, it } from 'vitest'
import type { ChunkId } from './chunk-id.ts'
import { encodeRecords, type Piece } from './manifest.ts'
import { PieceBlock, PieceList } from './piece-list.ts'

it('[FC7] the piece that an offset lies in is found, at its first and its last byte', () => {
  const lengths = [16, 1, 300, 70, 5]
  const pieces = lengths.map((length, n) => ({ id: `${n + 1}`.repeat(64) as ChunkId, length }))
  const from = (list: PieceList, offset: number, end = list.bytes) => {
    const found: { piece: Piece; start: number }[] = []
    list.each(offset, end, (piece, start) => void found.push({ piece, start }))
    return found
  }
  for (const list of [PieceList.of(pieces), new PieceList([new PieceBlock(encodeRecords(pieces.slice(0, 2))), pieces.slice(2)])]) {
    let start = 0
    lengths.forEach((length, n) => {
      const placed = pieces.slice(n).map((piece, m) => ({ piece, start: start + lengths.slice(n, n + m).reduce((a, b) => a + b, 0) }))
      expect(from(list, start)).toEqual(placed)
      expect(from(list, start + length - 1)).toEqual(placed)
      expect(from(list, start, start + length)).toEqual(placed.slice(0, 1))
      start += length
    })
    expect([list.bytes, list.all(), from(list, start + 9, start + 10)]).toEqual([start, pieces, []])
  }
  expect(from(PieceList.of([]), 3, 4)).toEqual([])
})
