import { DomainError } from '../base/errors.ts'

export type FileErrorCode =
  | 'file/not-found'
  | 'file/exists'
  | 'file/no-permission'
  | 'file/changed'
  | 'file/too-large'
  | 'file/not-text'
  | 'file/device-away'
  | 'file/outside-home'
  | 'file/disk-full'
  | 'file/bad-path'
  | 'file/not-a-file'
  | 'file/not-a-folder'
  | 'file/other-disk'
  | 'file/own-mount'
  | 'file/failed'

/** Codes are stable and tested; the text is for people and may change. */
export class FileError extends DomainError<FileErrorCode> {
  override readonly name = 'FileError'
  readonly code: FileErrorCode

  constructor(code: FileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static deviceAway(device: string): FileError {
    return new FileError('file/device-away', `device ${device.slice(0, 12)} is not linked; its files can be reached when it is back`)
  }
}

const MEANINGS: Readonly<Record<string, readonly [FileErrorCode, string]>> = {
  ENOENT: ['file/not-found', 'is not there any more, or never was'],
  EEXIST: ['file/exists', 'is there already; choose another name'],
  ENOTEMPTY: ['file/exists', 'is there already and not empty; choose another name'],
  EACCES: ['file/no-permission', 'is not yours to open or change'],
  EPERM: ['file/no-permission', 'is not yours to open or change'],
  EROFS: ['file/no-permission', 'lies on a disk that can only be read'],
  ENOSPC: ['file/disk-full', 'was not written: its disk is full. Nothing was lost; free some space and save again'],
  EDQUOT: ['file/disk-full', 'was not written: your share of its disk is used up. Nothing was lost; free some space and save again'],
  EISDIR: ['file/not-a-file', 'is a folder, not a file'],
  ENXIO: ['file/not-a-file', 'is a device or a pipe, not a file'],
  ENOTDIR: ['file/not-a-folder', 'goes through something that is not a folder'],
  ELOOP: ['file/changed', 'became a link while it was opened; try again'],
  ENAMETOOLONG: ['file/bad-path', 'has a name that is too long for its disk'],
  EINVAL: ['file/bad-path', 'is not a path that this disk takes'],
  EXDEV: ['file/other-disk', 'cannot be moved to another disk; copy it and remove the original'],
}

/** The error a person can act on, for what the system said about `path`. Errors of ours pass as they are. */
export function fileErrorOf(error: unknown, path: string): FileError {
  if (error instanceof FileError) return error
  const errno = error !== null && typeof error === 'object' && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const meaning = MEANINGS[errno]
  if (meaning) return new FileError(meaning[0], `${path} ${meaning[1]}`, { cause: error })
  return new FileError('file/failed', `${path} could not be used (${errno || String(error)}); the device's log says more`, { cause: error })
}
