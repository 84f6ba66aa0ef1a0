import type { FileEntry, TreeEntry } from './tree-frames.ts'

/** A file being written: it is there, whole, once committed; `name` puts it beside, in the same folder. */
export interface TreeFile {
  write(bytes: Uint8Array): Promise<void>
  commit(name?: string): Promise<void>
  abort(): Promise<void>
}

/**
 * A folder of this machine as jobs see it. Paths lie below it; none leads out of it, whatever links are in it.
 * Every path parameter is a `treePath`.
 */
export interface TreeFolder {
  /** Folders before what is in them. What cannot be read, sockets and devices are left out. @throws JobError `job/folder-too-large`, `job/folder-gone` */
  list(signal?: AbortSignal): Promise<TreeEntry[]>
  stat(path: string): Promise<TreeEntry | undefined>
  /** Undefined: it is not there any more. */
  read(path: string): Promise<AsyncIterable<Uint8Array> | undefined>
  /** A new file, or in place of one. Missing folders above are made. */
  create(entry: FileEntry): Promise<TreeFile>
  /** One that is there is none to make. @throws JobError `job/transfer-failed`  something else has that name: it stays */
  makeFolder(path: string, mode: number): Promise<void>
  makeLink(path: string, target: string): Promise<void>
  /** A file, a link, or a folder if it is empty; what is not there is no error. */
  remove(path: string): Promise<void>
  /** Free on its disk. */
  freeBytes(): number
}

/** Places for copies of folders that belong to others. */
export interface TreePlaces {
  /** @throws JobError `job/folder-gone` */
  open(folder: string): Promise<TreeFolder>
  /**
   * An own copy for one attempt. It begins with what the last one of the same `origin` left, if nobody uses that.
   *
   * @throws JobError `job/disk-full`
   */
  lend(attempt: string, origin: string): Promise<LentTree>
  /** Whether `folder` can be sent: not a home folder, not the root. */
  refuses(folder: string): string | undefined
}

export interface LentTree {
  readonly folder: TreeFolder
  /** Where it lies on this machine. */
  readonly path: string
  /** Bytes that may still be written on its disk before others would miss them. */
  freeBytes(): number
  /** Over: `keep` leaves it for the next one of the same origin. */
  giveBack(keep: boolean): Promise<void>
}
