import { ContentError } from './content-error.ts'
import { FileError } from './file-error.ts'
import { TreeError, type TreeErrorCode } from './tree-error.ts'

const MEANINGS: Readonly<Record<string, TreeErrorCode>> = {
  'file/not-found': 'tree/not-found',
  'file/exists': 'tree/exists',
  'file/not-a-folder': 'tree/not-a-folder',
  'file/not-a-file': 'tree/is-a-folder',
  'file/no-permission': 'tree/not-permitted',
  'file/bad-path': 'tree/bad-argument',
  'file/too-large': 'tree/too-large',
  'file/disk-full': 'tree/full',
  'chunk/unavailable': 'tree/away',
  'chunk/store-full': 'tree/full',
  'chunk/damaged': 'tree/damaged',
  'chunk/no-key': 'tree/away',
  'content/malformed': 'tree/damaged',
  'dataset/locked': 'tree/away',
  'store/disk-full': 'tree/full',
  'store/read-only': 'tree/read-only',
  'store/closed': 'tree/away',
}

/** What a mount says of what a dataset said; bugs pass as they are. */
export function treeErrorOf(error: unknown): unknown {
  if (error instanceof TreeError) return error
  const code =
    error instanceof FileError || error instanceof ContentError || (error instanceof Error && 'code' in error) ? String(error.code) : ''
  const meaning = MEANINGS[code]
  return meaning ? new TreeError(meaning, (error as Error).message, { cause: error }) : error
}
