import { DomainError } from '../../../base/errors.ts'
import type { FileEntry } from '../../../files/home-files-contract.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'

/** What the pane shows of a file or folder. What only datasets tell is in `shared`. */
export interface PaneEntry extends FileEntry {
  readonly shared?: SharedFacts
}

/** Of something in a dataset: which version is shown, and where its bytes are. */
export interface SharedFacts {
  readonly dataset: string
  readonly node: string
  readonly version: string
  /** Of the bytes: all on this device, some, none. */
  readonly place: 'here' | 'part' | 'away'
  /** As many other devices as are asked for have signed for it. */
  readonly isSafe: boolean
  /** It lost against a version written at the same time. */
  readonly isConflictCopy: boolean
  /** A clock that is ahead wrote it last. */
  readonly isClockAhead?: boolean
  /** In a folder of this device only, or one itself. */
  readonly isLocal?: boolean
  /** Kept whole on this device: by itself or by a folder above. */
  readonly pinned?: 'self' | 'above'
}

/** Bytes that move piece by piece. */
export interface PieceWork {
  readonly signal: AbortSignal
  /** Called after each piece with how many bytes it had. */
  readonly onBytes: (bytes: number) => void
}

export interface SourceListing {
  readonly entries: readonly PaneEntry[]
  /** There are more than were given. */
  readonly truncated: boolean
}

export interface SearchAnswer {
  readonly found: readonly { readonly entry: Pick<FileEntry, 'name' | 'kind'>; readonly path: string }[]
  /** False: there are more. */
  readonly isComplete: boolean
}

export interface ListOptions {
  readonly signal: AbortSignal
  /** Called while a long folder is read: how many entries are there, of how many. */
  readonly onPart?: (entries: number, total: number) => void
}

/**
 * A place whose folders the pane shows: the home folder of one device, or the person's datasets. Paths are absolute in it. Calls
 * reject with the codes of homeFilesContract and datasetContract.
 */
export interface FileSource {
  list(path: string, options: ListOptions): Promise<SourceListing>
  /** Names that contain `text`, anywhere below a folder; paths absolute in the place. */
  search(path: string, text: string, options: { signal: AbortSignal }): Promise<SearchAnswer>
  makeFolder(path: string): Promise<unknown>
  /** Never replaces what is there: `file/exists`. */
  rename(path: string, to: string): Promise<unknown>
  /** To the trash of the place; resolves with what brings it back. */
  trash(path: string): Promise<() => Promise<unknown>>
  /** All bytes of a file. */
  download(path: string, work: PieceWork): Promise<Blob>
  /** A new file; `file/exists` when the name is taken. Nothing is seen of it before all is there. */
  upload(path: string, blob: Blob, work: PieceWork & { readonly modifiedMs?: number | undefined }): Promise<unknown>
  /** Copies without moving bytes, where the place can: undefined when it cannot, for these two. */
  copy(path: string, to: string): Promise<unknown> | undefined
  /** All bytes, for viewers: at most 16 MiB, else `file/too-large`. */
  readBytes(path: string, options: { signal: AbortSignal }): Promise<Uint8Array<ArrayBuffer>>
  /** What an archive of these entries of a folder is made of. */
  archiveOf(folder: string, entries: readonly PaneEntry[]): Promise<Parameters<DeviceClient['openArchive']>[0]['of']>
  /** Why nothing can be made or dropped in this folder; undefined: it can. */
  refusal(path: string): string | undefined
}

/** What a place says by itself, before or after asking its device. */
export class SourceError extends DomainError {
  override readonly name = 'SourceError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
