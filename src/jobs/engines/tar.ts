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

/** A file as it comes out of an archive: its content is read before the next one is asked for, or left. */
export interface TarFile {
  readonly kind: 'file'
  readonly path: string
  readonly mode: number
  readonly modifiedMs: number
  readonly length: number
  readonly content: AsyncIterable<Uint8Array>
}
export type TarItem = Extract<TarEntry, { kind: 'folder' }> | TarFile

/** One reading of an archive from its first byte to its end, of which no more is in memory than what has just come. */
export class TarReading {
  readonly #source: PieceReader
  readonly #maxEntries: number
  readonly #files = new Set<string>()
  readonly #folders = new Set<string>()
  #leftOut = 0

  constructor(source: AsyncIterable<Uint8Array>, maxEntries: number) {
    this.#source = new PieceReader(source)
    this.#maxEntries = maxEntries
  }

  /** Links, devices, what lies outside, below a file, or stands there twice: names that were not taken so far. */
  get leftOut(): number {
    return this.#leftOut
  }

  /** @throws TarError  it is no archive, is cut off, or has more than `maxEntries` */
  async *items(): AsyncGenerator<TarItem, void> {
    const most = this.#maxEntries
    let named: string | undefined
    let taken = 0
    try {
      for (let seen = 0; ; ) {
        const block = await this.#source.take(BLOCK)
        if (!block) throw new TarError('it has no end')
        if (block.every((byte) => byte === 0)) return
        if (octalOf(block, 148, 8) !== sumOf(block)) throw new TarError('a header whose sum is wrong')
        if (++seen > 2 * most) throw new TarError(`more than ${most} names`)
        const length = octalOf(block, 124, 12)
        const type = String.fromCharCode(block[156] as number)
        if (type === 'x' || type === 'L') {
          if (length > MAX_RECORD_BYTES) throw new TarError('a name that is too long')
          const content = await this.#source.take(length)
          if (!content) throw new TarError('it ends within a file')
          named = type === 'x' ? (paxPath(content) ?? named) : textOf(content)
          await this.#skip(-length & (BLOCK - 1))
          continue
        }
        const item = type === 'g' ? undefined : this.#itemOf(block, type, length, named)
        if (type !== 'g') named = undefined
        if (item && ++taken > most) throw new TarError(`more than ${most} files`)
        if (item?.kind !== 'file') {
          if (item) yield item
          await this.#skip(length)
        } else {
          const content = this.#source.next(length)
          yield { ...item, length, content }
          for await (const _ of content) {
            // what nobody read
          }
        }
        await this.#skip(-length & (BLOCK - 1))
      }
    } finally {
      await this.#source.close()
    }
  }

  #itemOf(block: Uint8Array, type: string, length: number, named: string | undefined) {
    const prefix = textOf(block.subarray(345, 500))
    const name = named ?? (isUstar(block) && prefix !== '' ? `${prefix}/` : '') + textOf(block.subarray(0, 100))
    const path = plainPath(name)
    const mode = octalOf(block, 100, 8) & 0o777
    if (path === '') return undefined // the top itself
    if (path !== undefined && ['0', '\0', '5'].includes(type) && this.#fits(path, type === '5'))
      return type === '5'
        ? ({ kind: 'folder', path, mode } as const)
        : ({ kind: 'file', path, mode, modifiedMs: octalOf(block, 136, 12) * 1_000, length } as const)
    this.#leftOut++
    return undefined
  }

  /** Whether it can lie beside what was read before. */
  #fits(path: string, isFolder: boolean): boolean {
    const [files, folders] = [this.#files, this.#folders]
    const above = [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))
    if (files.has(path) || (!isFolder && folders.has(path)) || above.some((one) => files.has(one))) return false
    for (const one of above) folders.add(one)
    if (folders.size > 1_000 + this.#maxEntries) throw new TarError(`more than ${1_000 + this.#maxEntries} folders`)
    ;(isFolder ? folders : files).add(path)
    return true
  }

  async #skip(bytes: number): Promise<void> {
    for await (const _ of this.#source.next(bytes)) {
      // not wanted
    }
  }
}

/** Bytes that come in pieces, read by length. */
class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  #rest = new Uint8Array()

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /** Undefined: there are not so many. */
  async take(length: number): Promise<Uint8Array | undefined> {
    const taken = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      const piece = await this.#piece(length - at)
      if (!piece) return undefined
      taken.set(piece, at)
      at += piece.length
    }
    return taken
  }

  /** So many, once. Read a second time it is what is left of them. @throws TarError  there are less */
  next(length: number): AsyncIterable<Uint8Array> & AsyncIterator<Uint8Array> {
    let left = length
    const pieces: AsyncIterable<Uint8Array> & AsyncIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => pieces,
      next: async () => {
        if (left === 0) return { done: true, value: undefined }
        const piece = await this.#piece(left)
        if (!piece) throw new TarError('it ends within a file')
        left -= piece.length
        return { done: false, value: piece }
      },
    }
    return pieces
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }

  /** The next bytes, at most so many. */
  async #piece(most: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#pieces.next()
      if (done === true) return undefined
      this.#rest = value as Uint8Array<ArrayBuffer>
    }
    const piece = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(most)
    return piece
  }
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
