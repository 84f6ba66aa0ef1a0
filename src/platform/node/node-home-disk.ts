import { randomBytes } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { access, lstat, mkdir, open, opendir, realpath, rename } from 'node:fs/promises'
import path from 'node:path'
import { FileError, fileErrorOf } from '../../files/file-error.ts'
import type { HomeDisk, HomeWrite, ReadFile, ReadPiece, SearchedNames } from '../../files/home-disk.ts'
import type { FileEntry } from '../../files/home-files-contract.ts'
import { isWithin, normalizePath, splitPath } from '../../files/home-path.ts'
import { beginAtomicWrite, isTemporary, versionOf, writeAtomically } from './atomic-write.ts'
import { assertWithin, ConfinedFolder } from './confined-folder.ts'
import { moveWithoutReplacing } from './move-without-replacing.ts'
import type { OwnMounts } from './own-mounts.ts'
import { moveToTrash } from './trash.ts'

/** Entries looked at at once: enough to keep the thread pool busy, few enough to leave it to others. */
const LIST_CONCURRENCY = 32

/** Names looked at in one search: a few seconds on a quick disk. */
const MAX_SEARCHED = 200_000

export interface NodeHomeDiskOptions {
  readonly home: string
  /** `$XDG_DATA_HOME/Trash`. */
  readonly trash: string
  /** Follow links out of home, and take paths outside it. */
  readonly allowOutside?: boolean
  /** Folders at which this process itself answers: paths below them are refused, for we would wait for ourselves. */
  readonly mounts?: OwnMounts
}

interface OpenFile {
  readonly handle: Awaited<ReturnType<typeof open>>
  readonly stats: BigIntStats
  readonly file: string
  readonly folder: ConfinedFolder
  readonly name: string
}

/**
 * The home folder on this machine's disk. Every entry is reached through an open folder that is known to lie in home
 * (ConfinedFolder). Writes of one file follow each other, so that of two with the same expected version one fails.
 */
export class NodeHomeDisk implements HomeDisk {
  readonly #options: NodeHomeDiskOptions
  readonly #writing = new Map<string, Promise<unknown>>()
  #home: Promise<string> | undefined

  constructor(options: NodeHomeDiskOptions) {
    this.#options = options
  }

  homeFolder(): Promise<string> {
    return this.#attempt(this.#options.home, () => this.#realHome())
  }

  list(asked: string, limit: number): Promise<{ path: string; entries: FileEntry[]; truncated: boolean }> {
    return this.#attempt(asked, async (folderPath) => {
      await using folder = await this.#openFolder(folderPath)
      const { names, truncated } = await namesIn(folder, limit)
      return { path: folderPath, entries: await entriesIn(folder, names), truncated }
    })
  }

  names(asked: string, limit: number): Promise<{ names: string[]; truncated: boolean }> {
    return this.#attempt(asked, async (folderPath) => {
      await using folder = await this.#openFolder(folderPath)
      const { names, truncated } = await namesIn(folder, limit)
      return { names: names.sort(), truncated }
    })
  }

  entriesOf(asked: string, names: readonly string[]): Promise<FileEntry[]> {
    return this.#attempt(asked, async (folderPath) => {
      if (names.some((name) => name.includes('/'))) throw new FileError('file/bad-path', 'a name holds no slash')
      await using folder = await this.#openFolder(folderPath)
      return await entriesIn(folder, names)
    })
  }

  search(asked: string, text: string, limit: number, signal: AbortSignal): Promise<SearchedNames> {
    return this.#attempt(asked, async (top) => {
      const wanted = text.toLowerCase()
      const found: SearchedNames['found'] = []
      let seen = 0
      await (await this.#openFolder(top))[Symbol.asyncDispose]() // what is asked for must be there; what is below may come and go
      for (const folders = [top]; folders.length > 0; ) {
        const at = folders.shift() as string
        signal.throwIfAborted()
        const folder = this.#options.mounts?.holds(at) ? undefined : await this.#openFolder(at).catch(ifClosed)
        if (!folder) continue
        try {
          for await (const entry of await opendir(folder.here, { bufferSize: 512 })) {
            if (isTemporary(entry.name)) continue
            if (++seen > MAX_SEARCHED) return { found, isComplete: false }
            const path = `${at === '/' ? '' : at}/${entry.name}`
            if (entry.isDirectory()) folders.push(path)
            const facts = entry.name.toLowerCase().includes(wanted) ? await entryOf(folder, entry.name) : undefined
            if (!facts) continue
            if (found.length >= limit) return { found, isComplete: false }
            found.push({ entry: facts, path })
          }
        } finally {
          await folder[Symbol.asyncDispose]()
        }
      }
      return { found, isComplete: true }
    })
  }

  read(asked: string, maxBytes: number): Promise<ReadFile> {
    return this.#withFile(asked, async ({ handle, stats, file, folder, name }) => {
      const bytes = await readUpTo(handle, stats, maxBytes)
      if (!bytes) throw new FileError('file/too-large', `${file} has ${stats.size} bytes; up to ${maxBytes} are opened here`)
      return { bytes, version: versionOf(stats), readOnly: !((await mayWrite(folder.at(name))) && (await mayWrite(folder.here))) }
    })
  }

  readPiece(asked: string, offset: number, length: number): Promise<ReadPiece> {
    return this.#withFile(asked, async ({ handle, stats }) => {
      const buffer = new Uint8Array(Math.max(0, Math.min(length, Number(stats.size) - offset)))
      let filled = 0
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled)
        if (bytesRead === 0) break // it was cut meanwhile
        filled += bytesRead
      }
      return { bytes: buffer.subarray(0, filled), total: Number(stats.size), version: versionOf(stats) }
    })
  }

  write(asked: string, bytes: Uint8Array, expectedVersion: string | null | undefined): Promise<{ version: string }> {
    return this.#attempt(asked, async (file) => {
      const target = await this.#resolveForWriting(file)
      return this.#inTurn(path.join(target.folder, target.name), async () => {
        await using folder = await this.#openFolder(target.folder)
        return await writeAtomically(folder, target.name, bytes, expectedVersion, randomBytes(6).toString('hex'))
      })
    })
  }

  beginWrite(asked: string): Promise<HomeWrite> {
    return this.#attempt(asked, async (file) => {
      const { folder, name } = await this.#resolveForWriting(file)
      return await beginAtomicWrite(await this.#openFolder(folder), name, randomBytes(12).toString('hex'))
    })
  }

  makeFolder(asked: string): Promise<void> {
    return this.#attempt(asked, async (file) => {
      const { folder: folderPath, name } = splitPath(file)
      await using folder = await this.#openFolder(folderPath)
      await mkdir(folder.at(name))
    })
  }

  rename(asked: string, askedTo: string): Promise<void> {
    return this.#attempt(asked, async (from) => {
      const to = normalizePath(askedTo)
      await this.#refuseHome(from)
      const source = splitPath(from)
      const target = splitPath(to)
      await using sourceFolder = await this.#openFolder(source.folder)
      await using targetFolder = await this.#attempt(to, () => this.#openFolder(target.folder))
      const entry = await lstat(sourceFolder.at(source.name))
      const there = await lstat(targetFolder.at(target.name)).catch(ifAbsent)
      // a disk that ignores letter case finds the entry itself; two hard links are two entries
      const onlyCase = there?.ino === entry.ino && source.name.toLowerCase() === target.name.toLowerCase()
      if (there && !onlyCase) throw new FileError('file/exists', `${to} is there already; choose another name`)
      if (entry.isFile() && !onlyCase) await moveWithoutReplacing(sourceFolder.at(source.name), targetFolder.at(target.name))
      else await rename(sourceFolder.at(source.name), targetFolder.at(target.name))
    })
  }

  trash(asked: string): Promise<{ trashedTo: string }> {
    return this.#attempt(asked, async (file) => {
      await this.#refuseHome(file)
      const { folder: folderPath, name } = splitPath(file)
      await using folder = await this.#openFolder(folderPath)
      return { trashedTo: await moveToTrash(folder, name, this.#options.trash, new Date()) }
    })
  }

  /** Runs with an ordinary file, open for reading: never a pipe or a device, and never one outside home. */
  #withFile<T>(asked: string, run: (open: OpenFile) => Promise<T>): Promise<T> {
    return this.#attempt(asked, async (file) => {
      const { folder: folderPath, name } = await this.#resolve(file)
      await using folder = await this.#openFolder(folderPath)
      const before = await lstat(folder.at(name))
      if (!before.isFile()) throw notAFile(file, before.isDirectory())
      // Should it become a pipe at this moment, O_NONBLOCK keeps us from waiting on it; a link is refused by O_NOFOLLOW.
      const handle = await open(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        const stats = await handle.stat({ bigint: true })
        if (!stats.isFile()) throw notAFile(file, stats.isDirectory())
        return await run({ handle, stats, file, folder, name })
      } finally {
        await handle.close()
      }
    })
  }

  #realHome(): Promise<string> {
    this.#home ??= realpath(this.#options.home).catch((error: unknown) => {
      this.#home = undefined // it may be mounted later
      throw error
    })
    return this.#home
  }

  /** Runs with the normal path; whatever goes wrong becomes a FileError that names it. */
  async #attempt<T>(asked: string, run: (path: string) => Promise<T>): Promise<T> {
    try {
      const normal = normalizePath(asked)
      this.#options.mounts?.refuse(normal)
      if (!this.#options.allowOutside && !isWithin(this.#options.home, normal)) assertWithin(await this.#realHome(), normal, normal)
      return await run(normal)
    } catch (error) {
      throw fileErrorOf(error, asked)
    }
  }

  async #openFolder(folder: string): Promise<ConfinedFolder> {
    return ConfinedFolder.open(folder, this.#options.allowOutside ? undefined : await this.#realHome())
  }

  /** Where a path leads once its links are followed; the folder is checked when it is opened. */
  async #resolve(file: string): Promise<{ folder: string; name: string }> {
    return splitPath(await realpath(file))
  }

  /** As #resolve; what is not there yet lies where it will be made. A link that leads nowhere is refused. */
  async #resolveForWriting(file: string): Promise<{ folder: string; name: string }> {
    try {
      return await this.#resolve(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    if (await lstat(file).catch(ifAbsent))
      throw new FileError('file/not-found', `${file} is a link that leads nowhere; nothing was written`)
    const { folder, name } = splitPath(file)
    return { folder: await realpath(folder), name }
  }

  async #refuseHome(file: string): Promise<void> {
    if (isWithin(file, this.#options.home) || isWithin(file, await this.#realHome())) {
      throw new FileError('file/no-permission', `${file} is the home folder or holds it; it stays where it is`)
    }
  }

  async #inTurn<T>(file: string, run: () => Promise<T>): Promise<T> {
    const before = this.#writing.get(file) ?? Promise.resolve()
    const mine = before.then(run, run)
    this.#writing.set(file, mine)
    try {
      return await mine
    } finally {
      if (this.#writing.get(file) === mine) this.#writing.delete(file)
    }
  }
}

async function namesIn(folder: ConfinedFolder, limit: number): Promise<{ names: string[]; truncated: boolean }> {
  const names: string[] = []
  for await (const { name } of await opendir(folder.here, { bufferSize: 512 })) {
    if (isTemporary(name)) continue
    if (names.length >= limit) return { names, truncated: true }
    names.push(name)
  }
  return { names, truncated: false }
}

async function entriesIn(folder: ConfinedFolder, names: readonly string[]): Promise<FileEntry[]> {
  const entries: FileEntry[] = []
  for (let at = 0; at < names.length; at += LIST_CONCURRENCY) {
    const batch = await Promise.all(names.slice(at, at + LIST_CONCURRENCY).map((name) => entryOf(folder, name)))
    for (const entry of batch) if (entry) entries.push(entry)
  }
  return entries
}

/** Undefined when it was removed since it was listed. */
async function entryOf(folder: ConfinedFolder, name: string): Promise<FileEntry | undefined> {
  const stats = await lstat(folder.at(name)).catch(ifAbsent)
  if (!stats) return undefined
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'other'
  return { name, kind, bytes: stats.size, modifiedMs: stats.mtimeMs, hidden: name.startsWith('.') }
}

/** Undefined when there is more than `maxBytes`, also when the file grows meanwhile. */
async function readUpTo(handle: Awaited<ReturnType<typeof open>>, stats: BigIntStats, maxBytes: number): Promise<Uint8Array | undefined> {
  if (stats.size > maxBytes) return undefined
  const buffer = new Uint8Array(Math.min(maxBytes, Number(stats.size) + 4096) + 1)
  let length = 0
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length)
    length += bytesRead
    if (length > maxBytes) return undefined
    if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length)
  }
}

function notAFile(file: string, isFolder: boolean): FileError {
  return new FileError('file/not-a-file', `${file} is ${isFolder ? 'a folder' : 'a device, pipe or socket'}, not a file; it was not opened`)
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** Removed, not ours to enter, or a link by now: left out of a search. */
function ifClosed(error: NodeJS.ErrnoException): undefined {
  if (error instanceof FileError || ['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP', 'EPERM'].includes(error.code ?? '')) return
  throw error
}

async function mayWrite(file: string): Promise<boolean> {
  try {
    await access(file, constants.W_OK)
    return true
  } catch {
    return false // the answer, not a failure
  }
}
