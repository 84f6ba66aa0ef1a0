import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { StartError } from './start-error.ts'

/** Where everything of one device lies, and the names in it. */
export interface DataFolder {
  readonly path: string
  readonly vault: string
  readonly store: string
  /** A folder for each dataset: its tree and chunks, sealed. */
  readonly datasets: string
  /** Copies of files of datasets while a workflow's jobs work on them: readable, gone with the job. */
  readonly work: string
  readonly ledger: string
  readonly settings: string
  readonly entrances: string
  readonly logs: string
  /** FIFOs of shells that were hooked. */
  readonly shells: string
  readonly deviceSocket: string
  readonly hostSocket: string
  readonly filesSocket: string
  readonly supervisorSocket: string
  /** Its own browser profile: the app window never shares cookies with the person's browser. */
  readonly browserProfile: string
  /** There while unlocking is rehearsed. */
  readonly rehearsal: string
  /** There once the person has said no to fetching Electron. */
  readonly electronDeclined: string
}

/** Longest data folder path: the longest socket name after it must fit the kernel's 103 bytes. */
const MAX_FOLDER_BYTES = 103 - '/supervisor.sock'.length

/** `--data`, else ELSEWHERE_DATA, else where the system keeps such things. */
export function defaultDataFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.ELSEWHERE_DATA) return path.resolve(env.ELSEWHERE_DATA)
  if (process.platform === 'win32') return path.join(env.LOCALAPPDATA ?? os.homedir(), 'Elsewhere')
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Application Support', 'Elsewhere')
  return path.join(env.XDG_DATA_HOME ?? path.join(os.homedir(), '.local', 'share'), 'elsewhere')
}

export function dataFolderAt(folder: string): DataFolder {
  const at = (name: string) => path.join(folder, name)
  const socket = (name: string) =>
    process.platform === 'win32' ? `\\\\.\\pipe\\elsewhere-${Buffer.from(folder).toString('hex').slice(-80)}-${name}` : at(name)
  return {
    path: folder,
    vault: at('vault.json'),
    store: at('store.sqlite'),
    datasets: at('datasets'),
    work: at('work'),
    ledger: at('ledger.sqlite'),
    settings: at('settings.json'),
    entrances: at('entrances.json'),
    logs: at('logs'),
    shells: at('shells'),
    deviceSocket: socket('device.sock'),
    hostSocket: socket('host.sock'),
    filesSocket: socket('files.sock'),
    supervisorSocket: socket('supervisor.sock'),
    browserProfile: at('browser'),
    rehearsal: at('rehearsal'),
    electronDeclined: at('electron-declined'),
  }
}

/**
 * Makes the folder (0700) where it is missing and checks that it can be written.
 *
 * @throws StartError `start/data-read-only`, `start/disk-full`, `start/data-not-private`, `start/data-path-too-long`
 */
export function openDataFolder(folder: string): DataFolder {
  const at = path.resolve(folder)
  if (process.platform !== 'win32' && Buffer.byteLength(at) > MAX_FOLDER_BYTES) {
    throw new StartError(
      'start/data-path-too-long',
      `The data folder's path is too long for sockets in it (${at}). Choose one of at most ${MAX_FOLDER_BYTES} bytes with --data.`,
    )
  }
  const data = dataFolderAt(at)
  requireOwn(data)
  try {
    makeFolder(data.logs)
    const probe = path.join(at, `.probe-${process.pid}`)
    writeFileSync(probe, 'x'.repeat(4096), { mode: 0o600 })
    rmSync(probe)
    if (process.platform !== 'win32') chmodSync(at, 0o700)
  } catch (cause) {
    throw describeFolderError(at, cause)
  }
  return data
}

/**
 * A folder that is there must be this account's, and private, empty or a device's: making any other private would lock out
 * whoever uses it too (`--data /tmp`). Changes nothing.
 *
 * @throws StartError `start/data-not-private`
 */
function requireOwn(data: DataFolder): void {
  const there = statSync(data.path, { throwIfNoEntry: false })
  if (!there?.isDirectory() || process.platform === 'win32') return
  if (process.getuid && there.uid !== process.getuid()) {
    throw new StartError(
      'start/data-not-private',
      `The data folder ${data.path} belongs to another account. Choose one of your own with --data.`,
    )
  }
  const isOpen = (there.mode & 0o077) !== 0
  if (!isOpen || [data.vault, data.store, data.settings].some((file) => existsSync(file)) || isEmpty(data.path)) return
  throw new StartError(
    'start/data-not-private',
    `The folder ${data.path} can be entered by other accounts and holds other things. Choose an empty folder, or one only you can enter, with --data.`,
  )
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0
  } catch {
    return true // it cannot be read: making the folder's parts says why
  }
}

/** As mkdir -p, 0700. Node's own `recursive` never returns where the system answers ENOENT for a folder that is there (/proc). */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return
    if (code !== 'ENOENT' || path.dirname(folder) === folder) throw error
    makeFolder(path.dirname(folder))
    mkdirSync(folder, { mode: 0o700 })
  }
}

function describeFolderError(folder: string, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StartError(
      'start/disk-full',
      `There is no space left for the data folder ${folder}. Free some, or choose another with --data.`,
      { cause },
    )
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST' || code === 'ENOENT') {
    return new StartError(
      'start/data-read-only',
      `The data folder ${folder} can't be written (${String(code)}). Make it writable for this account, or choose another with --data.`,
      { cause },
    )
  }
  return cause
}
