import { concatBytes, fromHex, fromUtf8, toHex, utf8 } from '../base/bytes.ts'

/*
 * What a program is, by what it is made of: never by its name, and never by what it says of itself. The device that runs it reads
 * the files (platform/node/node-program-identifier.ts); this is how their digests become one id (identity's ProgramId).
 */

/** `sha256:` and 64 hex digits. Of one file that the system runs by itself it is the SHA-256 of its bytes, as `sha256sum` says it. */
export type ProgramDigest = `sha256:${string}`
/** Of a container image. Marked, since containers run outside of the sandbox: it is no program that a grant can name. */
export type ImageDigest = `image:${ProgramDigest}`

/** A program of this machine, as the device that would run it found it. */
export interface IdentifiedProgram {
  readonly id: ProgramDigest
  /** The file, every link followed. */
  readonly path: string
  /** A script is its interpreter (with what the first line tells it) and its text, or the tree it lies in. */
  readonly kind: 'file' | 'script' | 'tree'
  /** Of a script: what interprets it. */
  readonly interpreter?: IdentifiedProgram
}

/** Identifies programs of the machine it runs on. */
export interface ProgramIdentifier {
  /**
   * @param program  a path, or a name to be looked for in `searchPath`
   * @param tree  a folder that belongs to the program, too: what a script reads beside itself
   * @throws ProgramError `program/not-found`, `program/changing`, `program/too-large`
   */
  identify(
    program: string,
    where: { readonly folder: string; readonly searchPath: string; readonly tree?: string },
  ): Promise<IdentifiedProgram>
}

/** A program as a placed job would run it, in its sandbox. */
export interface PlacedProgram {
  /** What it is: by itself; one that lies in the job's folder only as the tree that it lies in. None: that cannot be told. */
  readonly ids: readonly ProgramDigest[]
  /** Where it lies in the sandbox. */
  readonly path: string
}

/** Looks at the files that a placed job will have, not at those of its name on this machine. */
export interface PlacedPrograms {
  /**
   * @param at  `folder`: the job's, as it sees it; `hostFolder`: where that lies on this machine
   * @throws ProgramError `program/not-found`, `program/changing`, `program/too-large`, `program/hidden`
   */
  identify(
    program: string,
    at: { readonly folder: string; readonly hostFolder: string; readonly home: string; readonly searchPath: string },
  ): Promise<PlacedProgram>
}

type Sha256 = (bytes: Uint8Array) => Uint8Array

/** One entry of a tree, by its path below it. */
export interface TreeEntry {
  readonly path: string
  readonly kind: 'file' | 'link'
  /** May it be executed? */
  readonly isExecutable: boolean
  /** SHA-256 of its bytes, or of what the link says. */
  readonly digest: Uint8Array
}

const digestText = (digest: Uint8Array): ProgramDigest => `sha256:${toHex(digest)}`
export const fileProgram = (sha256OfBytes: Uint8Array): ProgramDigest => digestText(sha256OfBytes)

/** @param text  SHA-256 of the script, or of its tree @param words  what the first line says behind the interpreter */
export function scriptProgram(sha256: Sha256, interpreter: ProgramDigest, words: string, text: Uint8Array): ProgramDigest {
  return digestText(sha256(concatBytes(utf8('elsewhere/program-script/1\0'), fromHex(interpreter.slice(7)), sha256(utf8(words)), text)))
}

/** The whole of a tree with the program in it: whatever file of it is another makes it another program. */
export function treeDigest(sha256: Sha256, entries: readonly TreeEntry[], main: string): Uint8Array {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))
  const lines = sorted.flatMap(({ path, kind, isExecutable, digest }) => [
    sha256(utf8(path)),
    Uint8Array.of(kind === 'link' ? 1 : 0, isExecutable ? 1 : 0),
    digest,
  ])
  return sha256(concatBytes(utf8('elsewhere/program-tree/1\0'), sha256(utf8(main)), ...lines))
}
export const treeProgram = (digest: Uint8Array): ProgramDigest => digestText(digest)

/** The kernel reads no more of a first line. */
export const SHEBANG_BYTES = 256

/**
 * What the first line of a script has interpret it. `env NAME` is read as NAME: which file that is, is for who looks it up.
 *
 * @returns undefined  the system runs the file by itself
 */
export function readShebang(head: Uint8Array): { readonly program: string; readonly words: string; readonly isNamed: boolean } | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined
  const end = head.indexOf(0x0a)
  let line: string
  try {
    line = fromUtf8(head.subarray(2, end < 0 ? Math.min(head.length, SHEBANG_BYTES) : Math.min(end, SHEBANG_BYTES))).trim()
  } catch {
    return undefined // no text: the kernel would not find such an interpreter either
  }
  const [program = '', rest = ''] = splitOnce(line)
  if (program === '') return undefined
  if (!/(^|\/)env$/.test(program)) return { program, words: rest, isNamed: false }
  const [named = '', words = ''] = splitOnce(rest.replace(/^-S\s*/, ''))
  return named === '' || named.startsWith('-') || named.includes('=')
    ? { program, words: rest, isNamed: false }
    : { program: named, words, isNamed: true }
}

const splitOnce = (text: string): readonly string[] => {
  const at = text.search(/\s/)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at).trim()]
}
