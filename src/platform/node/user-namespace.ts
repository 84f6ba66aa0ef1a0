import { closeSync, openSync } from 'node:fs'
import { libc } from './fuse/libc.ts'

/** ioctl on a namespace: the file of the one it lies in (linux/nsfs.h). */
const NS_GET_PARENT = 0xb702

/**
 * The user namespace around the one a process is in, which owns its other namespaces: bwrap makes a second one inside, so that no more can
 * be made. Held open until closed.
 *
 * @throws when there is none, or it is not this account's
 */
export function openParentUserNamespace(pid: number): { readonly fd: number; readonly path: string; close(): void } {
  const inner = openSync(`/proc/${pid}/ns/user`, 'r')
  try {
    const fd = libc().ioctl(inner, NS_GET_PARENT, 0)
    if (fd < 0) throw new Error(`the user namespace of process ${pid} cannot be looked up (errno ${libc().errno()})`)
    return { fd, path: `/proc/${process.pid}/fd/${fd}`, close: () => closeSync(fd) }
  } finally {
    closeSync(inner)
  }
}
