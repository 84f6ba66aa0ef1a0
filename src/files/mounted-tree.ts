import type { Event } from '../base/emitter.ts'

/**
 * Names one entry of a mounted tree for as long as somebody may still use it: until `forget` gave back every time it was
 * handed out. Never used again for something else. 1 is the root.
 */
export type Ino = number

export const ROOT_INO: Ino = 1

/** Longest name, in bytes of UTF-8: what every file system people use takes. */
export const MAX_NAME_BYTES = 255

export type TreeKind = 'file' | 'folder' | 'link'

/** What is known of an entry. Times are nanoseconds since 1970, as programs that compare times exactly (rsync, make) set them. */
export interface TreeAttributes {
  readonly ino: Ino
  readonly kind: TreeKind
  /** Permission bits only, 0o7777. */
  readonly mode: number
  /** A file's length; a link's text in bytes; a folder's is 0. */
  readonly fileBytes: number
  readonly atimeNs: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** 0: removed and only still open. Otherwise 1; a folder may say 2 and one for each folder in it, where that is counted. */
  readonly linkCount: number
}

export interface TreeEntry {
  readonly name: string
  /** Where to go on after this entry; > 0, and the same for as long as the entry stays in its folder. */
  readonly cookie: number
  readonly attributes: TreeAttributes
}

export interface AttributeChanges {
  readonly mode?: number
  /** Cuts a file, or lengthens it with zeros. */
  readonly fileBytes?: number
  readonly atimeNs?: bigint
  readonly mtimeNs?: bigint
  /** Given by a cache that kept the times itself; otherwise the tree says when it changed. */
  readonly ctimeNs?: bigint
}

/** `replace`: what is at the target goes, as rename(2) has it. `keep`: `tree/exists` then. `exchange`: the two change places. */
export type RenameKind = 'replace' | 'keep' | 'exchange'

/** `allocate` lengthens with zeros, `keep-size` only promises room, `punch` makes zeros inside, `zero` makes zeros and lengthens. */
export type AllocateKind = 'allocate' | 'keep-size' | 'punch' | 'zero'

/** `any`: made or replaced. `create`: `tree/exists` when there. `replace`: `tree/no-attribute` when not. */
export type SetAttributeKind = 'any' | 'create' | 'replace'

export interface TreeSpace {
  readonly totalBytes: number
  /** What can still be written here, given the disk, its cache bound, and what may be dropped because others hold it. */
  readonly freeBytes: number
  readonly files: number
}

/** Something was changed by another way than through this interface: whoever keeps copies drops them. */
export type TreeChange =
  /** A name of a folder means something else now, or nothing. */
  | { readonly kind: 'entry'; readonly parent: Ino; readonly name: string }
  /** The bytes or attributes of an entry that is still the same one. */
  | { readonly kind: 'content'; readonly ino: Ino }

/** At once where the tree knows it, so that a cache costs no turn of the loop; else later. */
export type Answer<T> = T | Promise<T>

/**
 * A tree of files as a mount needs it: by number, not by path. Every method throws or rejects with a TreeError.
 *
 * Names are non-empty, without `/` and NUL, at most MAX_NAME_BYTES, never `.` or `..`: whoever calls has checked (MT0).
 * Every TreeAttributes that `lookup`, `readdir`, `create`, `mkdir` and `symlink` hand out counts once; `forget` gives the
 * counts back. An entry that was removed stays readable and writable until then.
 *
 * When another device wrote a file, the name gets a new number (an `entry` change is fired): the old number goes on reading
 * what it read before, as an open file does.
 */
export interface MountedTree {
  lookup(parent: Ino, name: string): Answer<TreeAttributes | undefined>
  getattr(ino: Ino): Answer<TreeAttributes>
  setattr(ino: Ino, changes: AttributeChanges): Answer<TreeAttributes>
  /** At most `limit` entries after the one whose cookie is given (0: from the start), in order of cookies. */
  readdir(ino: Ino, afterCookie: number, limit: number): Answer<readonly TreeEntry[]>
  /** @throws TreeError `tree/exists` */
  create(parent: Ino, name: string, mode: number): Answer<TreeAttributes>
  mkdir(parent: Ino, name: string, mode: number): Answer<TreeAttributes>
  symlink(parent: Ino, name: string, target: string): Answer<TreeAttributes>
  readlink(ino: Ino): Answer<string>
  unlink(parent: Ino, name: string): Answer<void>
  rmdir(parent: Ino, name: string): Answer<void>
  rename(parent: Ino, name: string, toParent: Ino, toName: string, kind: RenameKind): Answer<void>
  /** In pieces, to save a copy; fewer bytes than asked only at the end. `signal`: nobody waits any more. */
  read(ino: Ino, offset: number, length: number, signal?: AbortSignal): Answer<readonly Uint8Array[]>
  /** `bytes` are the caller's again when this returns: what is kept is copied. */
  write(ino: Ino, offset: number, bytes: Uint8Array): Answer<void>
  allocate(ino: Ino, kind: AllocateKind, offset: number, length: number): Answer<void>
  /** A program closed the file: what it wrote is a version, and survives a killed process. */
  flush(ino: Ino): Answer<void>
  /** What was written survives a power cut. */
  fsync(ino: Ino): Answer<void>
  getxattr(ino: Ino, name: string): Answer<Uint8Array | undefined>
  setxattr(ino: Ino, name: string, value: Uint8Array, kind: SetAttributeKind): Answer<void>
  removexattr(ino: Ino, name: string): Answer<void>
  listxattr(ino: Ino): Answer<readonly string[]>
  statfs(): Answer<TreeSpace>
  /** `count` of the times `ino` was handed out are over. */
  forget(ino: Ino, count: number): void
  readonly onDidChange: Event<TreeChange>
}
