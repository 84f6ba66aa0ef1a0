import { closeSync, writeSync, writevSync, write } from 'node:fs'
import { errorCode } from '../../../base/errors.ts'
import type { FuseDevice } from './fuse-device.ts'
import { Errno } from './fuse-protocol.ts'
import { libc } from './libc.ts'

const F_GETFL = 3
const F_SETFL = 4
const O_NONBLOCK = 0o4000
const POLLIN = 1
/** How long `readSoon` waits, nanoseconds: the next request of a busy program comes in 10 to 50 us. */
const SOON_NS = 100_000
/** Longest wait without the loop; only so that a process that exits without disposing is not held. */
const WAIT_MS = 1_000

/**
 * /dev/fuse, through the C library: Node's own reads would throw an error object for each "nothing there", and a read in
 * its thread pool costs two thread changes for every request.
 */
export class KernelFuseDevice implements FuseDevice {
  readonly #fd: number
  /** struct pollfd of the device and of our own pipe, by which a wait is ended. */
  readonly #both = Buffer.alloc(16)
  readonly #one = Buffer.alloc(8)
  readonly #soon = Buffer.alloc(16)
  readonly #wakeRead: number
  readonly #wakeWrite: number
  #waiting: Promise<void> | undefined
  /** Notices that the thread pool has not written yet: the number of a closed descriptor may be another file's by then. */
  #writing = 0
  #disposed = false

  /** Owns the descriptor. */
  constructor(fd: number) {
    this.#fd = fd
    const { fcntl, pipe, errno } = libc()
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | O_NONBLOCK) !== 0) throw new Error(`fcntl: errno ${errno()}`)
    const ends = Buffer.alloc(8)
    if (pipe(ends) !== 0) throw new Error(`pipe2: errno ${errno()}`)
    this.#wakeRead = ends.readInt32LE(0)
    this.#wakeWrite = ends.readInt32LE(4)
    for (const [buffer, at, watched] of [
      [this.#both, 0, fd],
      [this.#both, 8, this.#wakeRead],
      [this.#one, 0, fd],
    ] as const) {
      buffer.writeInt32LE(watched, at)
      buffer.writeInt16LE(POLLIN, at + 4)
    }
    this.#soon.writeBigInt64LE(BigInt(SOON_NS), 8)
  }

  read(into: Buffer): number | 'none' | 'gone' {
    for (;;) {
      if (this.#disposed) return 'gone'
      const got = libc().read(this.#fd, into, into.length)
      if (got >= 0) return got
      const errno = libc().errno()
      // ENOENT: the request was given up before it was read. EPERM: not mounted yet.
      if (errno === Errno.EINTR || errno === Errno.ENOENT) continue
      return errno === Errno.EAGAIN || errno === Errno.EPERM ? 'none' : 'gone'
    }
  }

  readSoon(into: Buffer): number | 'none' | 'gone' {
    // Looking first would find nothing nearly always: the program was just told to go on.
    if (this.#disposed) return 'gone'
    return libc().ppoll(this.#one, 1, this.#soon) > 0 ? this.read(into) : 'none'
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#disposed) return false
    try {
      if (parts.length === 1) writeSync(this.#fd, parts[0] as Uint8Array)
      else writevSync(this.#fd, parts)
      return true
    } catch (error) {
      const code = errorCode(error)
      if (code === 'ENOENT' || code === 'ENODEV' || code === 'EPERM') return false
      throw error
    }
  }

  waitReadable(): Promise<void> {
    if (this.#disposed) return Promise.resolve()
    this.#waiting ??= libc()
      .pollLater(this.#both, 2, WAIT_MS)
      .then(() => {
        this.#waiting = undefined
        this.#closeUnused()
      })
    return this.#waiting
  }

  notify(message: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#disposed) return resolve()
      this.#writing++
      write(this.#fd, message, (error) => {
        this.#writing--
        this.#closeUnused()
        // ENOENT: the kernel does not keep it; ENOTDIR, ENODEV: what it was about is gone. Nothing is left to be told.
        const code = error === null ? '' : errorCode(error)
        if (error === null || code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENODEV' || code === 'EBADF') resolve()
        else reject(error)
      })
    })
  }

  /** The descriptor is closed once nobody waits on it or writes to it; closing it ends what programs wait for in the mount. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    if (this.#waiting) writeSync(this.#wakeWrite, 'x')
    else this.#closeUnused()
  }

  /** Once: whoever comes last of those that use it. */
  #closeUnused(): void {
    if (!this.#disposed || this.#waiting || this.#writing > 0) return
    closeSync(this.#fd)
    closeSync(this.#wakeRead)
    closeSync(this.#wakeWrite)
  }
}
