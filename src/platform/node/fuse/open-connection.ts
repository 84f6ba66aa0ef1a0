import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { errorMessage } from '../../../base/errors.ts'
import { Errno } from './fuse-protocol.ts'
import { libc } from './libc.ts'
import { MountError } from './mount-error.ts'
import { readMountTable } from './mount-table.ts'

/** What `mount` and /proc/mounts show; `fuse.` lets the kernel find its driver. */
export const MOUNT_TYPE = 'fuse.elsewhere'

const MS_NOSUID = 2
const MS_NODEV = 4
const MNT_DETACH = 2

export interface ConnectionOptions {
  /** An empty folder. */
  readonly at: string
  /** Shown as the mount's source: tells whose it is. */
  readonly source: string
}

/**
 * Mounts an empty conversation at a folder and gives its descriptor: as root by mount(2), otherwise with fusermount3,
 * the set-user-id helper of fuse3, which passes the descriptor over a socket. Only this account may enter, and the kernel
 * checks permissions, but for root: it passes them all, and to check them the kernel asks for the attributes of a folder
 * again after each file that is made in it.
 *
 * @throws MountError `mount/no-fuse`, `mount/refused`
 */
export async function openConnection(options: ConnectionOptions): Promise<{ fd: number; isPrivileged: boolean }> {
  if (process.platform !== 'linux') throw MountError.noFuse(process.platform)
  const asRoot = mountAsRoot(options)
  if (asRoot !== undefined) return { fd: asRoot, isPrivileged: true }
  return { fd: await mountWithHelper(options), isPrivileged: false }
}

/** @returns undefined: this account may not mount */
function mountAsRoot({ at, source }: ConnectionOptions): number | undefined {
  let fd: number
  try {
    fd = openSync('/dev/fuse', 'r+')
  } catch {
    return undefined // no rights, or no FUSE: the helper says which
  }
  const owner = `user_id=${process.getuid?.() ?? 0},group_id=${process.getgid?.() ?? 0}`
  const checks = process.getuid?.() === 0 ? '' : ',default_permissions'
  const result = libc().mount(source, at, MOUNT_TYPE, MS_NOSUID | MS_NODEV, `fd=${fd},rootmode=40000,${owner}${checks}`)
  if (result === 0) return fd
  const errno = libc().errno()
  closeSync(fd)
  if (errno === Errno.EPERM) return undefined
  if (errno === Errno.ENODEV) throw MountError.noFuse('the kernel has no FUSE')
  throw new MountError('mount/refused', `${at} could not be mounted (the system says error ${errno}).`)
}

async function mountWithHelper({ at, source }: ConnectionOptions): Promise<number> {
  const ends = Buffer.alloc(8)
  if (libc().socketPair(ends) !== 0) throw new MountError('mount/refused', `a socket pair could not be made (error ${libc().errno()})`)
  const [ours, theirs] = [ends.readInt32LE(0), ends.readInt32LE(4)]
  try {
    const words = ['-o', `fsname=${source},subtype=elsewhere,nosuid,nodev,default_permissions`, '--', at]
    await runHelper(words, theirs)
    return receiveDescriptor(ours)
  } finally {
    closeSync(ours)
    closeSync(theirs)
  }
}

/** SCM_RIGHTS: struct msghdr with one byte and one descriptor, which is close-on-exec from the start. */
function receiveDescriptor(socket: number): number {
  const byte = Buffer.alloc(8)
  const vector = Buffer.alloc(16)
  const control = Buffer.alloc(64)
  const message = Buffer.alloc(56)
  const { addressOf, receiveMessage } = libc()
  vector.writeBigUInt64LE(addressOf(byte), 0)
  vector.writeBigUInt64LE(1n, 8)
  message.writeBigUInt64LE(addressOf(vector), 16)
  message.writeBigUInt64LE(1n, 24)
  message.writeBigUInt64LE(addressOf(control), 32)
  message.writeBigUInt64LE(BigInt(control.length), 40)
  const [DONT_WAIT, CLOSE_ON_EXEC, SOL_SOCKET, SCM_RIGHTS] = [0x40, 0x40000000, 1, 1]
  const got = receiveMessage(socket, message, DONT_WAIT | CLOSE_ON_EXEC)
  if (got < 1 || control.readUInt32LE(8) !== SOL_SOCKET || control.readUInt32LE(12) !== SCM_RIGHTS) {
    throw new MountError('mount/refused', 'fusermount3 ended without handing over the mount.')
  }
  return control.readInt32LE(16)
}

/** Its working folder is the root: a spawn from our own mount would wait for us. */
function runHelper(words: readonly string[], socket?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('fusermount3', words, {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', ...(socket === undefined ? [] : [socket])],
      env: { ...process.env, ...(socket === undefined ? {} : { _FUSE_COMMFD: '3' }) },
    })
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-500)))
    child.on('error', (error) => reject(MountError.noFuse(`fusermount3 cannot be run: ${errorMessage(error)}`)))
    child.on('close', (code) => {
      if (code === 0) resolve()
      else if (said.includes('/dev/fuse') || said.includes('fuse device')) reject(MountError.noFuse(said.trim()))
      else reject(new MountError('mount/refused', `The system refuses to mount: ${said.trim() || `fusermount3 ended with ${code}`}`))
    })
  })
}

/**
 * Takes a mount out of the folder tree. `detach`: also when programs still use it; it goes when they let go.
 *
 * @throws MountError `mount/busy`, `mount/refused`
 */
export async function unmount(at: string, detach: boolean): Promise<void> {
  const busy = () => new MountError('mount/busy', `Programs still use files in ${at}. Close them, or unmount with --force.`)
  if ((await libc().unmountLater(at, detach ? MNT_DETACH : 0)) || !isMounted(at)) return
  // Root is refused only for what is in use; everybody else needs the helper.
  if (process.geteuid?.() === 0) throw busy()
  await runHelper([detach ? '-uz' : '-u', '--', at]).catch((error: unknown) => {
    throw errorMessage(error).includes('busy') ? busy() : error
  })
}

export const isMounted = (at: string): boolean => readMountTable().some((line) => line.at === at && line.type === MOUNT_TYPE)
