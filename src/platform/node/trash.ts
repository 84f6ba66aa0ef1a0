import { lstat, mkdir, open, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import { FileError } from '../../files/file-error.ts'
import { isWithin } from '../../files/home-path.ts'
import type { ConfinedFolder } from './confined-folder.ts'

/** Names tried for one entry before giving up: notes.txt, notes.txt.2, ... */
const MAX_NAMES = 10_000

/**
 * Moves an entry to the trash as freedesktop.org's Trash specification 1.0 says: the home trash for what lies on its
 * disk, `.Trash-UID` at the top of the disk for anything else. On macOS: ~/.Trash.
 *
 * @param homeTrash  `$XDG_DATA_HOME/Trash`
 * @returns where it lies now
 */
export async function moveToTrash(folder: ConfinedFolder, name: string, homeTrash: string, now: Date): Promise<string> {
  const original = path.join(folder.real, name)
  const entry = await lstat(folder.at(name))
  if (process.platform === 'darwin')
    return moveAside(folder.at(name), path.dirname(homeTrash), path.join(path.dirname(homeTrash), '.Trash'), name)
  if (isWithin(homeTrash, original) || isWithin(original, homeTrash)) {
    throw new FileError('file/no-permission', `${original} holds the trash, or lies in it; empty the trash instead`)
  }
  await mkdir(homeTrash, { recursive: true, mode: 0o700 })
  const sameDisk = (await lstat(homeTrash)).dev === entry.dev
  const top = sameDisk ? undefined : await diskTop(folder.real, entry.dev)
  const trash = top === undefined ? homeTrash : path.join(top, `.Trash-${process.getuid?.() ?? 0}`)
  for (const part of [trash, path.join(trash, 'files'), path.join(trash, 'info')]) await ensureFolder(part)
  const recorded = top === undefined ? original : path.relative(top, original)
  for (let n = 1; n <= MAX_NAMES; n++) {
    const trashName = n === 1 ? name : `${name}.${n}`
    const target = path.join(trash, 'files', trashName)
    const info = path.join(trash, 'info', `${trashName}.trashinfo`)
    if (await exists(target)) continue
    if (!(await writeInfo(info, recorded, now))) continue
    try {
      await rename(folder.at(name), target)
      return target
    } catch (error) {
      await unlink(info)
      throw error
    }
  }
  throw new FileError('file/failed', `the trash holds ${MAX_NAMES} entries named ${name}; empty it`)
}

/** False: another process has just taken this name. */
async function writeInfo(info: string, original: string, now: Date): Promise<boolean> {
  const handle = await open(info, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined
    throw error
  })
  if (!handle) return false
  try {
    const path = original.split('/').map(encodeURIComponent).join('/')
    await handle.writeFile(`[Trash Info]\nPath=${path}\nDeletionDate=${localIsoTime(now)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return true
}

/** As the specification wants it: local time, no zone. */
function localIsoTime(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}

/** The highest folder above `from` on the same disk. */
async function diskTop(from: string, dev: number): Promise<string> {
  let top = from
  for (let parent = path.dirname(top); parent !== top && (await lstat(parent)).dev === dev; parent = path.dirname(top)) top = parent
  return top
}

/** A trash that is a link could lead anywhere: refused. */
async function ensureFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  if (!(await lstat(folder)).isDirectory())
    throw new FileError('file/no-permission', `${folder} is not a folder, so nothing can be put in the trash`)
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function moveAside(from: string, home: string, trash: string, name: string): Promise<string> {
  if (!isWithin(home, trash)) throw new FileError('file/failed', `there is no trash at ${trash}`)
  await ensureFolder(trash)
  for (let n = 1; n <= MAX_NAMES; n++) {
    const target = path.join(trash, n === 1 ? name : `${name} ${n}`)
    if (await exists(target)) continue
    await rename(from, target)
    return target
  }
  throw new FileError('file/failed', `the trash holds ${MAX_NAMES} entries named ${name}; empty it`)
}
