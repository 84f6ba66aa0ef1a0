import { concatBytes } from '../base/bytes.ts'
import { FileError } from '../files/file-error.ts'
import type { HomeDisk, HomeWrite, ReadFile, ReadPiece, SearchedNames } from '../files/home-disk.ts'
import type { FileEntry } from '../files/home-files-contract.ts'

/** A home folder in memory: flat, for tests of those who call one. */
export class MemoryHomeDisk implements HomeDisk {
  readonly home = '/home/test'
  readonly files = new Map<string, { bytes: Uint8Array; version: number }>()
  #versions = 0
  #writes = 0

  async homeFolder(): Promise<string> {
    return this.home
  }

  async list(path: string): Promise<{ path: string; entries: FileEntry[]; truncated: boolean }> {
    const entries = [...this.files].map(([file, { bytes }]) => ({
      name: file.slice(this.home.length + 1),
      kind: 'file' as const,
      bytes: bytes.length,
      modifiedMs: 0,
      hidden: false,
    }))
    return { path, entries, truncated: false }
  }

  async names(path: string): Promise<{ names: string[]; truncated: boolean }> {
    const { entries } = await this.list(path)
    return { names: entries.map(({ name }) => name).sort(), truncated: false }
  }

  async entriesOf(path: string, names: readonly string[]): Promise<FileEntry[]> {
    const wanted = new Set(names)
    return (await this.list(path)).entries.filter(({ name }) => wanted.has(name))
  }

  async search(path: string, text: string): Promise<SearchedNames> {
    const { entries } = await this.list(path)
    const found = entries.filter(({ name }) => name.includes(text)).map((entry) => ({ entry, path: `${path}/${entry.name}` }))
    return { found: found.slice(0, 500), isComplete: true }
  }

  async read(path: string): Promise<ReadFile> {
    const file = this.#require(path)
    return { bytes: file.bytes, version: String(file.version), readOnly: false }
  }

  async readPiece(path: string, offset: number, length: number): Promise<ReadPiece> {
    const { bytes, version } = this.#require(path)
    return { bytes: bytes.subarray(offset, offset + length), total: bytes.length, version: String(version) }
  }

  async write(path: string, bytes: Uint8Array, expectedVersion: string | null | undefined): Promise<{ version: string }> {
    const before = this.files.get(path)
    if (expectedVersion !== undefined && expectedVersion !== (before ? String(before.version) : null)) {
      throw new FileError('file/changed', `${path} has changed meanwhile`)
    }
    this.files.set(path, { bytes, version: ++this.#versions })
    return { version: String(this.#versions) }
  }

  async beginWrite(path: string): Promise<HomeWrite> {
    if (this.files.has(path)) throw new FileError('file/exists', `${path} is there already`)
    let bytes: Uint8Array = new Uint8Array()
    return {
      id: String(++this.#writes).padStart(24, '0'),
      append: async (_offset, piece) => void (bytes = concatBytes(bytes, piece)),
      commit: () => this.write(path, bytes, null),
      abandon: async () => {},
    }
  }

  async makeFolder(): Promise<void> {}

  async rename(path: string, to: string): Promise<void> {
    this.files.set(to, this.#require(path))
    this.files.delete(path)
  }

  async trash(path: string): Promise<{ trashedTo: string }> {
    this.#require(path)
    this.files.delete(path)
    return { trashedTo: '/trash' }
  }

  #require(path: string) {
    const file = this.files.get(path)
    if (!file) throw new FileError('file/not-found', `${path} is not there`)
    return file
  }
}
