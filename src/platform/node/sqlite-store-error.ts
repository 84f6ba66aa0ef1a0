import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode, errorMessage } from '../../base/errors.ts'
import { StoreError } from '../../base/store-error.ts'
import { systemStoreError } from './system-store-error.ts'

/** Primary result codes of SQLite that mean something to a person. */
const SQLITE = { readOnly: 8, corrupt: 11, full: 13, notADatabase: 26 } as const

/** What SQLite, the system or the sealer said of the store at `path`, as a person is told it. */
export function sqliteStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error
  if (errorCode(error) === 'vault/unsealable') return StoreError.damaged(path, 'a value cannot be unsealed', error)
  switch (((error as { errcode?: number }).errcode ?? 0) & 0xff) {
    case SQLITE.full:
      return StoreError.diskFull(path, error)
    case SQLITE.readOnly:
      return StoreError.readOnly(dirname(path), error)
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return StoreError.damaged(path, errorMessage(error), error)
    default:
      break
  }
  const known = systemStoreError(error, path)
  const isReadOnly = known.code === 'store/read-only' || (known.code === 'store/failed' && !isWritable(dirname(path)))
  return isReadOnly ? StoreError.readOnly(dirname(path), error) : known
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
