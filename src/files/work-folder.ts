/*
 * Folders outside of any dataset in which work on copies of its files is done: laid out before, taken in after (rules FW1-FW4).
 * The shapes are those of the jobs room's folders, so that one implementation does for both.
 */

export type WorkEntry =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: number; readonly modifiedMs: number; readonly mode: number }
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
export type WorkFileEntry = Extract<WorkEntry, { kind: 'file' }>

/** One folder. Paths lie below it; none leads out of it, whatever links are in it. */
export interface WorkFolder {
  /** Folders before what is in them. */
  list(): Promise<readonly WorkEntry[]>
  stat(path: string): Promise<WorkEntry | undefined>
  /** Undefined: it is not there any more. */
  read(path: string): Promise<AsyncIterable<Uint8Array> | undefined>
  /** Folders above are made. */
  create(entry: WorkFileEntry): Promise<{ write(bytes: Uint8Array): Promise<void>; commit(): Promise<void>; abort(): Promise<void> }>
  makeFolder(path: string, mode: number): Promise<void>
  makeLink(path: string, target: string): Promise<void>
}

/** Where they lie, by their names. */
export interface WorkFolders {
  /** Empty, whatever was there before; with where it lies on this machine. @throws FileError `file/disk-full` */
  make(work: string): Promise<{ readonly folder: WorkFolder; readonly path: string }>
  /** Those that are there, at most MAX_WORK_FOLDERS of the contract. */
  list(): Promise<readonly string[]>
  /** @throws FileError `file/not-found` */
  open(work: string): Promise<WorkFolder>
  /** What is not there is no error. */
  drop(work: string): Promise<void>
}
