import { concatBytes, utf8 } from '../../base/bytes.ts'

/*
 * Folders as one archive (ustar, with PAX records for long names): what engines that do not see a folder are given of it, and
 * what they give back. What is read comes from others: every size is bounded by what is there, and what is not a plain file or
 * folder below the top is left out and counted (rule EN9).
 */

const BLOCK = 512
const MAX_PATH = 4_096
/** Longest record of names that is read. */
const MAX_RECORD_BYTES = 64 * 1024

export type TarEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly modifiedMs: number; readonly bytes: Uint8Array }

/** Not an archive, or not a whole one. */
export class TarError extends Error {
  override readonly name = 'TarError'
}

/** Folders before what is in them. @param entries  paths below the top, without `.` and `..` */
export function writeTar(entries: readonly TarEntry[]): Uint8Array {
  const parts: Uint8Array[] = []
  const put = (name: string, type: string, mode: number, modifiedMs: number, bytes: Uint8Array) => {
    parts.push(header(name, type, mode, modifiedMs, bytes.length), bytes, new Uint8Array(-bytes.length & (BLOCK - 1)))
  }
  for (const entry of entries) {
    const name = entry.kind === 'folder' ? `${entry.path}/` : entry.path
    const modifiedMs = entry.kind === 'file' ? entry.modifiedMs : 0
    if (utf8(name).length > 100) put('path', 'x', 0o644, 0, paxRecord('path', name))
    put(name, entry.kind === 'folder' ? '5' : '0', entry.mode, modifiedMs, entry.kind === 'file' ? entry.bytes : new Uint8Array())
  }
  parts.push(new Uint8Array(2 * BLOCK))
  return concatBytes(...parts)
}

function header(name: string, type: string, mode: number, modifiedMs: number, length: number): Uint8Array {
  const block = new Uint8Array(BLOCK)
  const text = (value: string | Uint8Array, at: number, most: number) =>
    block.set((typeof value === 'string' ? utf8(value) : value).subarray(0, most), at)
  const octal = (value: number, at: number, width: number) => text(`${value.toString(8).padStart(width - 1, '0')}\0`, at, width)
  text(name, 0, 100)
  octal(mode & 0o7777, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(length, 124, 12)
  octal(Math.max(0, Math.floor(modifiedMs / 1_000)), 136, 12)
  text('        ', 148, 8)
  text(type, 156, 1)
  text('ustar\x0000', 257, 8)
  octal(sumOf(block), 148, 7)
  block[155] = 0x20
  return block
}

/** `LENGTH key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = utf8(` ${key}=${value}\n`).length
  let length = rest + 1
  while (String(length).length + rest !== length) length = String(length).length + rest
  return utf8(`${length} ${key}=${value}\n`)
}

const sumOf = (block: Uint8Array): number => block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0)

export interface ReadTar {
  readonly entries: readonly TarEntry[]
  /** Links, devices, what lies outside, below a file, or stands there twice: names that are not taken. */
  readonly leftOut: number
}

/** @throws TarError  it is no archive, is cut off, or has more than `maxEntries` */
export function readTar(bytes: Uint8Array, maxEntries: number): ReadTar {
  const entries: TarEntry[] = []
  let leftOut = 0
  let named: string | undefined
  let seen = 0
  const files = new Set<string>()
  const folders = new Set<string>()
  /** Whether it can lie beside what was read before. */
  const fits = (path: string, isFolder: boolean) => {
    const above = [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))
    if (files.has(path) || (!isFolder && folders.has(path)) || above.some((one) => files.has(one))) return false
    for (const one of above) folders.add(one)
    if (folders.size > 1_000 + maxEntries) throw new TarError(`more than ${1_000 + maxEntries} folders`)
    ;(isFolder ? folders : files).add(path)
    return true
  }
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const block = bytes.subarray(at, at + BLOCK)
    at += BLOCK
    if (block.every((byte) => byte === 0)) return { entries, leftOut }
    if (octalOf(block, 148, 8) !== sumOf(block)) throw new TarError('a header whose sum is wrong')
    if (++seen > 2 * maxEntries) throw new TarError(`more than ${maxEntries} names`)
    const length = octalOf(block, 124, 12)
    const content = bytes.subarray(at, at + length)
    if (content.length < length) throw new TarError('it ends within a file')
    at += length + (-length & (BLOCK - 1))
    const type = String.fromCharCode(block[156] as number)
    if (type === 'x' || type === 'L') {
      if (length > MAX_RECORD_BYTES) throw new TarError('a name that is too long')
      named = type === 'x' ? (paxPath(content) ?? named) : textOf(content)
      continue
    }
    if (type === 'g') continue
    const prefix = textOf(block.subarray(345, 500))
    const name = named ?? (isUstar(block) && prefix !== '' ? `${prefix}/` : '') + textOf(block.subarray(0, 100))
    named = undefined
    const path = plainPath(name)
    const mode = octalOf(block, 100, 8) & 0o777
    if (path === '') continue // the top itself
    if (path === undefined || !['0', '\0', '5'].includes(type)) leftOut++
    else if (entries.length >= maxEntries) throw new TarError(`more than ${maxEntries} files`)
    else if (!fits(path, type === '5')) leftOut++
    else if (type === '5') entries.push({ kind: 'folder', path, mode })
    else entries.push({ kind: 'file', path, mode, modifiedMs: octalOf(block, 136, 12) * 1_000, bytes: content })
  }
  throw new TarError('it has no end')
}

const isUstar = (block: Uint8Array): boolean => textOf(block.subarray(257, 262)) === 'ustar'

/** Below the top, without `.` parts; empty: the top; undefined: it leads elsewhere. */
function plainPath(name: string): string | undefined {
  if (name.startsWith('/') || name.includes('\0') || name.length > MAX_PATH) return undefined
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  return parts.some((part) => part === '..' || utf8(part).length > 255) ? undefined : parts.join('/')
}

function paxPath(content: Uint8Array): string | undefined {
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at)
    const length = space < 0 ? Number.NaN : Number(textOf(content.subarray(at, space)))
    if (!Number.isSafeInteger(length) || length <= space - at || at + length > content.length) throw new TarError('a record that is none')
    const record = textOf(content.subarray(space + 1, at + length - 1))
    if (record.startsWith('path=')) return record.slice(5)
    at += length
  }
  return undefined
}

const decoder = new TextDecoder()
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
}

function octalOf(block: Uint8Array, at: number, width: number): number {
  const text = textOf(block.subarray(at, at + width)).trim()
  if (!/^[0-7]*$/.test(text)) throw new TarError('a number that is none')
  return Number.parseInt(text || '0', 8)
}
