import { expect, it } from 'vitest'
import { contentParts } from '../testkit/file-parts.ts'
import { ContentReader } from './content-reader.ts'
import { MANIFEST_CUT } from './cut-chunks.ts'
import { encodePieces, type Manifest, type Piece } from './manifest.ts'
import { MemoryChunkStore } from './memory-chunk-store.ts'

/** Counts what is read of it. */
class CountedChunks extends MemoryChunkStore {
  reads = 0
  override get(...of: Parameters<MemoryChunkStore['get']>) {
    this.reads++
    return super.get(...of)
  }
}

function listParts() {
  const store = new CountedChunks()
  const { cipher, cutter } = contentParts({ store })
  let pauses = 0
  const reader = new ContentReader(store, cipher, undefined, async () => void pauses++)
  const put = (plain: Uint8Array): Piece => {
    const id = cipher.idOf(plain)
    void store.put(cipher.seal(id, plain))
    return { id, length: plain.length }
  }
  /** As content is written: cut where lists are cut, until so few pieces are left that an op holds them. */
  const listed = (list: Uint8Array, bytes: number): Manifest => {
    for (let [level, depth] = [list, 1]; ; depth++) {
      const pieces: Piece[] = []
      for (let at = 0; at < level.length; at += pieces.at(-1)?.length as number)
        pieces.push(put(level.subarray(at, at + cutter.next(level, at, MANIFEST_CUT))))
      if (pieces.length <= 64) return { bytes, depth, pieces }
      level = encodePieces(pieces)
    }
  }
  return { store, reader, put, listed, pauses: () => pauses }
}

/** A list of 6,890 pieces in one chunk of 64 KiB that a list of lists names again and again. */
function bomb(times: number, said: number) {
  const parts = listParts()
  const leaf = { ...parts.put(new Uint8Array(100)), length: said }
  const head = parts.put(encodePieces([leaf]))
  const body = parts.put(encodePieces(Array.from({ length: 1720 }, () => leaf)).subarray(1))
  const lists = parts.put(encodePieces([head, ...Array.from({ length: times }, () => body)]))
  const manifest: Manifest = { bytes: (times * 1720 + 1) * said, depth: 2, pieces: [lists] }
  return { ...parts, manifest }
}

it('[FC9] a list that says more pieces than a content of its size can have is refused before they are read', async () => {
  const { reader, store, manifest } = bomb(400, 100)
  let seen = 0
  const look = (pieces: readonly Piece[]) => void (seen += pieces.length)
  await expect(reader.pieces(manifest)).rejects.toMatchObject({ code: 'content/malformed' })
  await expect(reader.eachListed(manifest, look)).rejects.toMatchObject({ code: 'content/malformed' })
  expect(await reader.eachListedHere(manifest, look)).toBe(false)
  expect([store.reads <= 3, seen <= 3 * 402]).toEqual([true, true])
})

it('[FC9] what a list names again and again is read and told once, and stands once in memory', async () => {
  const { reader, store, manifest, pauses } = bomb(1600, 256 * 1024)
  let seen = 0
  await reader.eachListed(manifest, (pieces) => void (seen += pieces.length))
  expect(seen).toBeLessThan(2 * 1720 + 1602 + 100)
  expect(await reader.eachListedHere(manifest, () => {})).toBe(true)
  expect([store.reads < 20, pauses() > 2]).toEqual([true, true])
  // In the middle of 700 GB, and at the end, it reads as what it says it is: a chunk of another length.
  await expect(reader.read(manifest, manifest.bytes - 10, 10)).rejects.toMatchObject({ code: 'content/malformed' })
})

it('[FC9] a list with more bytes, or fewer, than the content, one that ends in the middle of a piece, of another version, or of itself has no pieces', async () => {
  const { reader, put } = listParts()
  const leaf = put(new Uint8Array(70_000))
  const list = encodePieces([leaf, leaf])
  const of = (bytes: Uint8Array, more: object = {}): Manifest => ({ bytes: 140_000, depth: 1, pieces: [put(bytes)], ...more })
  expect(await reader.pieces(of(list))).toEqual([leaf, leaf])
  const odd = [list.subarray(0, -1), Uint8Array.of(2, ...list.subarray(1)), Uint8Array.of(...list.subarray(0, 39)), new Uint8Array(0)]
  for (const bytes of odd) await expect(reader.pieces(of(bytes))).rejects.toMatchObject({ code: 'content/malformed' })
  const manifests = [of(list, { bytes: 139_999 }), of(list, { bytes: 140_001 }), of(list, { depth: 2 }), of(list, { pieces: [] })]
  manifests.push(of(list, { pieces: [{ id: undefined, length: 77 }] }), of(list, { pieces: [{ ...put(list), length: 115 }] }))
  for (const manifest of manifests) await expect(reader.pieces(manifest)).rejects.toMatchObject({ code: 'content/malformed' })
})

it('[FC9] a list that is cut anywhere, in pieces of any length, says what it says', async () => {
  const { reader, put } = listParts()
  const pieces = Array.from(
    { length: 300 },
    (_, n): Piece => ({ id: n % 7 ? put(Uint8Array.of(n, n >> 8)).id : undefined, length: 70_000 + n }),
  )
  const list = encodePieces(pieces)
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
  for (const step of [1500, 39, 38, 37, 5000, 191]) {
    const cuts: Piece[] = []
    for (let at = 0; at < list.length; at += step) cuts.push(put(list.subarray(at, at + step)))
    if (cuts.length > 128) continue
    const told: Piece[] = []
    await reader.eachListed({ bytes, depth: 1, pieces: cuts }, (some) => void told.push(...some))
    expect([told, await reader.pieces({ bytes, depth: 1, pieces: cuts })], `${step}`).toEqual([pieces, pieces])
  }
})

it('[FC9] a list of 200 GB is gone through with some chunks of it in memory, and others have the loop', async () => {
  const { reader, store, listed, pauses } = listParts()
  const count = 1_050_000
  const list = new Uint8Array(1 + 38 * count)
  list[0] = 1
  const view = new DataView(list.buffer)
  let [bytes, seed] = [0, 1]
  for (let n = 0; n < count; n++) {
    const at = 1 + n * 38
    for (let part = 0; part < 32; part += 4) view.setUint32(at + part, (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0))
    const length = 131_072 + ((seed >>> 8) % 131_072)
    view.setUint32(at + 34, length)
    bytes += length
  }
  const last = view.getUint32(list.length - 4)
  list.fill(0, list.length - 38, list.length - 6) // a hole
  const manifest = listed(list, bytes)
  expect([bytes > 200e9, manifest.depth]).toEqual([true, 2])
  let [told, most] = [0, 0]
  await reader.eachListed(manifest, (pieces) => {
    told += pieces.length
    most = Math.max(most, pieces.length)
  })
  const lists = store.stats.chunks
  expect([told - count > 0, told - count < lists, most < 1800]).toEqual([true, true, true])
  expect(pauses()).toBeGreaterThan(count / 10_000)
  expect(await reader.read(manifest, bytes - last, last)).toEqual(new Uint8Array(last))
})
