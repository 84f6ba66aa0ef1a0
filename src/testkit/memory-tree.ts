import { concatBytes } from '../base/bytes.ts'
import { FileError } from '../files/file-error.ts'
import type { WorkFolders } from '../files/work-folder.ts'
import { JobError } from '../jobs/job-error.ts'
import type { LentTree, TreeFile, TreeFolder, TreePlaces } from '../jobs/tree-folder.ts'
import type { FileEntry, TreeEntry } from '../jobs/tree-frames.ts'

/** A folder in memory, as jobs see one. */
export class MemoryTree implements TreeFolder {
  readonly entries = new Map<string, { entry: TreeEntry; bytes: Uint8Array }>()
  #atMs: number

  /** @param atMs  what its clock shows: two machines' files rarely have the same time */
  constructor(atMs = 1_000) {
    this.#atMs = atMs
  }

  /** As a program of this machine writes it. */
  write(path: string, text: string): void {
    const bytes = new TextEncoder().encode(text)
    this.entries.set(path, { entry: { kind: 'file', path, bytes: bytes.length, modifiedMs: (this.#atMs += 1), mode: 0o644 }, bytes })
  }

  text(path: string): string | undefined {
    const held = this.entries.get(path)
    return held && new TextDecoder().decode(held.bytes)
  }

  async list(): Promise<TreeEntry[]> {
    return [...this.entries.values()].map(({ entry }) => entry).sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  async stat(path: string): Promise<TreeEntry | undefined> {
    return this.entries.get(path)?.entry
  }

  async read(path: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const held = this.entries.get(path)
    if (held?.entry.kind !== 'file') return undefined
    return (async function* () {
      if (held.bytes.length > 0) yield held.bytes
    })()
  }

  async create(entry: FileEntry): Promise<TreeFile> {
    const parts: Uint8Array[] = []
    this.#requireFolders(entry.path)
    return {
      write: async (bytes) => void parts.push(bytes.slice()),
      commit: async (name) => {
        const path = name === undefined ? entry.path : entry.path.slice(0, entry.path.lastIndexOf('/') + 1) + name
        this.entries.set(path, { entry: { ...entry, path }, bytes: concatBytes(...parts) })
      },
      abort: async () => undefined,
    }
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    this.#requireFolders(path)
    const there = this.entries.get(path)
    if (there?.entry.kind === 'folder') return
    if (there) throw new JobError('job/transfer-failed', `${path} is no folder here`)
    this.entries.set(path, { entry: { kind: 'folder', path, mode }, bytes: new Uint8Array() })
  }

  /** As on a disk: nothing is below a file or a link. */
  #requireFolders(path: string): void {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const above = this.entries.get(path.slice(0, end))
      if (above && above.entry.kind !== 'folder') throw new Error(`ENOTDIR: ${above.entry.path}`)
    }
  }

  async makeLink(path: string, target: string): Promise<void> {
    this.entries.set(path, { entry: { kind: 'link', path, target }, bytes: new Uint8Array() })
  }

  async remove(path: string): Promise<void> {
    this.entries.delete(path)
  }

  free = Number.MAX_SAFE_INTEGER
  freeBytes(): number {
    return this.free
  }
}

/** Folders of one machine by path, and copies of others' lent to attempts. */
export class MemoryTreePlaces implements TreePlaces {
  readonly folders = new Map<string, MemoryTree>()
  readonly lent = new Map<string, MemoryTree>()
  free = Number.MAX_SAFE_INTEGER

  at(path: string): MemoryTree {
    let folder = this.folders.get(path)
    if (!folder) this.folders.set(path, (folder = new MemoryTree()))
    return folder
  }

  async open(folder: string): Promise<TreeFolder> {
    return this.at(folder)
  }

  async lend(attempt: string): Promise<LentTree> {
    const folder = new MemoryTree()
    this.lent.set(attempt, folder)
    return { folder, path: `/lent/${attempt}`, freeBytes: () => this.free, giveBack: async () => undefined }
  }

  refuses(folder: string): string | undefined {
    return folder === '/' ? 'it belongs to the system' : undefined
  }
}

/** Work folders as folders of the same machine: what a job of it writes there is in them. */
export function memoryWorkFolders(places: MemoryTreePlaces): WorkFolders {
  const at = (work: string) => `/work/${work}`
  return {
    make: async (work) => {
      places.folders.delete(at(work))
      return { folder: places.at(at(work)), path: at(work) }
    },
    list: async () => [...places.folders.keys()].filter((path) => path.startsWith('/work/')).map((path) => path.slice('/work/'.length)),
    open: async (work) => {
      const folder = places.folders.get(at(work))
      if (!folder) throw new FileError('file/not-found', 'the folder of this work is gone')
      return folder
    },
    drop: async (work) => void places.folders.delete(at(work)),
  }
}
