import { StoreError } from '../../base/store-error.ts'

/** What the system said when a file of the data folder could not be read or written, as a person is told it. */
export function systemStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return StoreError.diskFull(path, error)
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return StoreError.readOnly(path, error)
    default:
      return StoreError.failed(path, error)
  }
}
