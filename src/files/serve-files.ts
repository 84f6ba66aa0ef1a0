import type { Clock } from '../base/clock.ts'
import { utf8 } from '../base/bytes.ts'
import type { Disposable } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Transport } from '../rpc/channel.ts'
import type { Handlers } from '../rpc/contract.ts'
import { serve } from '../rpc/serve.ts'
import { base64Of, bytesOfBase64 } from '../base/base64.ts'
import { FileError } from './file-error.ts'
import type { HomeDisk } from './home-disk.ts'
import { HomeWrites } from './home-writes.ts'
import {
  homeFilesContract,
  MAX_FOUND,
  MAX_LISTED_ENTRIES,
  MAX_LISTED_PAGE,
  MAX_PAGED_ENTRIES,
  MAX_READ_BYTES,
  MAX_TEXT_BYTES,
} from './home-files-contract.ts'

/** A few panes that open long folders at once; more read theirs again for each page. */
const MAX_LISTED_AT_ONCE = 4

/** The files process's side of the contract: texts and base64 on one side, bytes on a disk on the other. It does not know its device. */
export function homeFileHandlers(disk: HomeDisk, clock: Clock): Handlers<typeof homeFilesContract> {
  /** Names of folders that are being listed page by page; those looked at last. */
  const kept = new Map<string, Awaited<ReturnType<HomeDisk['names']>>>()
  const namesOf = async (path: string, from: number) => {
    const found = (from > 0 ? kept.get(path) : undefined) ?? (await disk.names(path, MAX_PAGED_ENTRIES))
    kept.delete(path)
    if (from + MAX_LISTED_PAGE < found.names.length) kept.set(path, found)
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_LISTED_AT_ONCE) break
      kept.delete(oldest)
    }
    return found
  }
  const writes = new HomeWrites(disk, clock)
  return {
    homeFolder: async () => ({ path: await disk.homeFolder() }),
    listFolder: ({ path }) => disk.list(path, MAX_LISTED_ENTRIES),
    async listFolderPage({ path, from }) {
      const { names, truncated } = await namesOf(path, from)
      const entries = await disk.entriesOf(path, names.slice(from, from + MAX_LISTED_PAGE))
      return { entries, total: names.length, truncated }
    },
    searchFolder: ({ path, text }, { signal }) => disk.search(path, text, MAX_FOUND, signal),
    async readText({ path }) {
      const { bytes, version, readOnly } = await disk.read(path, MAX_TEXT_BYTES)
      return { text: textOf(bytes, path), version, readOnly }
    },
    async readBytes({ path }) {
      const { bytes, version } = await disk.read(path, MAX_READ_BYTES)
      return { base64: base64Of(bytes), version }
    },
    async readPiece({ path, version: wanted, offset, length }) {
      const { bytes, total, version } = await disk.readPiece(path, offset, length)
      if (wanted !== undefined && wanted !== version) throw new FileError('file/changed', `${path} was changed meanwhile; open it again`)
      return { base64: base64Of(bytes), bytes: total, version }
    },
    async writeText({ path, text, expectedVersion }) {
      if (/\p{Surrogate}/u.test(text)) throw new FileError('file/not-text', `${path} was not saved: the text holds half a character`)
      const bytes = utf8(text)
      if (bytes.length > MAX_TEXT_BYTES) {
        throw new FileError('file/too-large', `${path} would have ${bytes.length} bytes; texts of up to ${MAX_TEXT_BYTES} are saved`)
      }
      return disk.write(path, bytes, expectedVersion)
    },
    writeBytes: ({ path, base64 }) => disk.write(path, bytesOfBase64(base64), null),
    beginWrite: async ({ path }) => ({ write: await writes.begin(path) }),
    appendWrite: async ({ path, write, offset, base64 }) => ({ bytes: await writes.append(write, path, offset, bytesOfBase64(base64)) }),
    commitWrite: ({ path, write, bytes }) => writes.commit(write, path, bytes),
    async abandonWrite({ path, write }) {
      await writes.abandon(write, path)
      return {}
    },
    async makeFolder({ path }) {
      await disk.makeFolder(path)
      return {}
    },
    async renameEntry({ path, to }) {
      await disk.rename(path, to)
      return {}
    },
    trashEntry: ({ path }) => disk.trash(path),
  }
}

/** Serves one connection to the files process. Whoever reached the 0600 socket is this account, so everything is allowed. */
export function serveFiles(disk: HomeDisk, clock: Clock, transport: Transport, logger: Logger): Disposable {
  const onBug = (error: unknown, name: string) => logger.error(`${name} failed`, { error: errorMessage(error) })
  return serve(homeFilesContract, homeFileHandlers(disk, clock), transport, { allow: () => true, onBug })
}

/** A byte order mark stays in the text, so that saving puts it back. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array, path: string): string {
  const notText = (why: string) => new FileError('file/not-text', `${path} is not a text (${why}); the editor would damage it`)
  if (bytes.includes(0)) throw notText('it holds NUL bytes')
  try {
    return decoder.decode(bytes)
  } catch {
    throw notText('it is not UTF-8')
  }
}
