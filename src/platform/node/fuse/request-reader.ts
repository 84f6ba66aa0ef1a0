import { MAX_NAME_BYTES } from '../../../files/mounted-tree.ts'
import { Errno, IN_HEADER_BYTES } from './fuse-protocol.ts'

/**
 * A request that cannot be done as it stands; the kernel hears this number. One object for each number: programs ask for
 * attributes that no file has all the time, and a stack for each costs more than the answer.
 */
export class FuseErrno extends Error {
  static readonly #all = new Map<number, FuseErrno>()
  override readonly name = 'FuseErrno'
  readonly errno: number

  static of(errno: number): FuseErrno {
    let one = FuseErrno.#all.get(errno)
    if (!one) FuseErrno.#all.set(errno, (one = new FuseErrno(errno)))
    return one
  }

  private constructor(errno: number) {
    super(`errno ${errno}`)
    this.errno = errno
  }
}

/** What every request starts with. */
export interface RequestHeader {
  readonly opcode: number
  /** Given back in the answer; 0 is never asked for. */
  readonly unique: bigint
  /** The entry it is about. */
  readonly ino: number
  readonly pid: number
}

/** A bug to plant, so that the fuzz can show it finds one; tests only. */
export type RequestPlant = 'believed-length'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads one request of the kernel. Whatever the bytes are, it answers or throws FuseErrno: lengths are never believed,
 * numbers beyond 2^53 and names that are not UTF-8 are refused.
 */
export class RequestReader {
  readonly #bytes: Buffer
  readonly #plant: RequestPlant | undefined
  #at = IN_HEADER_BYTES

  constructor(bytes: Buffer, plant?: RequestPlant) {
    this.#plant = plant
    if (bytes.length < IN_HEADER_BYTES || bytes.readUInt32LE(0) !== bytes.length) throw FuseErrno.of(Errno.EIO)
    this.#bytes = bytes
  }

  header(): RequestHeader {
    const bytes = this.#bytes
    return {
      opcode: bytes.readUInt32LE(4),
      unique: bytes.readBigUInt64LE(8),
      // Inexact beyond 2^53, where nothing of ours is: every request can be answered, if only with "not found".
      ino: bytes.readUInt32LE(20) * 2 ** 32 + bytes.readUInt32LE(16),
      pid: bytes.readUInt32LE(32),
    }
  }

  u32(): number {
    const at = this.#take(4)
    return this.#bytes.readUInt32LE(at)
  }

  /** A whole number; refused beyond 2^53, where numbers are no longer exact. */
  u64(): number {
    return wholeNumber(this.#bytes, this.#take(8))
  }

  big(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8))
  }

  signedBig(): bigint {
    return this.#bytes.readBigInt64LE(this.#take(8))
  }

  skip(count: number): void {
    this.#take(count)
  }

  /** `count` bytes where they lie: they are overwritten by the next request. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count)
    // Not a Buffer: its `slice` would be a copy that is none.
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, count)
  }

  /** A name of one entry (rule MT0). */
  entryName(): string {
    const name = this.text(MAX_NAME_BYTES)
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw FuseErrno.of(Errno.EINVAL)
    return name
  }

  /** Text up to its NUL. @throws FuseErrno ENAMETOOLONG, EILSEQ; EIO: there is no NUL */
  text(maxBytes: number): string {
    const end = this.#bytes.indexOf(0, this.#at)
    if (end < 0) throw FuseErrno.of(Errno.EIO)
    if (end - this.#at > maxBytes) throw FuseErrno.of(Errno.ENAMETOOLONG)
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end + 1
    return plainAscii(bytes) ?? decodeUtf8(bytes)
  }

  #take(count: number): number {
    const at = this.#at
    if (at + count > this.#bytes.length && this.#plant !== 'believed-length') throw FuseErrno.of(Errno.EIO)
    this.#at += count
    return at
  }
}

function wholeNumber(bytes: Buffer, at: number): number {
  const high = bytes.readUInt32LE(at + 4)
  if (high > 0x1fffff) throw FuseErrno.of(Errno.EFBIG)
  return high * 2 ** 32 + bytes.readUInt32LE(at)
}

/** Most names are short ASCII, for which this is several times as fast as a decoder. */
function plainAscii(bytes: Buffer): string | undefined {
  for (const byte of bytes) if (byte > 127) return undefined
  return bytes.toString('latin1')
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw FuseErrno.of(Errno.EILSEQ)
  }
}
