import { closeSync, fdatasync, fstatSync, ftruncateSync, openSync, read as readLater, readSync, writevSync } from 'node:fs'
import { promisify } from 'node:util'
import { decodeRecordHead, encodeRecordHead, type PackRecord, RECORD_HEAD_BYTES } from './pack-record.ts'

/** Read at once when a pack is looked through. */
const SCAN_BYTES = 1024 * 1024
const sync = promisify(fdatasync)
const readAt = promisify(readLater)

export interface FoundRecord {
  readonly record: PackRecord
  /** Of its head. */
  readonly offset: number
  whole(): Uint8Array
}

/** One append-only file of records. Owns its descriptor, which is closed once the pack is let go of and nobody uses it. */
export class PackFile {
  readonly number: number
  /** Where the next record goes. */
  bytes: number
  /** Of these, of chunks that are held, and of records that say what was dropped. */
  liveBytes = 0
  droppedBytes = 0
  /** So much of it is on the disk itself. */
  syncedBytes = 0
  /** Of what came after that a sync said that it is not: the system may have forgotten it, and would say of the next sync that all is well. */
  isLost = false
  /** What the disk said then. */
  lostBy: unknown
  /** Made by this start: nothing of it was on the disk before. */
  isNew = false
  readonly #fd: number
  #users = 0
  #isGone = false

  private constructor(number: number, fd: number, bytes: number) {
    this.number = number
    this.#fd = fd
    this.bytes = bytes
  }

  static make(file: string, number: number): PackFile {
    const pack = new PackFile(number, openSync(file, 'wx+', 0o600), 0)
    pack.isNew = true
    return pack
  }

  /** Visits every record there is; what a killed process left half-written at the end is cut off. */
  static open(file: string, number: number, visit: (pack: PackFile, found: FoundRecord) => void): PackFile {
    const fd = openSync(file, 'r+')
    const pack = new PackFile(number, fd, fstatSync(fd).size)
    pack.bytes = pack.scan((found) => visit(pack, found))
    ftruncateSync(fd, pack.bytes)
    return pack
  }

  /** @returns where its head lies */
  append(record: PackRecord, bytes: Uint8Array): number {
    const offset = this.bytes
    const size = RECORD_HEAD_BYTES + bytes.length
    try {
      const written = writevSync(this.#fd, [encodeRecordHead(record), bytes], offset)
      if (written !== size) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
    } catch (error) {
      ftruncateSync(this.#fd, offset)
      throw error
    }
    this.bytes += size
    if (record.kind === 'dropped') this.droppedBytes += size
    else this.liveBytes += size
    return offset
  }

  /** What was appended before is on the disk itself when this resolves. */
  async sync(): Promise<void> {
    const { bytes } = this
    try {
      await this.#using(() => sync(this.#fd))
      if (!this.isLost) this.syncedBytes = bytes
    } catch (error) {
      this.isLost = true
      this.lostBy = error
      throw error
    }
  }

  /** Bytes that follow the head at `offset`. */
  lengthAt(offset: number): number {
    return this.#headAt(offset)?.length ?? 0
  }

  recordAt(offset: number): { readonly record: PackRecord; readonly bytes: Uint8Array } | undefined {
    const record = this.#headAt(offset)
    return record && { record, bytes: this.#bytesAt(offset + RECORD_HEAD_BYTES, record.length) }
  }

  /** Fills `into` from `from`, off the loop. @returns how much there was */
  async read(into: Buffer, length: number, from: number): Promise<number> {
    return this.#using(async () => (await readAt(this.#fd, into, 0, length, from)).bytesRead)
  }

  /** Nobody asks it any more; its descriptor may be another file's next, so whoever reads or syncs it is waited for. */
  close(): void {
    this.#isGone = true
    this.#closeUnused()
  }

  async #using<T>(work: () => Promise<T>): Promise<T> {
    this.#users++
    try {
      return await work()
    } finally {
      this.#users--
      this.#closeUnused()
    }
  }

  #closeUnused(): void {
    if (this.#isGone && this.#users === 0) closeSync(this.#fd)
  }

  /** Visits every record; resolves with where the last whole one ends. */
  scan(visit: (found: FoundRecord) => void): number {
    const size = this.bytes
    const window = Buffer.alloc(SCAN_BYTES)
    let from = 0
    let held = 0
    let at = 0
    while (at + RECORD_HEAD_BYTES <= size) {
      if (at < from || at + RECORD_HEAD_BYTES > from + held) {
        from = at
        held = readSync(this.#fd, window, 0, SCAN_BYTES, at)
      }
      const record = decodeRecordHead(window.subarray(at - from, Math.min(held, at - from + RECORD_HEAD_BYTES)))
      const end = record && at + RECORD_HEAD_BYTES + record.length
      if (record && end !== undefined && end <= size) {
        const offset = at
        visit({ record, offset, whole: () => this.#bytesAt(offset + RECORD_HEAD_BYTES, record.length) })
        at = end
        continue
      }
      const next = this.#nextRecord(at + 1, size)
      if (next === undefined) return at
      at = next // a damaged header: what follows it is not lost with it
    }
    return at
  }

  /** Where the next whole record begins after damage; undefined: nothing more, the tail was cut off by a kill. */
  #nextRecord(from: number, size: number): number | undefined {
    const window = Buffer.alloc(SCAN_BYTES)
    for (let start = from; start + RECORD_HEAD_BYTES <= size; start += SCAN_BYTES - RECORD_HEAD_BYTES) {
      const held = readSync(this.#fd, window, 0, SCAN_BYTES, start)
      for (let at = window.indexOf('ECP1'); at >= 0 && at + RECORD_HEAD_BYTES <= held; at = window.indexOf('ECP1', at + 1)) {
        const record = decodeRecordHead(window.subarray(at, at + RECORD_HEAD_BYTES))
        if (record && start + at + RECORD_HEAD_BYTES + record.length <= size) return start + at
      }
    }
    return undefined
  }

  #headAt(offset: number): PackRecord | undefined {
    const head = Buffer.alloc(RECORD_HEAD_BYTES)
    readSync(this.#fd, head, 0, RECORD_HEAD_BYTES, offset)
    return decodeRecordHead(head)
  }

  #bytesAt(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, length, offset))
  }
}
