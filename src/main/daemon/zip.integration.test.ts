import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ZipPart, zipOf } from './zip.ts'

const isLong = ![undefined, 'quick'].includes(process.env.ELSEWHERE_ROUNDS)
let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-zip-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const AT_MS = Date.UTC(2024, 1, 29, 12, 34, 56)
const part = (at: string, text?: string, more: Partial<ZipPart> = {}): ZipPart => ({
  path: at,
  modifiedMs: AT_MS,
  mode: undefined,
  ...(text !== undefined && { content: { bytes: Buffer.byteLength(text), first: Buffer.from(text) } }),
  ...more,
})
async function* pieces(list: readonly Uint8Array[], isWhole: boolean): AsyncGenerator<Uint8Array, boolean> {
  yield* list
  return isWhole
}
async function* listed(parts: Iterable<ZipPart>) {
  yield* parts
}
async function write(parts: Iterable<ZipPart>): Promise<string> {
  const file = path.join(folder, 'a.zip')
  await pipeline(Readable.from(zipOf(listed(parts))), createWriteStream(file))
  return file
}
const python = (...args: string[]) => execFileSync('python3', ['-c', ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
const NAMES = 'import sys,zipfile,json;z=zipfile.ZipFile(sys.argv[1]);print(json.dumps([z.testzip(),z.namelist()]))'

it('[DV107] unzip and Python unpack it: names, bytes, empty folders, modes, moments; what broke off is not there, and breaks nothing', async () => {
  const long = [Buffer.alloc(700_000, 'a'), Buffer.alloc(700_000, 'b')] as const
  const file = await write([
    part('Grüße 👋/'),
    part('Grüße 👋/empty/'),
    part('Grüße 👋/שלום.txt', 'shalom'),
    part('none', ''),
    part('run.sh', '#!/bin/sh\n', { mode: 0o755 }),
    part('closed.txt', 'mine', { mode: 0 }),
    part('old.txt', 'old', { modifiedMs: -1e15 }),
    { ...part('broken.bin'), content: { bytes: 9_000_000, first: long[0], rest: () => pieces([long[1]], false) } },
    { ...part('long.bin'), content: { bytes: 1_400_000, first: long[0], rest: () => pieces([long[1]], true) } },
    part('last.txt', 'last'),
  ])
  const names = ['Grüße 👋/', 'Grüße 👋/empty/', 'Grüße 👋/שלום.txt', 'none', 'run.sh', 'closed.txt', 'old.txt', 'long.bin', 'last.txt']
  expect(JSON.parse(python(NAMES, file))).toEqual([null, names])
  const out = path.join(folder, 'out')
  execFileSync('unzip', ['-q', file, '-d', out], { env: { ...process.env, LC_ALL: 'C.UTF-8' } })
  const at = (name: string) => path.join(out, name)
  expect(readdirSync(at('Grüße 👋')).sort()).toEqual(['empty', 'שלום.txt'])
  expect(readFileSync(at('Grüße 👋/שלום.txt'), 'utf8')).toBe('shalom')
  expect([statSync(at('none')).size, Buffer.compare(readFileSync(at('long.bin')), Buffer.concat(long))]).toEqual([0, 0])
  expect([statSync(at('run.sh')).mode & 0o777, statSync(at('closed.txt')).mode & 0o777]).toEqual([0o755, 0o400])
  expect([statSync(at('last.txt')).mtimeMs, statSync(at('long.bin')).mtimeMs]).toEqual([AT_MS, AT_MS])
  expect(statSync(at('old.txt')).mtime.getFullYear()).toBe(1980)
})

it('[DV107] 70,000 files are counted right', async () => {
  const file = await write(Array.from({ length: 70_000 }, (_, n) => part(`f${n}`, '')))
  const [bad, names] = JSON.parse(python(NAMES, file)) as [unknown, string[]]
  expect([bad, names.length, names.at(-1)]).toEqual([null, 70_000, 'f69999'])
  const said = execFileSync('unzip', ['-Z', '-h', file], { encoding: 'utf8' })
  expect(said).toContain('number of entries: 70000')
})

it('[DV107] a file over 4 GiB, one that begins behind it, and an empty one there', async () => {
  const big = 2 ** 32 + 5
  const hole = Buffer.alloc(8 * 1024 * 1024)
  async function* zeros(left: number): AsyncGenerator<Uint8Array, boolean> {
    for (let rest = left; rest > 0; rest -= hole.length) yield hole.subarray(0, rest)
    return true
  }
  const target = path.join(folder, 'a.zip')
  const handle = await open(target, 'w')
  let at = 0
  const parts = [
    { ...part('big.bin'), content: { bytes: big, first: Buffer.from('12345'), rest: () => zeros(big - 5) } },
    part('behind.txt', 'behind'),
    part('folder/'),
  ]
  // Holes for what is nothing: it takes no room on the disk.
  for await (const piece of zipOf(listed(parts))) {
    if (piece.length < hole.length) await handle.write(piece, 0, piece.length, at)
    at += piece.length
  }
  await handle.close()
  truncateSync(target, at)
  const facts =
    'import sys,zipfile,json;z=zipfile.ZipFile(sys.argv[1]);print(json.dumps([[i.filename,i.file_size,i.CRC] for i in z.infolist()]+[z.open(n).read(6).decode("latin1") for n in ["big.bin","behind.txt"]]))'
  const [first, second, third, ...texts] = JSON.parse(python(facts, target)) as unknown[][]
  expect([first?.slice(0, 2), second?.slice(0, 2), third?.slice(0, 2)]).toEqual([
    ['big.bin', big],
    ['behind.txt', 6],
    ['folder/', 0],
  ])
  expect(texts).toEqual(['12345\0', 'behind'])
  // All of it, with its checksum: some 20 s of processor time.
  if (isLong) expect(execFileSync('unzip', ['-tq', target], { encoding: 'utf8', timeout: 300_000 })).toContain('No errors detected')
}, 300_000)
