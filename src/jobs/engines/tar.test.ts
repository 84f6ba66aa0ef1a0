import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { entriesOf, piecesOf, wholeOf } from '../../testkit/stored-bytes.ts'
import { gunzip, gzip } from './gzip.ts'
import { type TarEntry, TarError, TarReading, writeTar } from './tar.ts'

const LONG = `${'a folder/'.repeat(12)}${'n'.repeat(200)}`
const file = (name: string, text: string, mode = 0o644) =>
  ({ kind: 'file', path: name, mode, modifiedMs: 5_000, bytes: utf8(text) }) as const

/** In pieces of any length. */
async function readTar(bytes: Uint8Array, maxEntries: number, pieceBytes = 700) {
  const reading = new TarReading(piecesOf(bytes, pieceBytes), maxEntries)
  const entries = await entriesOf(reading.items())
  return { entries, leftOut: reading.leftOut }
}
const unzip = (bytes: Uint8Array, maxBytes: number) => wholeOf(gunzip(piecesOf(bytes), maxBytes))

let folder: string
beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'ew-tar-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('[EN9] what is written is read again, and by the tar of the system', async () => {
  const entries = [
    { kind: 'folder', path: 'p', mode: 0o755 } as const,
    file('p/words', 'pear\n'),
    file('run', '#!/bin/sh\n', 0o755),
    file(LONG, ''),
    file('größe', 'x'.repeat(512)),
  ]
  const bytes = writeTar(entries)
  for (const pieceBytes of [1, 511, 512, 1_000, 1e6]) expect(await readTar(bytes, 10, pieceBytes)).toEqual({ entries, leftOut: 0 })
  const archive = path.join(folder, 'x.tgz')
  writeFileSync(archive, await gzip(bytes))
  execFileSync('tar', ['xzf', archive, '-C', folder])
  expect(readFileSync(path.join(folder, 'p/words'), 'utf8')).toBe('pear\n')
  expect(readFileSync(path.join(folder, LONG), 'utf8')).toBe('')
})

it.each(['ustar', 'pax', 'gnu'])(
  '[EN9] %s of the system is read; links and what leads outside are left out and counted',
  async (format) => {
    const top = path.join(folder, 'top')
    mkdirSync(path.join(top, 'in'), { recursive: true })
    writeFileSync(path.join(top, 'in/file'), 'yes')
    if (format !== 'ustar') writeFileSync(path.join(top, 'in', 'n'.repeat(180)), 'long')
    symlinkSync('/etc/passwd', path.join(top, 'in/out'))
    writeFileSync(path.join(folder, 'beside'), 'no')
    execFileSync('tar', [`--format=${format}`, '-Pczf', path.join(folder, 'x.tgz'), '-C', top, '.', '../beside', '/etc/hostname'])
    const { entries, leftOut } = await readTar(await unzip(readFileSync(path.join(folder, 'x.tgz')), 1e7), 100)
    expect(entries.map(({ path: name }) => name).toSorted()).toEqual([
      'in',
      'in/file',
      ...(format === 'ustar' ? [] : [`in/${'n'.repeat(180)}`]),
    ])
    expect(leftOut).toBe(3)
    expect(readdirSync(top)).toEqual(['in'])
  },
)

it('[EN9] what cannot lie beside the rest on a disk is left out and counted: twice, below a file, a file for a folder, too long a name', async () => {
  const entries: TarEntry[] = [
    file('a', '1'),
    file('a', '2'),
    file('a/b', '3'),
    file('c/d', '4'),
    file('c', '5'),
    { kind: 'folder', path: 'c', mode: 0o755 },
  ]
  const read = await readTar(
    writeTar([...entries, { kind: 'folder', path: 'a', mode: 0o755 }, file('鯨'.repeat(86), '6'), file('鯨'.repeat(85), '7')]),
    20,
  )
  expect(read.entries.map((one) => [one.path, one.kind === 'file' && new TextDecoder().decode(one.bytes)])).toEqual([
    ['a', '1'],
    ['c/d', '4'],
    ['c', false],
    ['鯨'.repeat(85), '7'],
  ])
  expect(read.leftOut).toBe(5)
  await expect(readTar(writeTar([file(`${'x/'.repeat(1_030)}y`, '')]), 20)).rejects.toThrow(/more than 1020 folders/)
})

it('[EN9] what is cut off, too much or no archive is said to be so', async () => {
  const whole = writeTar([file('a', 'x'.repeat(2_000)), file('b', 'y')])
  for (const cut of [0, 100, 512, 1_500, whole.length - 1_024])
    await expect(readTar(whole.subarray(0, cut), 10), String(cut)).rejects.toThrow(TarError)
  await expect(readTar(whole, 1)).rejects.toThrow(/more than 1/)
  await expect(readTar(new Uint8Array(2_048).fill(0x41), 10)).rejects.toThrow(TarError)
  const bomb = await gzip(new Uint8Array(5_000_000))
  expect(bomb.length).toBeLessThan(10_000)
  await expect(unzip(bomb, 100_000)).rejects.toThrow(RangeError)
  await expect(unzip(bomb.subarray(0, 2_000), 1e8)).rejects.toThrow()
  await expect(unzip(utf8('<html>'), 1e8)).rejects.toThrow(TypeError)
})

it('[EN9] whatever comes is an archive or a TarError, and no path leads out of it (fuzz)', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const good = writeTar([{ kind: 'folder', path: 'p', mode: 0o755 }, file('p/a', 'text'), file(LONG, 'more')])
  for (let round = 0; round < 2_000; round++) {
    const bytes = good.slice(0, random.below(4) === 0 ? random.below(good.length) : good.length)
    for (let n = random.below(6); n > 0; n--) {
      const at = random.below(bytes.length || 1)
      bytes.set(utf8(random.pick(['..', '/', '\0', '777', '5', '2', '99999', '../../x'])).subarray(0, Math.max(0, bytes.length - at)), at)
      // With a right sum, so that what is behind it is reached.
      const block = bytes.subarray(Math.floor(at / 512) * 512, Math.floor(at / 512) * 512 + 512)
      if (block.length === 512) {
        const sum = block.reduce((all, byte, k) => all + (k >= 148 && k < 156 ? 0x20 : byte), 0)
        block.set(utf8(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
      }
    }
    try {
      for (const { path: name } of (await readTar(bytes, 20)).entries)
        expect({
          seed,
          round,
          name,
          isBelow: !name.startsWith('/') && !name.split('/').includes('..') && !name.includes('\0'),
        }).toMatchObject({ isBelow: true })
    } catch (error) {
      expect({ seed, round, error }).toMatchObject({ error: expect.any(TarError) as TarError })
    }
  }
})

it('[EN9] what nobody reads of a file is passed over, and whoever stops reading lets go of the source', async () => {
  const bytes = await gzip(writeTar([file('a', 'x'.repeat(70_000)), file('b', 'yes'), file('c', 'z'.repeat(700_000))]))
  let isClosed = false
  async function* source() {
    try {
      yield* piecesOf(bytes, 100)
    } finally {
      isClosed = true
    }
  }
  let b = ''
  for await (const item of new TarReading(gunzip(source(), 1e7), 10).items()) {
    if (item.kind !== 'file') continue
    if (item.path === 'a')
      for await (const piece of item.content) {
        expect(piece.length).toBeGreaterThan(0)
        break
      }
    if (item.path === 'b') b = new TextDecoder().decode(await wholeOf(item.content))
    if (item.path === 'c') break
  }
  expect({ b, isClosed }).toEqual({ b: 'yes', isClosed: true })
})

it('[EN9] what goes wrong where the packed bytes come from is said, and is no archive that ended', async () => {
  const bytes = await gzip(writeTar([file('a', 'x'.repeat(70_000))]))
  async function* broken() {
    yield bytes.subarray(0, 60)
    throw new Error('EIO')
  }
  await expect(wholeOf(gunzip(broken(), 1e7))).rejects.toThrow('EIO')
})

it('[EN9] an archive is unpacked as it is read: no more of it is asked for than what stands before', async () => {
  const random = new SeededRandom(11)
  const noise = () => String.fromCharCode(...Array.from({ length: 20_000 }, () => 32 + random.below(95)))
  const bytes = await gzip(writeTar(Array.from({ length: 100 }, (_, n) => file(`f${n}`, noise()))))
  let asked = 0
  async function* source() {
    for await (const piece of piecesOf(bytes, 4_096)) {
      asked += piece.length
      yield piece
    }
  }
  const far: number[] = []
  for await (const _ of new TarReading(gunzip(source(), 1e7), 200).items()) far.push(asked / bytes.length)
  expect(far).toHaveLength(100)
  for (const [n, part] of far.entries()) expect(part, `at the file ${n} of 100`).toBeLessThan((n + 1) / 100 + 0.2)
})
