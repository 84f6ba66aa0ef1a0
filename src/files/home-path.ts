import { utf8 } from '../base/bytes.ts'
import { FileError } from './file-error.ts'

const MAX_PATH_BYTES = 4095
const MAX_NAME_BYTES = 255

/**
 * An absolute path as it came from outside, in one spelling: `.`, `..` and doubled slashes resolved as text.
 * @throws FileError `file/bad-path`  relative, too long, or with a NUL
 */
export function normalizePath(path: string): string {
  if (!path.startsWith('/')) throw new FileError('file/bad-path', `${shown(path)} is not an absolute path`)
  if (path.includes('\0')) throw new FileError('file/bad-path', `${shown(path)} holds a character no path can have`)
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') segments.pop()
    else segments.push(segment)
  }
  const normal = `/${segments.join('/')}`
  if (utf8(normal).length > MAX_PATH_BYTES || segments.some((segment) => utf8(segment).length > MAX_NAME_BYTES)) {
    throw new FileError('file/bad-path', `${shown(path)} is longer than a path or name may be`)
  }
  return normal
}

/** Whether `path` is `folder` or below it; both normal. */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

/** Folder and last name of a normal path; the root has none. */
export function splitPath(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf('/')
  return { folder: slash <= 0 ? '/' : path.slice(0, slash), name: path.slice(slash + 1) }
}

const shown = (path: string): string => JSON.stringify(path.slice(0, 100))
