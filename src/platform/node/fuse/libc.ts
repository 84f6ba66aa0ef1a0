import { createRequire } from 'node:module'
import type koffiModule from 'koffi'

/* What Node has no call for, straight from the C library (Linux only; glibc or musl). Loaded when first asked for. */

type Call = (...args: unknown[]) => number

export interface Libc {
  /** @returns bytes, or -1 with `errno()` */
  read(fd: number, into: Buffer, bytes: number): number
  /** struct pollfd at `fds`; @returns how many are ready */
  poll(fds: Buffer, count: number, timeoutMs: number): number
  /** struct timespec at `timeout`. */
  ppoll(fds: Buffer, count: number, timeout: Buffer): number
  pollLater(fds: Buffer, count: number, timeoutMs: number): Promise<number>
  pipe(fds: Buffer): number
  socketPair(fds: Buffer): number
  receiveMessage(fd: number, message: Buffer, flags: number): number
  fcntl(fd: number, command: number, value: number): number
  ioctl(fd: number, request: number, value: number): number
  mount(source: string, target: string, type: string, flags: number, options: string): number
  /** Off the loop: the kernel may ask us on the way. Whether it was done; the error number stays in the other thread. */
  unmountLater(target: string, flags: number): Promise<boolean>
  errno(): number
  addressOf(buffer: Buffer): bigint
}

let loaded: Libc | undefined

/** @throws when there is no C library to call (not Linux) */
export function libc(): Libc {
  loaded ??= load()
  return loaded
}

function load(): Libc {
  if (process.platform !== 'linux') throw new Error('FUSE needs Linux')
  // Loaded here and not above: where its native part is missing, only the mount is.
  const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule
  const library = koffi.load(null)
  const call = (prototype: string) => library.func(prototype) as unknown as Call & { async: (...args: unknown[]) => void }
  const read = call('int64_t read(int fd, void *into, size_t bytes)')
  const poll = call('int poll(void *fds, unsigned long count, int timeout)')
  const ppoll = call('int ppoll(void *fds, unsigned long count, void *timeout, void *mask)')
  const pipe2 = call('int pipe2(void *fds, int flags)')
  const socketpair = call('int socketpair(int domain, int type, int protocol, void *fds)')
  const recvmsg = call('int64_t recvmsg(int fd, void *message, int flags)')
  const fcntl = call('int fcntl(int fd, int command, int value)')
  const ioctl = call('int ioctl(int fd, unsigned long request, unsigned long value)')
  const mount = call('int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *options)')
  const umount2 = call('int umount2(const char *target, int flags)')
  const O_CLOEXEC = 0o2000000
  return {
    read: (fd, into, bytes) => Number(read(fd, into, bytes)),
    poll: (fds, count, timeoutMs) => poll(fds, count, timeoutMs),
    ppoll: (fds, count, timeout) => ppoll(fds, count, timeout, null),
    pollLater: (fds, count, timeoutMs) => later(poll, fds, count, timeoutMs),
    pipe: (fds) => pipe2(fds, O_CLOEXEC),
    // AF_UNIX, SOCK_STREAM; the end of the child is passed on by the spawn itself.
    socketPair: (fds) => socketpair(1, 1 | O_CLOEXEC, 0, fds),
    receiveMessage: (fd, message, flags) => Number(recvmsg(fd, message, flags)),
    fcntl: (fd, command, value) => fcntl(fd, command, value),
    ioctl: (fd, request, value) => ioctl(fd, request, value),
    mount: (source, target, type, flags, options) => mount(source, target, type, flags, options),
    unmountLater: async (target, flags) => (await later(umount2, target, flags)) === 0,
    errno: () => koffi.errno(),
    addressOf: (buffer) => BigInt(koffi.address(buffer)),
  }
}

function later(call: { async: (...args: unknown[]) => void }, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) =>
    call.async(...args, (error: Error | null, result: number) => (error ? reject(error) : resolve(result))),
  )
}
