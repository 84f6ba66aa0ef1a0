import type { FileEntry } from './home-files-contract.ts'

/** A file as it was read; `version` changes whenever the content does. */
export interface ReadFile {
  readonly bytes: Uint8Array
  readonly version: string
  /** It, or the folder it lies in, cannot be written. */
  readonly readOnly: boolean
}

export interface SearchedNames {
  readonly found: { readonly entry: FileEntry; readonly path: string }[]
  readonly isComplete: boolean
}

/** A part of a file; `total`: bytes of the whole. */
export interface ReadPiece {
  readonly bytes: Uint8Array
  readonly total: number
  readonly version: string
}

/** A new file that is being written piece by piece, beside its name. It ends with one of the last two. */
export interface HomeWrite {
  readonly id: string
  append(offset: number, bytes: Uint8Array): Promise<void>
  /** Under its name now, whole and on the disk itself; `file/exists` when something else is there: then nothing of it is left. */
  commit(): Promise<{ version: string }>
  /** Nothing of it is left. */
  abandon(): Promise<void>
}

/**
 * The home folder of the account this runs as. Paths are absolute; those that lead outside home, also through links, are
 * refused. Every method rejects with a FileError that names the path.
 */
export interface HomeDisk {
  homeFolder(): Promise<string>
  /** At most `limit` entries, in the disk's order; `truncated`: there are more. */
  list(path: string, limit: number): Promise<{ path: string; entries: FileEntry[]; truncated: boolean }>
  /** Names of a folder as they are now, sorted letter for letter, at most `limit`; what they are is asked by `entriesOf`. */
  names(path: string, limit: number): Promise<{ names: string[]; truncated: boolean }>
  /** What these names of a folder are; those that are gone are left out. */
  entriesOf(path: string, names: readonly string[]): Promise<FileEntry[]>
  /** Names that contain `text` below a folder, nearest first; at most `limit`. Cancelled by the signal between folders. */
  search(path: string, text: string, limit: number, signal: AbortSignal): Promise<SearchedNames>
  /** `file/too-large` above `maxBytes`. Follows links that stay in home; never opens a pipe or device. */
  read(path: string, maxBytes: number): Promise<ReadFile>
  /** As `read`, of a part; fewer bytes at the end, none behind it. */
  readPiece(path: string, offset: number, length: number): Promise<ReadPiece>
  /**
   * Whole or not at all, also when the machine stops in the middle; a link is followed, mode and owner are kept.
   * @param expectedVersion  as read; null = must not exist; undefined = overwrite knowingly
   */
  write(path: string, bytes: Uint8Array, expectedVersion: string | null | undefined): Promise<{ version: string }>
  /** A file that is not there yet. What a killed process left of it goes with the next write in that folder. */
  beginWrite(path: string): Promise<HomeWrite>
  makeFolder(path: string): Promise<void>
  /** Never replaces what is at `to`. */
  rename(path: string, to: string): Promise<void>
  trash(path: string): Promise<{ trashedTo: string }>
}
