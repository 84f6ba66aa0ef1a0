import { Emitter } from '../base/emitter.ts'
import {
  type AllocateKind,
  type AttributeChanges,
  type Ino,
  type MountedTree,
  ROOT_INO,
  type RenameKind,
  type SetAttributeKind,
  type TreeAttributes,
  type TreeChange,
  type TreeEntry,
  type TreeKind,
} from '../files/mounted-tree.ts'
import { TreeError } from '../files/tree-error.ts'

interface Node {
  readonly ino: Ino
  readonly kind: TreeKind
  mode: number
  bytes: Uint8Array
  fileBytes: number
  atimeNs: bigint
  mtimeNs: bigint
  ctimeNs: bigint
  /** Of a folder: name > number, with the order in which the name came. */
  readonly children: Map<string, { ino: Ino; cookie: number }>
  parent: Ino
  linkCount: number
  handedOut: number
  readonly xattrs: Map<string, Uint8Array>
  target: string
}

/** Largest file: a test that writes beyond it has gone wrong. */
const MAX_FILE_BYTES = 2 ** 31

/** A whole tree in memory: what a mount is tested with, and the model others are compared to. */
export class MemoryMountedTree implements MountedTree {
  readonly #nodes = new Map<Ino, Node>()
  readonly #changes = new Emitter<TreeChange>()
  readonly #nowNs: () => bigint
  #nextIno = ROOT_INO
  #nextCookie = 1
  readonly onDidChange = this.#changes.event

  constructor(nowNs: () => bigint = () => BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1e6))) {
    this.#nowNs = nowNs
    this.#make('folder', ROOT_INO, 0o755)
  }

  /** Entries that are there or still in use: nothing may stay behind for ever. */
  get nodeCount(): number {
    return this.#nodes.size
  }

  lookup(parent: Ino, name: string): TreeAttributes | undefined {
    const child = this.#folder(parent).children.get(name)
    return child && this.#handOut(this.#node(child.ino))
  }

  getattr(ino: Ino): TreeAttributes {
    return attributesOf(this.#node(ino))
  }

  setattr(ino: Ino, changes: AttributeChanges): TreeAttributes {
    const node = this.#node(ino)
    if (changes.fileBytes !== undefined) {
      this.#resize(this.#file(ino), changes.fileBytes)
      node.mtimeNs = this.#nowNs()
    }
    if (changes.mode !== undefined) node.mode = changes.mode & 0o7777
    if (changes.atimeNs !== undefined) node.atimeNs = changes.atimeNs
    if (changes.mtimeNs !== undefined) node.mtimeNs = changes.mtimeNs
    node.ctimeNs = changes.ctimeNs ?? this.#nowNs()
    return attributesOf(node)
  }

  readdir(ino: Ino, afterCookie: number, limit: number): readonly TreeEntry[] {
    const entries: TreeEntry[] = []
    for (const [name, { ino: child, cookie }] of this.#folder(ino).children) {
      if (entries.length >= limit) break
      if (cookie > afterCookie) entries.push({ name, cookie, attributes: this.#handOut(this.#node(child)) })
    }
    return entries
  }

  create(parent: Ino, name: string, mode: number): TreeAttributes {
    return this.#handOut(this.#add(parent, name, 'file', mode))
  }

  mkdir(parent: Ino, name: string, mode: number): TreeAttributes {
    const node = this.#add(parent, name, 'folder', mode)
    this.#node(parent).linkCount++
    return this.#handOut(node)
  }

  symlink(parent: Ino, name: string, target: string): TreeAttributes {
    const node = this.#add(parent, name, 'link', 0o777)
    node.target = target
    node.fileBytes = new TextEncoder().encode(target).length
    return this.#handOut(node)
  }

  readlink(ino: Ino): string {
    const node = this.#node(ino)
    if (node.kind !== 'link') throw new TreeError('tree/bad-argument')
    return node.target
  }

  unlink(parent: Ino, name: string): void {
    const node = this.#child(parent, name)
    if (node.kind === 'folder') throw new TreeError('tree/is-a-folder')
    this.#detach(parent, name, node)
  }

  rmdir(parent: Ino, name: string): void {
    const node = this.#child(parent, name)
    if (node.kind !== 'folder') throw new TreeError('tree/not-a-folder')
    if (node.children.size > 0) throw new TreeError('tree/not-empty')
    this.#detach(parent, name, node)
  }

  rename(parent: Ino, name: string, toParent: Ino, toName: string, kind: RenameKind): void {
    const node = this.#child(parent, name)
    const to = this.#folder(toParent)
    const there = to.children.get(toName)
    const other = there && this.#node(there.ino)
    if (kind === 'exchange' && !other) throw new TreeError('tree/not-found')
    if (kind === 'keep' && other) throw new TreeError('tree/exists')
    if (other === node) return
    if (this.#isInside(toParent, node) || (kind === 'exchange' && other && this.#isInside(parent, other))) {
      throw new TreeError('tree/bad-argument')
    }
    if (kind === 'exchange' && other) {
      this.#put(parent, name, other)
      this.#put(toParent, toName, node)
      return
    }
    if (other) {
      if (node.kind === 'folder' && other.kind !== 'folder') throw new TreeError('tree/not-a-folder')
      if (node.kind !== 'folder' && other.kind === 'folder') throw new TreeError('tree/is-a-folder')
      if (other.children.size > 0) throw new TreeError('tree/not-empty')
      this.#detach(toParent, toName, other)
    }
    this.#take(parent, name)
    this.#put(toParent, toName, node)
  }

  read(ino: Ino, offset: number, length: number): readonly Uint8Array[] {
    const node = this.#file(ino)
    const end = Math.min(node.fileBytes, offset + length)
    return offset >= end ? [] : [node.bytes.subarray(offset, end)]
  }

  write(ino: Ino, offset: number, bytes: Uint8Array): void {
    const node = this.#file(ino)
    if (offset + bytes.length > node.fileBytes) this.#resize(node, offset + bytes.length)
    node.bytes.set(bytes, offset)
    node.mtimeNs = node.ctimeNs = this.#nowNs()
  }

  allocate(ino: Ino, kind: AllocateKind, offset: number, length: number): void {
    const node = this.#file(ino)
    if ((kind === 'allocate' || kind === 'zero') && offset + length > node.fileBytes) this.#resize(node, offset + length)
    if (kind === 'punch' || kind === 'zero') node.bytes.subarray(0, node.fileBytes).fill(0, offset, offset + length)
    if (kind !== 'keep-size') node.mtimeNs = node.ctimeNs = this.#nowNs()
  }

  flush(ino: Ino): void {
    this.#node(ino)
  }

  fsync(ino: Ino): void {
    this.#node(ino)
  }

  getxattr(ino: Ino, name: string): Uint8Array | undefined {
    return this.#node(ino).xattrs.get(name)
  }

  setxattr(ino: Ino, name: string, value: Uint8Array, kind: SetAttributeKind): void {
    const node = this.#node(ino)
    if (kind === 'create' && node.xattrs.has(name)) throw new TreeError('tree/exists')
    if (kind === 'replace' && !node.xattrs.has(name)) throw new TreeError('tree/no-attribute')
    node.xattrs.set(name, value.slice())
    node.ctimeNs = this.#nowNs()
  }

  removexattr(ino: Ino, name: string): void {
    const node = this.#node(ino)
    if (!node.xattrs.delete(name)) throw new TreeError('tree/no-attribute')
    node.ctimeNs = this.#nowNs()
  }

  listxattr(ino: Ino): readonly string[] {
    return [...this.#node(ino).xattrs.keys()]
  }

  statfs() {
    return { totalBytes: 2 ** 40, freeBytes: 2 ** 39, files: this.#nodes.size }
  }

  forget(ino: Ino, count: number): void {
    const node = this.#nodes.get(ino)
    if (!node) return
    node.handedOut = Math.max(0, node.handedOut - count)
    this.#dropUnused(node)
  }

  /** As if another device had written the file at this name. */
  replaceFromAfar(parent: Ino, name: string, bytes: Uint8Array): void {
    const old = this.#folder(parent).children.get(name)
    if (old) this.#detach(parent, name, this.#node(old.ino))
    const node = this.#add(parent, name, 'file', 0o644)
    this.#resize(node, bytes.length)
    node.bytes.set(bytes)
    this.#changes.fire({ kind: 'entry', parent, name })
  }

  #make(kind: TreeKind, parent: Ino, mode: number): Node {
    const nowNs = this.#nowNs()
    const node: Node = {
      ino: this.#nextIno++,
      kind,
      mode: mode & 0o7777,
      bytes: new Uint8Array(0),
      fileBytes: 0,
      atimeNs: nowNs,
      mtimeNs: nowNs,
      ctimeNs: nowNs,
      children: new Map(),
      parent,
      linkCount: kind === 'folder' ? 2 : 1,
      handedOut: 0,
      xattrs: new Map(),
      target: '',
    }
    this.#nodes.set(node.ino, node)
    return node
  }

  #add(parent: Ino, name: string, kind: TreeKind, mode: number): Node {
    const folder = this.#folder(parent)
    if (folder.linkCount === 0) throw new TreeError('tree/not-found')
    if (folder.children.has(name)) throw new TreeError('tree/exists')
    const node = this.#make(kind, parent, mode)
    folder.children.set(name, { ino: node.ino, cookie: this.#nextCookie++ })
    this.#touch(folder)
    return node
  }

  /** Takes a name out of its folder; what it named goes on living elsewhere. */
  #take(parent: Ino, name: string): void {
    const folder = this.#folder(parent)
    const child = folder.children.get(name)
    if (child && this.#node(child.ino).kind === 'folder') folder.linkCount--
    folder.children.delete(name)
    this.#touch(folder)
  }

  #put(parent: Ino, name: string, node: Node): void {
    if (this.#folder(parent).children.has(name)) this.#take(parent, name)
    const folder = this.#folder(parent)
    folder.children.set(name, { ino: node.ino, cookie: this.#nextCookie++ })
    if (node.kind === 'folder') folder.linkCount++
    node.parent = parent
    node.ctimeNs = this.#nowNs()
    this.#touch(folder)
  }

  #detach(parent: Ino, name: string, node: Node): void {
    this.#take(parent, name)
    node.linkCount = 0
    node.ctimeNs = this.#nowNs()
    this.#dropUnused(node)
  }

  #dropUnused(node: Node): void {
    if (node.linkCount === 0 && node.handedOut === 0) this.#nodes.delete(node.ino)
  }

  #touch(folder: Node): void {
    folder.mtimeNs = folder.ctimeNs = this.#nowNs()
  }

  #isInside(ino: Ino, folder: Node): boolean {
    for (let at = ino; ; at = this.#node(at).parent) {
      if (at === folder.ino) return true
      if (at === ROOT_INO) return false
    }
  }

  #resize(node: Node, fileBytes: number): void {
    if (fileBytes > MAX_FILE_BYTES) throw new TreeError('tree/too-large')
    if (fileBytes > node.bytes.length) {
      const grown = new Uint8Array(Math.max(fileBytes, 2 * node.bytes.length))
      grown.set(node.bytes.subarray(0, node.fileBytes))
      node.bytes = grown
    } else if (fileBytes < node.fileBytes) node.bytes.fill(0, fileBytes, node.fileBytes)
    node.fileBytes = fileBytes
  }

  #handOut(node: Node): TreeAttributes {
    node.handedOut++
    return attributesOf(node)
  }

  #child(parent: Ino, name: string): Node {
    const child = this.#folder(parent).children.get(name)
    if (!child) throw new TreeError('tree/not-found')
    return this.#node(child.ino)
  }

  #folder(ino: Ino): Node {
    const node = this.#node(ino)
    if (node.kind !== 'folder') throw new TreeError('tree/not-a-folder')
    return node
  }

  #file(ino: Ino): Node {
    const node = this.#node(ino)
    if (node.kind === 'folder') throw new TreeError('tree/is-a-folder')
    if (node.kind === 'link') throw new TreeError('tree/bad-argument')
    return node
  }

  #node(ino: Ino): Node {
    const node = this.#nodes.get(ino)
    if (!node) throw new TreeError('tree/not-found')
    return node
  }
}

function attributesOf(node: Node): TreeAttributes {
  const { ino, kind, mode, fileBytes, atimeNs, mtimeNs, ctimeNs, linkCount } = node
  return { ino, kind, mode, fileBytes, atimeNs, mtimeNs, ctimeNs, linkCount }
}
