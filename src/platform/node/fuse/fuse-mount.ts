import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { errorCode, errorMessage } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { MountedTree } from '../../../files/mounted-tree.ts'
import type { OwnMounts } from '../own-mounts.ts'
import { MAX_WRITE_BYTES } from './fuse-protocol.ts'
import { FuseSession } from './fuse-session.ts'
import { KernelFuseDevice } from './kernel-fuse-device.ts'
import { libc } from './libc.ts'
import { MountError } from './mount-error.ts'
import { readMountTable } from './mount-table.ts'
import { isMounted, MOUNT_TYPE, openConnection, unmount } from './open-connection.ts'

export interface FuseMountOptions {
  /** Made (0700) when it is not there; otherwise an empty folder of this account. */
  readonly at: string
  /** Names the owner of the mount: only one of the same owner is cleared away. Short, printable, no comma. */
  readonly owner: string
  readonly tree: MountedTree
  readonly mounts: OwnMounts
  readonly log: Logger
  /** For tests: mount as an ordinary account does. */
  readonly unprivileged?: boolean
}

/** How long programs may take to let go before the mount is detached under them: a stopping device cannot wait. */
const PATIENCE_MS = 500

/**
 * A tree at a folder of this machine. Ends when it is told to, or when somebody unmounts it; `ended` then resolves.
 * What a killed predecessor left at the same folder is cleared away first.
 */
export class FuseMount {
  readonly at: string
  readonly ended: Promise<void>
  readonly #session: FuseSession
  readonly #log: Logger

  private constructor(at: string, session: FuseSession, ended: Promise<void>, log: Logger) {
    this.at = at
    this.#session = session
    this.ended = ended
    this.#log = log
  }

  /** @throws MountError `mount/no-fuse`, `mount/not-empty`, `mount/not-a-folder`, `mount/taken`, `mount/refused` */
  static async open({ at: asked, owner, tree, mounts, log, unprivileged }: FuseMountOptions): Promise<FuseMount> {
    const at = path.resolve(asked)
    const source = `elsewhere-${owner}`
    if (process.platform !== 'linux' || !existsSync('/dev/fuse')) throw MountError.noFuse('there is no /dev/fuse')
    await clearStale(at, source, log)
    prepareFolder(at)
    const { fd, isPrivileged } = await openConnection({ at, source, ...(unprivileged ? { unprivileged } : {}) })
    const registered = mounts.add(at)
    const device = new KernelFuseDevice(fd)
    const account = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    const session = new FuseSession({ device, tree, ...account, log, onDidAgree: () => readAhead(at, log) })
    const ended = session
      .run()
      .catch((error: unknown) => {
        log.error('the mount ended on a bug', { at, error })
        device.dispose()
      })
      .finally(() => registered.dispose())
    log.info('mounted', { at, by: isPrivileged ? 'root' : 'fusermount3' })
    return new FuseMount(at, session, ended, log)
  }

  get status() {
    return { at: this.at, ...this.#session.status }
  }

  /** @throws MountError `mount/busy`: programs use it and `force` was not given */
  async unmount({ force }: { force: boolean }): Promise<void> {
    await unmount(this.at, false).catch(async (error: unknown) => {
      if (!force || errorCode(error) !== 'mount/busy') throw error
      const connection = connectionAt(this.at)
      await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))
      await unmount(this.at, true)
      // Programs that still have files open get errors from now on, instead of waiting for a process that is going.
      if (connection !== undefined) abortConnection(connection, this.#log)
    })
    await this.ended
    this.#log.info('unmounted', { at: this.at })
  }
}

/** The kernel's number of the conversation mounted at a folder. */
function connectionAt(at: string): number | undefined {
  return readMountTable().findLast((line) => line.at === at && line.type === MOUNT_TYPE)?.minor
}

/** Asked for at once by whoever reads on: what one request may hold. The kernel's own 128 KiB make eight answers of one. */
const READ_AHEAD_KIB = MAX_WRITE_BYTES / 1024

/** Only root may set it, and not in every container; who may not reads on as before. */
function readAhead(at: string, log: Logger): void {
  const connection = connectionAt(at)
  if (connection === undefined) return
  try {
    writeFileSync(`/sys/class/bdi/0:${connection}/read_ahead_kb`, String(READ_AHEAD_KIB))
  } catch (error) {
    log.debug('the kernel reads ahead as it likes', { error: errorMessage(error) })
  }
}

const CONNECTIONS = '/sys/fs/fuse/connections'

/** Ends a conversation: whoever waits in the mount gets an error at once. */
function abortConnection(connection: number, log: Logger): void {
  const control = `${CONNECTIONS}/${connection}/abort`
  try {
    // Usually mounted at boot; where it is not (a container), root may, and it is where every tool looks for it.
    if (!existsSync(control) && process.geteuid?.() === 0) libc().mount('fusectl', CONNECTIONS, 'fusectl', 0, '')
    writeFileSync(control, '1')
  } catch (error) {
    // Not mounted here, or not this account's. The conversation ends with the descriptor, when this process does.
    log.debug('a connection could not be aborted', { connection, error: errorMessage(error) })
  }
}

/**
 * Clears away what a killed process of the same owner left: everything in it answers "not connected" for ever, and a
 * stuck one would hold whoever looks.
 *
 * @throws MountError `mount/taken`
 */
async function clearStale(at: string, source: string, log: Logger): Promise<void> {
  for (;;) {
    const there = readMountTable().findLast((line) => line.at === at)
    if (!there) return
    if (there.type !== MOUNT_TYPE || there.source !== source) {
      throw new MountError('mount/taken', `Something else is mounted at ${at} (${there.source}). Unmount it, or choose another folder.`)
    }
    log.warn('clearing away what a killed process left mounted', { at })
    abortConnection(there.minor, log)
    await unmount(at, true)
    if (isMounted(at) && readMountTable().findLast((line) => line.at === at)?.minor === there.minor) {
      throw new MountError('mount/refused', `The old mount at ${at} cannot be removed.`)
    }
  }
}

function prepareFolder(at: string): void {
  const there = lstatSync(at, { throwIfNoEntry: false })
  if (!there) {
    mkdirSync(at, { recursive: true, mode: 0o700 })
    return
  }
  if (!there.isDirectory()) throw new MountError('mount/not-a-folder', `${at} is not a folder. Move it away, or choose another folder.`)
  if (process.getuid && there.uid !== process.getuid()) {
    throw new MountError('mount/not-a-folder', `${at} belongs to another account. Choose another folder.`)
  }
  if (readdirSync(at).length > 0) {
    throw new MountError('mount/not-empty', `${at} holds files of its own, which a mount would hide. Move them, or choose another folder.`)
  }
}
