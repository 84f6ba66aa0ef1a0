import { type BigIntStats, constants } from 'node:fs'
import { access, type FileHandle, lstat, open, readdir, rename, unlink } from 'node:fs/promises'
import { FileError, fileErrorOf } from '../../files/file-error.ts'
import type { HomeWrite } from '../../files/home-disk.ts'
import type { ConfinedFolder } from './confined-folder.ts'
import { moveWithoutReplacing } from './move-without-replacing.ts'

/** Our half-written files: hidden from listings, and removed by the next write in the folder once their process is gone. */
const TEMPORARY = /^\.elsewhere-(\d+)-[0-9a-f]{12}(?:[0-9a-f]{12})?\.tmp$/
export const isTemporary = (name: string): boolean => TEMPORARY.test(name)

/** What changes whenever the content of a file does. */
export const versionOf = ({ size, mtimeNs, ino }: BigIntStats): string => `${size}-${mtimeNs}-${ino}`

/**
 * Replaces or makes a file whole or not at all: written beside it, flushed to the disk, renamed over it, and the folder
 * flushed. Keeps mode and, where allowed, owner. What a rename loses: further hard links keep the old text, and extended
 * attributes are not carried over.
 *
 * @param expectedVersion  as HomeDisk.write; checked again right before the rename
 */
export async function writeAtomically(
  folder: ConfinedFolder,
  name: string,
  bytes: Uint8Array,
  expectedVersion: string | null | undefined,
  random: string,
): Promise<{ version: string }> {
  const old = await oldFile(folder, name, expectedVersion)
  if (old) await access(folder.at(name), constants.W_OK) // a rename would not ask
  await removeLeftovers(folder)
  const temporary = `.elsewhere-${process.pid}-${random}.tmp`
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const handle = await open(folder.at(temporary), flags, old ? 0o600 : 0o666)
  try {
    const version = await fill(handle, bytes, old)
    await oldFile(folder, name, expectedVersion)
    if (old || expectedVersion === undefined) await rename(folder.at(temporary), folder.at(name))
    else await moveWithoutReplacing(folder.at(temporary), folder.at(name))
    await folder.flush()
    return { version }
  } catch (error) {
    await unlink(folder.at(temporary)).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause
    })
    throw error
  }
}

/**
 * As `writeAtomically`, of a file that is not there yet, piece by piece. Owns the folder from now on.
 * @throws FileError `file/exists`, `file/not-a-file`
 */
export async function beginAtomicWrite(folder: ConfinedFolder, name: string, random: string): Promise<HomeWrite> {
  const temporary = folder.at(`.elsewhere-${process.pid}-${random}.tmp`)
  const unlinkTemporary = () =>
    unlink(temporary).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause
    })
  let handle: FileHandle
  try {
    await oldFile(folder, name, null)
    await removeLeftovers(folder)
    handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
  const shown = `${folder.real}/${name}`
  const ending = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw fileErrorOf(error, shown)
    } finally {
      await handle.close().catch(() => undefined) // what was written is synced, or goes
      await unlinkTemporary().finally(() => folder[Symbol.asyncDispose]())
    }
  }
  return {
    id: random,
    async append(offset, bytes) {
      try {
        for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten
      } catch (error) {
        throw fileErrorOf(error, shown)
      }
    },
    commit: () =>
      ending(async () => {
        await handle.sync()
        const version = versionOf(await handle.stat({ bigint: true }))
        await oldFile(folder, name, null)
        await moveWithoutReplacing(temporary, folder.at(name))
        await folder.flush()
        return { version }
      }),
    abandon: () => ending(async () => undefined),
  }
}

/** What is there now, if that is what the caller expects. @throws FileError `file/exists`, `file/changed`, `file/not-a-file` */
async function oldFile(folder: ConfinedFolder, name: string, expectedVersion: string | null | undefined): Promise<BigIntStats | undefined> {
  const shown = `${folder.real}/${name}`
  const stats = await lstat(folder.at(name), { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (stats && !stats.isFile()) throw new FileError('file/not-a-file', `${shown} is not a file that can be written`)
  if (expectedVersion === null && stats) throw new FileError('file/exists', `${shown} is there already; nothing was written`)
  if (typeof expectedVersion === 'string' && (!stats || versionOf(stats) !== expectedVersion)) {
    const what = stats ? 'was changed by something else' : 'was removed'
    throw new FileError(
      'file/changed',
      `${shown} ${what} since it was read; nothing was written. Compare, then overwrite or save under another name`,
    )
  }
  return stats
}

async function fill(handle: FileHandle, bytes: Uint8Array, old: BigIntStats | undefined): Promise<string> {
  try {
    await handle.writeFile(bytes)
    if (old) {
      const own = await handle.stat({ bigint: true })
      if (own.uid !== old.uid || own.gid !== old.gid) await handle.chown(Number(old.uid), Number(old.gid)).catch(ignoreRefusal)
      await handle.chmod(Number(old.mode) & 0o7777)
    }
    await handle.sync()
    return versionOf(await handle.stat({ bigint: true }))
  } finally {
    await handle.close()
  }
}

/** Only root may give files away; the file then becomes ours, as with every editor that saves like this. */
function ignoreRefusal(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPERM') throw error
}

/** Files that a process left which died while it wrote. */
async function removeLeftovers(folder: ConfinedFolder): Promise<void> {
  for (const name of await readdir(folder.here)) {
    const pid = Number(TEMPORARY.exec(name)?.[1] ?? 0)
    if (pid === 0 || pid === process.pid || isRunning(pid)) continue
    await unlink(folder.at(name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
