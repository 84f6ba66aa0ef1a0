import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { toHex, utf8 } from '../base/bytes.ts'
import { contentParts, testDatasetKeys } from '../testkit/file-parts.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import type { SealedChunk } from './chunk-id.ts'
import { CONTENT_CUT } from './cut-chunks.ts'
import { HeldDatasetKeys } from './dataset-key-source.ts'
import { EMPTY_MANIFEST, type Manifest } from './manifest.ts'
import { MemoryChunkStore } from './memory-chunk-store.ts'

const noise = (seed: number, length: number) => {
  const bytes = new Uint8Array(length)
  let x = seed | 1
  for (let n = 0; n < length; n++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    bytes[n] = x
  }
  return bytes
}

it('[FC1] one content has one name and one ciphertext everywhere; another key opens nothing', async () => {
  const [here, there] = [contentParts(), contentParts()]
  const plain = utf8('the same everywhere')
  const id = here.cipher.idOf(plain)
  expect(there.cipher.idOf(plain)).toBe(id)
  const sealed = here.cipher.seal(id, plain)
  expect(there.cipher.seal(id, plain)).toEqual(sealed)
  expect(there.cipher.open(sealed)).toEqual(plain)
  const changed = { ...sealed, bytes: sealed.bytes.map((byte, n) => (n === 3 ? byte ^ 1 : byte)) }
  expect(() => there.cipher.open(changed)).toThrow(expect.objectContaining({ code: 'chunk/damaged' }))
  expect(() => there.cipher.open({ ...sealed, epoch: 5 })).toThrow(expect.objectContaining({ code: 'chunk/no-key' }))
})

it('[FC1] who sees ids and has no key of the data set cannot confirm a guess: neither by a plain hash nor by another key', () => {
  const { cipher, keys } = contentParts()
  const salaries = Array.from({ length: 20 }, (_, n) => utf8(`Salary of Ada: ${50_000 + 5_000 * n} a year`))
  const seen = cipher.idOf(salaries[7] as Uint8Array)
  const guessed = (idOf: (plain: Uint8Array) => string) => salaries.findIndex((salary) => idOf(salary) === seen)
  expect(guessed((salary) => cipher.idOf(salary))).toBe(7) // a holder of the key can, and only that
  const plainHash = (salary: Uint8Array) => createHash('sha256').update(salary).digest('hex')
  expect(guessed(plainHash)).toBe(-1)
  const otherKey = keys.idKey.map((byte) => byte ^ 1)
  const other = contentParts({ keys: new HeldDatasetKeys(keys.dataset, otherKey, [keys.current]) }).cipher
  expect(guessed((salary) => other.idOf(salary))).toBe(-1)
})

it('[FC2] what was sealed in an earlier epoch opens as long as its key is held', () => {
  const old = contentParts()
  const plain = utf8('before the rotation')
  const sealed = old.cipher.seal(old.cipher.idOf(plain), plain)
  const now = contentParts({ keys: testDatasetKeys(3) })
  expect(now.keys.current.epoch).toBe(2)
  expect(now.cipher.open(sealed)).toEqual(plain)
  expect(now.cipher.seal(sealed.id, plain).epoch).toBe(2)
})

it('[FC3] cuts are between 16 and 256 KiB, about 64 KiB, and the same wherever cutting begins at a cut', async () => {
  const { writer, reader } = contentParts()
  const bytes = noise(11, 6_000_000)
  const pieces = await reader.pieces(await writer.write(bytes))
  const lengths = pieces.slice(0, -1).map(({ length }) => length)
  expect(Math.min(...lengths)).toBeGreaterThan(CONTENT_CUT.min)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(CONTENT_CUT.max)
  const mean = lengths.reduce((a, b) => a + b) / lengths.length
  expect(mean).toBeGreaterThan(40_000)
  expect(mean).toBeLessThan(110_000)
  const from = lengths.slice(0, 20).reduce((a, b) => a + b)
  const tail = await reader.pieces(await writer.write(bytes.subarray(from)))
  expect(tail).toEqual(pieces.slice(20))
  const small = await writer.write(bytes.subarray(0, 65_535))
  expect(small.pieces.length).toBe(1)
})

it('[FC4] one changed byte in the middle of a long file makes one new chunk and a piece of its list', async () => {
  const { writer, store } = contentParts()
  const base = await writer.write(noise(5, 30_000_000))
  expect(base.depth).toBe(1)
  const before = store.stats
  const changed = await writer.change(base, {
    bytes: base.bytes,
    extents: [{ offset: 14_000_000, length: 1 }],
    read: () => Uint8Array.of(1),
  })
  expect(store.stats.chunks - before.chunks).toBeLessThanOrEqual(4)
  expect(store.stats.bytes - before.bytes).toBeLessThan(600_000)
  expect(changed.pieces.length).toBe(base.pieces.length)
})

it('[FC5] 100 GB of zeros with one byte in them is two holes and a chunk', async () => {
  const { writer, reader, store } = contentParts()
  const sparse = await writer.change(EMPTY_MANIFEST, { bytes: 1e11, extents: [{ offset: 5e10, length: 1 }], read: () => Uint8Array.of(9) })
  expect(sparse.pieces.map(({ id }) => id === undefined)).toEqual([true, false, true])
  expect(store.stats.bytes).toBeLessThan(100)
  expect(await reader.read(sparse, 5e10 - 2, 5)).toEqual(Uint8Array.of(0, 0, 9, 0, 0))
})

/** Any changes, in any order, against a plain array. `breakIt` plants a bug that this must find: the last extent is forgotten. */
async function fuzzChanges(seed: number, breakIt: boolean): Promise<string | undefined> {
  const random = new SeededRandom(seed)
  const { writer, reader } = contentParts()
  let model = new Uint8Array(0)
  let manifest: Manifest = EMPTY_MANIFEST
  for (let step = 0; step < 12; step++) {
    const bytes = random.chance(0.5) ? model.length : random.below(700_000)
    const next = new Uint8Array(bytes)
    next.set(model.subarray(0, bytes))
    const extents = Array.from({ length: random.below(4) + (breakIt ? 1 : 0) }, () => {
      const offset = random.below(bytes + 1)
      return { offset, length: Math.min(bytes - offset, random.below(random.chance(0.3) ? 300_000 : 5_000)) }
    })
    for (const { offset, length } of extents) next.set(noise(random.below(1e9), length), offset)
    const given = breakIt ? extents.slice(0, -1) : extents
    manifest = await writer.change(manifest, { bytes, extents: given, read: (offset, length) => next.subarray(offset, offset + length) })
    model = next
    const read = await reader.read(manifest, 0, bytes + 10)
    if (manifest.bytes !== bytes || Buffer.compare(read, model) !== 0) return `step ${step}`
    const [from, length] = [random.below(bytes + 1), random.below(200_000)]
    if (Buffer.compare(await reader.read(manifest, from, length), model.subarray(from, from + length)) !== 0) return `range of step ${step}`
  }
  return undefined
}

it('[FC4] whatever is written where, what is read is what was written', { timeout: 600_000 }, async () => {
  const seed = seedOfRun()
  for (let round = 0; round < roundsOfRun(12, 400); round++) {
    expect({ seed: seed + round, wrong: await fuzzChanges(seed + round, false) }).toEqual({ seed: seed + round, wrong: undefined })
  }
  const found = await Promise.all([1, 2, 3].map((n) => fuzzChanges(seed + n, true)))
  expect(found.some((wrong) => wrong !== undefined)).toBe(true)
})

it('[FC6] a chunk that is missing or damaged here comes from the source, and is kept', async () => {
  const far = contentParts()
  const bytes = noise(3, 400_000)
  const manifest = await far.writer.write(bytes)
  const asked: string[] = []
  const fetch = async (id: SealedChunk['id']) => {
    asked.push(id)
    return far.store.get(id)
  }
  const near = contentParts({ source: { fetch } })
  expect(Buffer.compare(await near.reader.read(manifest, 0, 400_000), bytes)).toBe(0)
  expect(new Set(asked)).toEqual(new Set(far.store.ids()))
  const damaged = new MemoryChunkStore()
  for (const id of far.store.ids()) {
    const chunk = (await far.store.get(id)) as SealedChunk
    await damaged.put({ ...chunk, bytes: chunk.bytes.map((byte, n) => (n === 5 ? byte ^ 1 : byte)) })
  }
  const mended = contentParts({ store: damaged, source: { fetch } })
  for (let at = 0; at < 400_000; at += 50_000) {
    expect(Buffer.compare(await mended.reader.read(manifest, at, 50_000), bytes.subarray(at, at + 50_000))).toBe(0)
  }
  for (const id of far.store.ids()) expect(await damaged.get(id)).toEqual(await far.store.get(id))
  const alone = contentParts({ store: near.store })
  expect(await alone.reader.read(manifest, 1000, 10)).toEqual(bytes.subarray(1000, 1010))
  const lost = contentParts()
  await expect(lost.reader.read(manifest, 0, 1)).rejects.toMatchObject({ code: 'chunk/unavailable' })
})

it('[FC7] formats of golden files: id, ciphertext, list of pieces', async () => {
  const { cipher, writer, crypto } = contentParts()
  const plain = utf8('golden')
  const id = cipher.idOf(plain)
  const manifest = await writer.write(noise(77, 6_000_000))
  const digest = toHex(crypto.sha256(utf8(JSON.stringify(manifest))))
  await expect(JSON.stringify({ id, sealed: toHex(cipher.seal(id, plain).bytes), digest }, undefined, 2)).toMatchFileSnapshot(
    'golden/chunk-1.json',
  )
})
