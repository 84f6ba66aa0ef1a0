import { crc32 } from 'node:zlib'

/** A file or folder as it goes into a zip. */
export interface ZipPart {
  /** By `/`, one at the end of a folder. At most 65,535 bytes. */
  readonly path: string
  readonly modifiedMs: number
  /** As `chmod` has it; undefined: what anybody may read. */
  readonly mode: number | undefined
  readonly content?: ZipContent
}

export interface ZipContent {
  /** Of all of it. */
  readonly bytes: number
  readonly first: Uint8Array
  /** What follows `first`; returns whether it came whole. What did not is not in the zip. Undefined: nothing does. */
  readonly rest?: () => AsyncGenerator<Uint8Array, boolean>
}

/* Sections and values of PKWARE's APPNOTE 6.3.10; all of it is little-endian. */
const LOCAL = 0x04034b50
const DESCRIPTOR = 0x08074b50
const CENTRAL = 0x02014b50
const END_64 = 0x06064b50
const LOCATOR_64 = 0x07064b50
const END = 0x06054b50
/** From here on a number stands in a field of 64 bits elsewhere. */
const MAX_32 = 0xffffffff
const MAX_16 = 0xffff
const UTF8_NAMES = 0x0800
/** Checksum and size follow the bytes. */
const DESCRIBED_AFTER = 0x0008
const [VERSION, VERSION_64] = [20, 45]
const MADE_ON_UNIX = 3 << 8
const [FILE_KIND, FOLDER_KIND] = [0o100000, 0o040000]
const IS_FOLDER_ON_DOS = 0x10

/**
 * A zip of files as they are, written as it is read: nothing of a file is kept but its name, checksum and size. Files over 4 GiB, and
 * more than 65,535 of them, are written as Zip64 has it. Ours, because of the packages looked at one does not count more small files than
 * that (client-zip 2.5.1), one looks through all files there were before each (yazl 3.3.1), and with none a file that breaks off can be
 * left out.
 */
export async function* zipOf(parts: AsyncIterable<ZipPart>): AsyncGenerator<Uint8Array> {
  const central: Buffer[] = []
  let at = 0
  let count = 0
  for await (const part of parts) {
    const { content } = part
    const start = at
    const isAtOnce = !content || content.first.length === content.bytes
    const name = Buffer.from(part.path)
    const facts = {
      name,
      mode: (content ? FILE_KIND : FOLDER_KIND) | ((part.mode ?? (content ? 0o644 : 0o755)) & 0o777) | (content ? 0o400 : 0o700),
      flags: UTF8_NAMES | (isAtOnce ? 0 : DESCRIBED_AFTER),
      modifiedMs: part.modifiedMs,
      isFolder: !content,
    }
    let crc = content ? crc32(content.first) : 0
    let bytes = content?.first.length ?? 0
    const head = localHeader(facts, isAtOnce ? { crc, bytes } : { crc: 0, bytes: 0 }, (content?.bytes ?? 0) >= MAX_32)
    yield head
    at += head.length
    if (content) {
      if (content.first.length > 0) yield content.first
      const rest = content.rest?.()
      let next = await rest?.next()
      for (; next && !next.done; next = await rest?.next()) {
        crc = crc32(next.value, crc)
        bytes += next.value.length
        yield next.value
      }
      at += bytes
      const isWhole = next ? next.value : true
      if (!isWhole) continue // a gap: no list names it
      if (!isAtOnce) {
        const described = descriptor(crc, bytes, content.bytes >= MAX_32)
        yield described
        at += described.length
      }
    }
    central.push(centralHeader(facts, { crc, bytes, start }))
    count++
  }
  let listBytes = 0
  for (const one of central) {
    listBytes += one.length
    yield one
  }
  yield endOf(count, listBytes, at)
}

interface Facts {
  readonly name: Buffer
  readonly mode: number
  readonly flags: number
  readonly modifiedMs: number
  readonly isFolder: boolean
}

function localHeader({ name, flags, modifiedMs }: Facts, { crc, bytes }: { crc: number; bytes: number }, is64: boolean): Buffer {
  const moment = momentField(modifiedMs)
  // Space for both sizes: that it is here says that those after the bytes have 64 bits.
  const sizes = is64 ? Buffer.concat([shorts(1, 16), Buffer.alloc(16)]) : Buffer.alloc(0)
  const fixed = Buffer.concat([
    longs(LOCAL),
    shorts(is64 ? VERSION_64 : VERSION, flags, 0, ...dosMoment(modifiedMs)),
    longs(crc, is64 ? MAX_32 : bytes, is64 ? MAX_32 : bytes),
    shorts(name.length, moment.length + sizes.length),
  ])
  return Buffer.concat([fixed, name, sizes, moment])
}

function descriptor(crc: number, bytes: number, is64: boolean): Buffer {
  return Buffer.concat([longs(DESCRIPTOR, crc), is64 ? quads(bytes, bytes) : longs(bytes, bytes)])
}

function centralHeader(facts: Facts, { crc, bytes, start }: { crc: number; bytes: number; start: number }): Buffer {
  const { name, flags, modifiedMs, mode, isFolder } = facts
  const moment = momentField(modifiedMs)
  const wide = [...(bytes >= MAX_32 ? [bytes, bytes] : []), ...(start >= MAX_32 ? [start] : [])]
  const wideField = wide.length > 0 ? Buffer.concat([shorts(1, wide.length * 8), quads(...wide)]) : Buffer.alloc(0)
  const version = wide.length > 0 ? VERSION_64 : VERSION
  const fixed = Buffer.concat([
    longs(CENTRAL),
    shorts(MADE_ON_UNIX | VERSION_64, version, flags, 0, ...dosMoment(modifiedMs)),
    longs(crc, Math.min(bytes, MAX_32), Math.min(bytes, MAX_32)),
    shorts(name.length, wideField.length + moment.length, 0, 0, 0),
    longs(((mode << 16) >>> 0) + (isFolder ? IS_FOLDER_ON_DOS : 0), Math.min(start, MAX_32)),
  ])
  return Buffer.concat([fixed, name, wideField, moment])
}

function endOf(count: number, listBytes: number, start: number): Buffer {
  const isWide = count >= MAX_16 || listBytes >= MAX_32 || start >= MAX_32
  const wide = isWide
    ? Buffer.concat([
        longs(END_64),
        quads(44), // bytes of this record from here
        shorts(MADE_ON_UNIX | VERSION_64, VERSION_64),
        longs(0, 0),
        quads(count, count, listBytes, start),
        longs(LOCATOR_64, 0),
        quads(start + listBytes),
        longs(1),
      ])
    : Buffer.alloc(0)
  const [few, list, from] = [Math.min(count, MAX_16), Math.min(listBytes, MAX_32), Math.min(start, MAX_32)]
  return Buffer.concat([wide, longs(END), shorts(0, 0, few, few), longs(list, from), shorts(0)])
}

/** Time and date in steps of two seconds, as the clock on the wall has it, from 1980 to 2107. */
function dosMoment(ms: number): [number, number] {
  const at = new Date(ms)
  const year = at.getFullYear()
  if (!(year >= 1980)) return [0, (1 << 5) | 1]
  if (year > 2107) return [0xbf7d, 0xff9f]
  return [
    (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1),
    ((year - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate(),
  ]
}

/** The same moment wherever it is unpacked (Info-ZIP's "UT"); none where its 32 bits do not reach. */
function momentField(ms: number): Buffer {
  const seconds = Math.floor(ms / 1000)
  if (!(seconds >= -0x80000000 && seconds <= 0x7fffffff)) return Buffer.alloc(0)
  return Buffer.concat([shorts(0x5455, 5), Buffer.of(1), longs(seconds >>> 0)])
}

function shorts(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2)
  for (const [index, value] of values.entries()) buffer.writeUInt16LE(value, index * 2)
  return buffer
}

function longs(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) buffer.writeUInt32LE(value, index * 4)
  return buffer
}

function quads(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 8)
  for (const [index, value] of values.entries()) buffer.writeBigUInt64LE(BigInt(value), index * 8)
  return buffer
}
