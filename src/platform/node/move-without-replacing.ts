import * as fs from 'node:fs/promises'

/** What disks without hard links say (FAT, some network disks). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Gives a file another name, and fails with EEXIST when that is taken, even if it was taken this very moment: a hard link
 * never replaces. On disks without hard links it looks first and then renames; there two makers of one name within
 * microseconds can still meet.
 *
 * @param link  replaced in tests by that of such a disk
 */
export async function moveWithoutReplacing(from: string, to: string, link: typeof fs.link = fs.link): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    if (await isThere(to)) throw Object.assign(new Error(`${to} is there already`, { cause: error }), { code: 'EEXIST' })
    return fs.rename(from, to)
  }
  await fs.unlink(from)
}

async function isThere(file: string): Promise<boolean> {
  try {
    await fs.lstat(file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
