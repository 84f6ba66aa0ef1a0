import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { open, readdir, readlink } from 'node:fs/promises'
import path from 'node:path'
import { ProgramError } from '../../jobs/program-error.ts'
import {
  fileProgram,
  type IdentifiedProgram,
  type ProgramIdentifier,
  readShebang,
  scriptProgram,
  SHEBANG_BYTES,
  type TreeEntry,
  treeDigest,
  treeProgram,
} from '../../jobs/program-identity.ts'
import { hostFiles, type ProgramFiles } from './program-files.ts'

/** An interpreter may be a script, as of a version manager; a longer chain is no honest one. */
const MAX_INTERPRETERS = 4
/** Larger is no program that anybody would want to wait for. */
const MAX_FILE_BYTES = 2 * 1024 ** 3
const MAX_TREE_FILES = 20_000
const MAX_TREE_BYTES = 2 * 1024 ** 3
/** Files whose digest is remembered, while they stay what they are. */
const MAX_KNOWN = 512
const PIECE_BYTES = 1024 * 1024

/** Another one when anything of the file has changed, also within a second. */
const keyOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string => [dev, ino, size, mtimeNs, ctimeNs].join(' ')

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

interface Read {
  readonly digest: Uint8Array
  readonly head: Uint8Array
  readonly bytes: number
  readonly isExecutable: boolean
}

/** Programs of this machine by the bytes of their files. Remembers what it read for as long as inode, size and times stay the same. */
export class NodeProgramIdentifier implements ProgramIdentifier {
  readonly #known = new Map<string, Read>()

  async identify(
    program: string,
    where: { readonly folder: string; readonly searchPath: string; readonly tree?: string },
    files: ProgramFiles = hostFiles,
    depth = 0,
  ): Promise<IdentifiedProgram> {
    const found = await files.find(program, where.folder, where.searchPath)
    if (found === undefined)
      throw new ProgramError('program/not-found', `there is no program ${program} on this device; check its name and PATH`)
    const file = await files.real(found)
    const { digest, head } = await this.#read(files.onHost(file))
    const shebang = readShebang(head)
    const tree =
      where.tree === undefined ? undefined : await this.#tree(await files.real(path.resolve(where.folder, where.tree)), file, files)
    if (!shebang) {
      return tree ? { id: treeProgram(tree), path: file, kind: 'tree' } : { id: fileProgram(digest), path: file, kind: 'file' }
    }
    if (depth >= MAX_INTERPRETERS) throw new ProgramError('program/not-found', `${file} is interpreted by what is interpreted, and so on`)
    const interpreter = await this.identify(shebang.program, { folder: where.folder, searchPath: where.searchPath }, files, depth + 1)
    return { id: scriptProgram(sha256, interpreter.id, shebang.words, tree ?? digest), path: file, kind: 'script', interpreter }
  }

  async #tree(seenRoot: string, seenMain: string, files: ProgramFiles): Promise<Uint8Array> {
    const [root, main] = [files.onHost(seenRoot), files.onHost(seenMain)]
    const below = path.relative(root, main)
    if (below.startsWith('..') || path.isAbsolute(below)) {
      throw new ProgramError('program/not-found', `${main} does not lie in ${root}; name the folder that it belongs to`)
    }
    const entries: TreeEntry[] = []
    let bytes = 0
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name)
      const at = path.relative(root, file)
      if (entry.isSymbolicLink()) {
        entries.push({ path: at, kind: 'link', isExecutable: false, digest: sha256(Buffer.from(await readlink(file))) })
      } else if (entry.isFile()) {
        const read = await this.#read(file)
        bytes += read.bytes
        entries.push({ path: at, kind: 'file', isExecutable: read.isExecutable, digest: read.digest })
      }
      if (entries.length > MAX_TREE_FILES || bytes > MAX_TREE_BYTES) {
        throw new ProgramError('program/too-large', `${root} holds more than a program: name a smaller folder`)
      }
    }
    return treeDigest(sha256, entries, below)
  }

  async #read(file: string): Promise<Read> {
    await using handle = await open(file, 'r').catch((cause: unknown) => {
      throw new ProgramError('program/not-found', `${file} cannot be read, so it is not known what it is`, { cause })
    })
    const stat = await handle.stat({ bigint: true })
    const key = keyOf(stat)
    const known = this.#known.get(key)
    if (known) return known
    if (stat.size > MAX_FILE_BYTES) throw new ProgramError('program/too-large', `${file} is too large to be looked through`)
    const hash = createHash('sha256')
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, Math.max(SHEBANG_BYTES, Number(stat.size))))
    let head: Uint8Array = new Uint8Array()
    for (let at = 0; ; ) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, at)
      if (at === 0) head = new Uint8Array(piece.subarray(0, Math.min(bytesRead, SHEBANG_BYTES)))
      if (bytesRead === 0) break
      hash.update(piece.subarray(0, bytesRead))
      at += bytesRead
    }
    if (keyOf(await handle.stat({ bigint: true })) !== key) {
      throw new ProgramError('program/changing', `${file} was written while it was read; try again when it is whole`)
    }
    const read = { digest: hash.digest(), head, bytes: Number(stat.size), isExecutable: (stat.mode & 0o111n) !== 0n }
    if (this.#known.size >= MAX_KNOWN) this.#known.delete(this.#known.keys().next().value as string)
    this.#known.set(key, read)
    return read
  }
}
