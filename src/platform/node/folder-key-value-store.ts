import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlink,
  writevSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import type { Disposable } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { Logger } from '../../base/logger.ts'
import type { Sealer } from '../../base/sealer.ts'
import { StoreError } from '../../base/store-error.ts'
import { entryContext } from './sqlite-store.ts'
import { systemStoreError } from './system-store-error.ts'

/** As SqliteStore: kill -9 loses nothing, a power cut what is younger than this. */
const SYNC_DELAY_MS = 250
const HEAD_BYTES = 4
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW

/**
 * KeyValueStore for large values: each is a file, named by HMAC, its name and value sealed (length of the sealed name in 4 bytes,
 * the name, the value). Ten times as fast as SQLite for values of 256 KiB (77 ms against 820 for 100 MB), which writes each twice,
 * page by page. A file that cannot be unsealed is renamed and counts as absent: what is kept here nothing else rests on.
 */
export class FolderKeyValueStore implements KeyValueStore, Disposable {
  readonly #folder: string
  readonly #sealer: Sealer
  readonly #log: Logger
  readonly #spaces = new Map<string, string>()
  /** Files written, and folders that got a name, since they were last synced. */
  #unsynced = new Set<string>()
  #syncing = new Set<string>()
  #syncTimer: NodeJS.Timeout | undefined
  #isClosed = false
  #nextGone = 0

  /** Touches no disk: the folder is made with the first value. */
  constructor(folder: string, sealer: Sealer, log: Logger) {
    this.#folder = folder
    this.#sealer = sealer
    this.#log = log
  }

  get(space: string, key: string): Uint8Array | undefined {
    return this.#run(() => this.#read(path.join(this.#at(space), toHex(this.#id(space, key))))?.value)
  }

  put(space: string, key: string, value: Uint8Array): void {
    this.#run(() => {
      const folder = this.#at(space)
      const id = this.#id(space, key)
      const file = path.join(folder, toHex(id))
      const name = this.#sealer.seal(utf8(key), entryContext('name', id))
      const head = new Uint8Array(HEAD_BYTES)
      new DataView(head.buffer).setUint32(0, name.length)
      this.#write(folder, file, [head, name, this.#sealer.seal(value, entryContext('value', id))])
      this.#syncSoon([file, folder])
    })
  }

  delete(space: string, key: string): void {
    this.#run(() => {
      const file = path.join(this.#at(space), toHex(this.#id(space, key)))
      this.#unsynced.delete(file)
      const gone = `${file}.${this.#nextGone++}.gone`
      try {
        renameSync(file, gone)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
        throw error
      }
      unlink(gone, () => undefined) // letting go of its blocks takes milliseconds; one that stays is removed with the next start
    })
  }

  entries(space: string): readonly (readonly [key: string, value: Uint8Array])[] {
    return this.#run(() => {
      const folder = this.#at(space)
      return listed(folder).flatMap((name) => {
        const found = /^[0-9a-f]{64}$/.test(name) ? this.#read(path.join(folder, name)) : undefined
        return found ? [[found.key, found.value] as const] : []
      })
    })
  }

  dispose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#syncTimer)
    for (const one of new Set([...this.#syncing, ...this.#unsynced])) {
      try {
        syncNow(one)
      } catch (error) {
        this.#noteUnsynced(error)
      }
    }
  }

  #run<T>(work: () => T): T {
    if (this.#isClosed) throw StoreError.closed(this.#folder)
    try {
      return work()
    } catch (error) {
      throw systemStoreError(error, this.#folder)
    }
  }

  /**
   * One that replaces another is written beside it, then renamed over it, which takes ten times as long. A new one that is cut off by
   * the end of the process cannot be unsealed, and so was never kept.
   */
  #write(folder: string, file: string, parts: readonly Uint8Array[]): void {
    const fresh = openNew(file, folder, () => {
      for (const one of [this.#folder, path.dirname(this.#folder)]) this.#unsynced.add(one)
    })
    const temporary = fresh === undefined ? `${file}.tmp` : file
    const fd = fresh ?? openSync(temporary, FLAGS, 0o600)
    try {
      const length = parts.reduce((sum, part) => sum + part.length, 0)
      // A disk that fills up takes a part of it, and says so only the next time.
      if (writevSync(fd, parts) !== length) throw StoreError.diskFull(this.#folder)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    } finally {
      closeSync(fd)
    }
    if (temporary !== file) renameSync(temporary, file)
  }

  #read(file: string): { readonly key: string; readonly value: Uint8Array } | undefined {
    let bytes: Buffer
    try {
      bytes = readFileSync(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    try {
      const end = HEAD_BYTES + bytes.readUInt32BE(0)
      const id = Uint8Array.from(Buffer.from(path.basename(file), 'hex'))
      const key = fromUtf8(this.#sealer.open(bytes.subarray(HEAD_BYTES, end), entryContext('name', id)))
      return { key, value: this.#sealer.open(bytes.subarray(end), entryContext('value', id)) }
    } catch {
      renameSync(file, `${file}.damaged`) // kept for who wants to know; the next value takes its place
      return undefined
    }
  }

  #at(space: string): string {
    let folder = this.#spaces.get(space)
    if (folder === undefined) {
      folder = path.join(this.#folder, toHex(this.#sealer.lookupKey(`space\n${space}`)))
      this.#spaces.set(space, folder)
      // Of a process before.
      for (const name of listed(folder)) if (/\.(tmp|gone)$/.test(name)) unlink(path.join(folder, name), () => undefined)
    }
    return folder
  }

  #id(space: string, key: string): Uint8Array {
    return this.#sealer.lookupKey(`entry\n${space}\n${key}`)
  }

  /** What was written reaches the disk itself shortly after, without holding this thread. */
  #syncSoon(written: readonly string[]): void {
    for (const one of written) {
      this.#unsynced.delete(one) // a folder comes after the files in it
      this.#unsynced.add(one)
    }
    this.#syncTimer ??= setTimeout(() => void this.#syncAll(), SYNC_DELAY_MS).unref()
  }

  /** What cannot be synced is tried again with the next value, and at the end. */
  async #syncAll(): Promise<void> {
    this.#syncing = this.#unsynced
    this.#unsynced = new Set()
    const failed: string[] = []
    for (const one of this.#syncing) {
      try {
        await syncOne(one)
      } catch (error) {
        failed.push(one)
        this.#noteUnsynced(error)
      }
      if (this.#isClosed) return // the rest is synced already
    }
    this.#syncing = new Set()
    this.#syncTimer = undefined
    const written = [...this.#unsynced]
    for (const one of failed) this.#unsynced.add(one)
    if (written.length > 0) this.#syncSoon(written)
  }

  #noteUnsynced(error: unknown): void {
    this.#log.warn('what a job wrote may be lost by a power cut; it is tried again', { error: errorMessage(error) })
  }
}

/** One that is gone needs no sync. */
function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

async function syncOne(file: string): Promise<void> {
  try {
    const handle = await open(file, 'r')
    await handle.sync().finally(() => handle.close())
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function syncNow(file: string): void {
  try {
    const fd = openSync(file, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

/** Undefined: it is there already. */
function openNew(file: string, folder: string, madeFolder: () => void, isSecond = false): number | undefined {
  try {
    return openSync(file, FLAGS | constants.O_EXCL, 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return undefined
    if (code !== 'ENOENT' || isSecond) throw error
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    madeFolder()
    return openNew(file, folder, madeFolder, true)
  }
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
