import { constants, type Stats, statfsSync } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, readlink, rename, rmdir, symlink, unlink } from 'node:fs/promises'
import path from 'node:path'
import { JobError } from '../../jobs/job-error.ts'
import type { TreeFile, TreeFolder } from '../../jobs/tree-folder.ts'
import { type FileEntry, MAX_TREE_BYTES, MAX_TREE_ENTRIES, type TreeEntry } from '../../jobs/tree-frames.ts'

const READ_BYTES = 256 * 1024
/** Entries of one folder asked for at once: the four threads of Node's file calls stay busy. */
const LOOKED_AT_ONCE = 64
/** Ours while a file is being written; left out of lists. */
const TEMPORARY = /^\.elsewhere-job-[0-9a-f]+\.tmp$/
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * A folder and what is below it, reached step by step through open folders (`/proc/self/fd/N/name` on Linux), so that a job that
 * swaps a folder for a link while we look leads us nowhere else (rule JB49).
 */
export class NodeTreeFolder implements TreeFolder {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#root)
    return bavail * bsize
  }

  async list(signal?: AbortSignal): Promise<TreeEntry[]> {
    const entries: TreeEntry[] = []
    let bytes = 0
    const walk = async (folder: OpenFolder, below: string): Promise<void> => {
      const names = (await readdir(folder.here)).sort().filter((name) => !TEMPORARY.test(name) && name.length <= 255)
      for (let at = 0; at < names.length; at += LOOKED_AT_ONCE) {
        signal?.throwIfAborted()
        const some = names.slice(at, at + LOOKED_AT_ONCE)
        const found = await Promise.all(some.map((name) => entryAt(folder, name, below + name)))
        for (const [n, entry] of found.entries()) if (entry) await take(folder, some[n] as string, entry)
      }
    }
    const take = async (folder: OpenFolder, name: string, entry: TreeEntry): Promise<void> => {
      entries.push(entry)
      bytes += entry.kind === 'file' ? entry.bytes : 0
      if (entries.length > MAX_TREE_ENTRIES || bytes > MAX_TREE_BYTES) throw tooLarge(this.#root)
      if (entry.kind !== 'folder') return
      const inside = await OpenFolder.below(folder, name).catch(() => undefined) // removed, or not ours to read
      if (!inside) return
      try {
        await walk(inside, `${entry.path}/`)
      } finally {
        await inside.close()
      }
    }
    const root = await this.#openRoot()
    try {
      await walk(root, '')
    } finally {
      await root.close()
    }
    return entries
  }

  async stat(at: string): Promise<TreeEntry | undefined> {
    return this.#in(at, (folder, name) => entryAt(folder, name, at)).catch(missing)
  }

  async read(at: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const handle = await this.#in(at, (folder, name) =>
      open(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
    ).catch(missing)
    if (!handle) return undefined
    if ((await handle.stat()).isFile()) return pieces(handle)
    await handle.close()
    return undefined
  }

  async create(entry: FileEntry): Promise<TreeFile> {
    const parts = entry.path.split('/')
    await this.#makeParents(parts)
    const name = parts.at(-1) as string
    const folder = await this.#openParent(parts)
    const temporary = `.elsewhere-job-${crypto.getRandomValues(new BigUint64Array(1))[0]?.toString(16)}.tmp`
    let handle: FileHandle
    try {
      handle = await open(folder.at(temporary), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
    } catch (error) {
      await folder.close()
      throw diskError(error, entry.path)
    }
    const close = async () => {
      await handle.close()
      await folder.close()
    }
    return {
      write: async (bytes) => {
        await handle.writeFile(bytes).catch((error: unknown) => {
          throw diskError(error, entry.path)
        })
      },
      commit: async (beside) => {
        const target = beside ?? name
        await handle.chmod(entry.mode)
        await handle.utimes(entry.modifiedMs / 1_000, entry.modifiedMs / 1_000)
        const there = await lstat(folder.at(target)).catch(() => undefined)
        if (there?.isDirectory()) await rmdir(folder.at(target)).catch(() => undefined) // what is in it keeps the file away: the rename says so
        await rename(folder.at(temporary), folder.at(target))
        await close()
      },
      abort: async () => {
        await unlink(folder.at(temporary)).catch(() => undefined) // never came to be
        await close()
      },
    }
  }

  async makeFolder(at: string, mode: number): Promise<void> {
    await this.#makeParents(at.split('/'))
    await this.#in(at, async (folder, name) => {
      await mkdir(folder.at(name), mode | 0o700).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw diskError(error, at)
        const isFolder = await lstat(folder.at(name)).then((there) => there.isDirectory())
        if (!isFolder) throw new JobError('job/transfer-failed', `${at} is no folder here, and stays; move it away, and run it again`)
      })
    })
  }

  async makeLink(at: string, target: string): Promise<void> {
    await this.#makeParents(at.split('/'))
    await this.#in(at, async (folder, name) => {
      await unlink(folder.at(name)).catch(() => undefined) // was not there
      await symlink(target, folder.at(name))
    })
  }

  async remove(at: string): Promise<void> {
    await this.#in(at, async (folder, name) => {
      const there = await lstat(folder.at(name))
      if (there.isDirectory()) await rmdir(folder.at(name))
      else await unlink(folder.at(name))
    }).catch((error: NodeJS.ErrnoException) => {
      if (!['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error
    })
  }

  /** Calls with the open folder that `at` lies in, and its name there. */
  async #in<T>(at: string, use: (folder: OpenFolder, name: string) => Promise<T>): Promise<T> {
    const parts = at.split('/')
    const folder = await this.#openParent(parts)
    try {
      return await use(folder, parts.at(-1) as string)
    } finally {
      await folder.close()
    }
  }

  async #openRoot(): Promise<OpenFolder> {
    return OpenFolder.at(this.#root).catch((cause: unknown) => {
      throw new JobError('job/folder-gone', `the folder ${this.#root} is not there, or cannot be read`, { cause })
    })
  }

  async #openParent(parts: readonly string[]): Promise<OpenFolder> {
    let folder = await this.#openRoot()
    for (const part of parts.slice(0, -1)) {
      const next = await OpenFolder.below(folder, part).finally(() => folder.close())
      folder = next
    }
    return folder
  }

  async #makeParents(parts: readonly string[]): Promise<void> {
    let folder = await this.#openRoot()
    for (const part of parts.slice(0, -1)) {
      await mkdir(folder.at(part), 0o777).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw diskError(error, part)
      })
      const next = await OpenFolder.below(folder, part).finally(() => folder.close())
      folder = next
    }
    await folder.close()
  }
}

class OpenFolder {
  readonly #handle: FileHandle
  readonly here: string

  private constructor(handle: FileHandle, real: string) {
    this.#handle = handle
    this.here = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : real
  }

  static async at(real: string): Promise<OpenFolder> {
    return new OpenFolder(await open(real, constants.O_RDONLY | constants.O_DIRECTORY), real)
  }

  static async below(folder: OpenFolder, name: string): Promise<OpenFolder> {
    return new OpenFolder(await open(folder.at(name), FOLDER), path.join(folder.here, name))
  }

  at(name: string): string {
    return `${this.here}/${name}`
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Undefined: gone meanwhile, or nothing a job is given (socket, pipe, device). */
async function entryAt(folder: OpenFolder, name: string, at: string): Promise<TreeEntry | undefined> {
  const stat: Stats | undefined = await lstat(folder.at(name)).catch(() => undefined)
  if (stat?.isFile()) return { kind: 'file', path: at, bytes: stat.size, modifiedMs: Math.round(stat.mtimeMs), mode: stat.mode & 0o777 }
  if (stat?.isDirectory()) return { kind: 'folder', path: at, mode: stat.mode & 0o777 }
  const target = stat?.isSymbolicLink() ? await readlink(folder.at(name)).catch(() => undefined) : undefined
  return target === undefined || target.length > 4_096 ? undefined : { kind: 'link', path: at, target }
}

async function* pieces(handle: FileHandle): AsyncIterable<Uint8Array> {
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(READ_BYTES), 0, READ_BYTES)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENXIO'].includes(error.code ?? '')) return undefined
  throw error
}

function diskError(error: unknown, at: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new JobError('job/disk-full', `there is no room for ${at}; free some space`, { cause: error })
}

function tooLarge(root: string): JobError {
  return new JobError(
    'job/folder-too-large',
    `${root} holds more than ${MAX_TREE_ENTRIES} entries or ${MAX_TREE_BYTES / 1024 ** 3} GiB; run it here, or from a smaller folder`,
  )
}
