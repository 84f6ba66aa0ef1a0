import type {
  AllocateKind,
  Answer,
  AttributeChanges,
  Ino,
  MountedTree,
  RenameKind,
  SetAttributeKind,
  TreeAttributes,
  TreeEntry,
  TreeSpace,
} from '../mounted-tree.ts'
import { TreeError } from '../tree-error.ts'
import { rethrow } from '../tree-writing.ts'
import { StillLoading, whenLoaded } from './still-loading.ts'

/** A tree of which parts may still have to come: whoever asks for them waits for them, and nobody else does. Owns nothing. */
export class LoadedTree implements MountedTree {
  readonly #tree: MountedTree

  constructor(tree: MountedTree) {
    this.#tree = tree
  }

  get onDidChange(): MountedTree['onDidChange'] {
    return this.#tree.onDidChange
  }

  lookup(parent: Ino, name: string): Answer<TreeAttributes | undefined> {
    return loaded(() => this.#tree.lookup(parent, name))
  }

  getattr(ino: Ino): Answer<TreeAttributes> {
    return this.#tree.getattr(ino)
  }

  setattr(ino: Ino, changes: AttributeChanges): Answer<TreeAttributes> {
    return loaded(() => this.#tree.setattr(ino, changes))
  }

  readdir(ino: Ino, afterCookie: number, limit: number): Answer<readonly TreeEntry[]> {
    return loaded(() => this.#tree.readdir(ino, afterCookie, limit))
  }

  create(parent: Ino, name: string, mode: number): Answer<TreeAttributes> {
    return loaded(() => this.#tree.create(parent, name, mode))
  }

  mkdir(parent: Ino, name: string, mode: number): Answer<TreeAttributes> {
    return loaded(() => this.#tree.mkdir(parent, name, mode))
  }

  symlink(parent: Ino, name: string, target: string): Answer<TreeAttributes> {
    return loaded(() => this.#tree.symlink(parent, name, target))
  }

  readlink(ino: Ino): Answer<string> {
    return this.#tree.readlink(ino)
  }

  unlink(parent: Ino, name: string): Answer<void> {
    return loaded(() => this.#tree.unlink(parent, name))
  }

  rmdir(parent: Ino, name: string): Answer<void> {
    return loaded(() => this.#tree.rmdir(parent, name))
  }

  rename(parent: Ino, name: string, toParent: Ino, toName: string, kind: RenameKind): Answer<void> {
    return loaded(() => this.#tree.rename(parent, name, toParent, toName, kind))
  }

  read(ino: Ino, offset: number, length: number, signal?: AbortSignal): Answer<readonly Uint8Array[]> {
    return this.#tree.read(ino, offset, length, signal)
  }

  write(ino: Ino, offset: number, bytes: Uint8Array): Answer<void> {
    return this.#tree.write(ino, offset, bytes)
  }

  allocate(ino: Ino, kind: AllocateKind, offset: number, length: number): Answer<void> {
    return this.#tree.allocate(ino, kind, offset, length)
  }

  flush(ino: Ino): Answer<void> {
    return loaded(() => this.#tree.flush(ino))
  }

  fsync(ino: Ino): Answer<void> {
    return loaded(() => this.#tree.fsync(ino))
  }

  getxattr(ino: Ino, name: string): Answer<Uint8Array | undefined> {
    return this.#tree.getxattr(ino, name)
  }

  setxattr(ino: Ino, name: string, value: Uint8Array, kind: SetAttributeKind): Answer<void> {
    return loaded(() => this.#tree.setxattr(ino, name, value, kind))
  }

  removexattr(ino: Ino, name: string): Answer<void> {
    return loaded(() => this.#tree.removexattr(ino, name))
  }

  listxattr(ino: Ino): Answer<readonly string[]> {
    return this.#tree.listxattr(ino)
  }

  statfs(): Answer<TreeSpace> {
    return this.#tree.statfs()
  }

  forget(ino: Ino, count: number): void {
    this.#tree.forget(ino, count)
  }
}

/** At once where it is here: a cache costs no turn of the loop. What cannot be had is said in a mount's words. */
function loaded<T>(work: () => Answer<T>): Answer<T> {
  const answer = whenLoaded(work) as Answer<T>
  return answer instanceof Promise ? answer.catch(rethrowAway) : answer
}

function rethrowAway(error: unknown): never {
  if (error instanceof StillLoading) throw new TreeError('tree/away', error.message, { cause: error })
  return rethrow(error)
}
