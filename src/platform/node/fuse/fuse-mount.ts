import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
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
  /** The same folder without links on the way. */
  readonly #real: string
  readonly #session: FuseSession
  readonly #device: KernelFuseDevice
  readonly #log: Logger

  private constructor(at: string, real: string, session: FuseSession, device: KernelFuseDevice, ended: Promise<void>, log: Logger) {
    this.at = at
    this.#real = real
    this.#session = session
    this.#device = device
    this.ended = ended
    this.#log = log
  }

  /** @throws MountError `mount/no-fuse`, `mount/not-empty`, `mount/not-a-folder`, `mount/taken`, `mount/refused` */
  static async open({ at: asked, owner, tree, mounts, log }: FuseMountOptions): Promise<FuseMount> {
    const at = realFolder(asked)
    const source = `elsewhere-${owner}`
    if (process.platform !== 'linux' || !existsSync('/dev/fuse')) throw MountError.noFuse('there is no /dev/fuse')
    await clearStale(at, source, log)
    prepareFolder(at)
    const { fd, isPrivileged } = await openConnection({ at, source })
    const registered = [mounts.add(at), mounts.add(path.resolve(asked))]
    const device = new KernelFuseDevice(fd)
    const account = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    const session = new FuseSession({ device, tree, ...account, log, onDidAgree: () => readAhead(at, log) })
    const ended = session
      .run()
      .catch((error: unknown) => {
        log.error('the mount ended on a bug', { at, error })
        device.dispose()
      })
      .finally(() => {
        for (const name of registered) name.dispose()
      })
    log.info('mounted', { at, by: isPrivileged ? 'root' : 'fusermount3' })
    return new FuseMount(path.resolve(asked), at, session, device, ended, log)
  }

  get status() {
    return { at: this.at, ...this.#session.status }
  }

  /** @throws MountError `mount/busy`: programs use it and `force` was not given */
  async unmount({ force }: { force: boolean }): Promise<void> {
    await unmount(this.#real, false).catch(async (error: unknown) => {
      if (!force || errorCode(error) !== 'mount/busy') throw error
      await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))
      await unmount(this.#real, true)
      // Closing the descriptor ends the conversation: who still has files open gets errors from now on. The kernel's own
      // switch for that (below) is not mounted everywhere, and only root may mount it.
      this.#device.dispose()
    })
    await this.ended
    this.#log.info('unmounted', { at: this.at })
  }
}

/**
 * A folder by the name the kernel's table of mounts has for it: without the links on the way (a home that lies elsewhere),
 * or a mount of ours would not be found there. Only what leads to it is looked at: a dead mount answers nobody.
 */
function realFolder(asked: string): string {
  const folder = path.resolve(asked)
  const parent = path.dirname(folder)
  return existsSync(parent) ? path.join(realpathSync(parent), path.basename(folder)) : folder
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
