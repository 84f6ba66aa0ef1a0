import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { FileError } from './file-error.ts'
import type { HomeDisk, HomeWrite } from './home-disk.ts'

/** Files being written piece by piece at once; each is an open file. */
const MAX_WRITES = 64
/** Who is cut off may go on where it was for so long; then what there was of it goes. */
const KEPT_MS = 2 * 60_000

interface Open {
  readonly path: string
  readonly write: HomeWrite
  bytes: number
  /** Pieces of one write follow each other. */
  last: Promise<unknown>
  timer: Disposable
}

/** New files of any size that are written into the home folder piece by piece: whole under their name, or not at all (rule FS14). */
export class HomeWrites {
  readonly #disk: HomeDisk
  readonly #clock: Clock
  readonly #open = new Map<string, Open>()
  /** Asked for, and not open yet. */
  #beginning = 0
  /** Committed lately: who did not hear of it asks again. */
  readonly #done = new Map<string, { readonly path: string; readonly committed: Promise<{ version: string }> }>()

  constructor(disk: HomeDisk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  /** @throws FileError `file/exists`, `file/not-found` (its folder), `file/failed` (too many at once) */
  async begin(path: string): Promise<string> {
    if (this.#open.size + this.#beginning >= MAX_WRITES)
      throw new FileError('file/failed', `${MAX_WRITES} files are being written here; wait for one of them`)
    this.#beginning++
    try {
      const write = await this.#disk.beginWrite(path)
      this.#open.set(write.id, { path, write, bytes: 0, last: Promise.resolve(), timer: this.#forgetLater(write.id) })
      return write.id
    } finally {
      this.#beginning--
    }
  }

  /** A piece that is there already is not written again. @returns bytes that are there. @throws FileError `file/disk-full`, `file/changed` (a gap) */
  async append(id: string, path: string, offset: number, bytes: Uint8Array): Promise<number> {
    const open = this.#require(id, path)
    const appended = open.last.then(async () => {
      this.#require(id, path)
      if (offset + bytes.length <= open.bytes) return open.bytes
      if (offset !== open.bytes)
        throw new FileError(
          'file/changed',
          `a piece of ${path} is missing before this one: ${open.bytes} bytes of it are there; begin anew`,
        )
      await open.write.append(offset, bytes)
      open.bytes += bytes.length
      return open.bytes
    })
    open.last = appended.catch(() => {})
    return appended
  }

  /** @param bytes  how many it must have by now. @throws FileError `file/exists`; nothing is left of it then */
  async commit(id: string, path: string, bytes: number): Promise<{ version: string }> {
    const done = this.#done.get(id)
    if (done?.path === path) return done.committed
    const open = this.#require(id, path)
    await open.last
    this.#require(id, path)
    if (open.bytes !== bytes) throw new FileError('file/changed', `${open.bytes} of the ${bytes} bytes of ${path} are there; send the rest`)
    this.#forget(id)
    const committed = open.write.commit()
    this.#done.set(id, { path, committed })
    if (this.#done.size > MAX_WRITES) this.#done.delete(this.#done.keys().next().value as string)
    return committed
  }

  /** Nothing is left of it. One that is not there any more is no error. */
  async abandon(id: string, path: string): Promise<void> {
    const open = this.#open.get(id)
    if (open?.path !== path) return
    this.#forget(id)
    await open.last
    await open.write.abandon()
  }

  #require(id: string, path: string): Open {
    const open = this.#open.get(id)
    if (open?.path !== path) throw new FileError('file/not-found', `what there was of ${path} was given up; write it again`)
    open.timer.dispose()
    open.timer = this.#forgetLater(id)
    return open
  }

  #forget(id: string): void {
    this.#open.get(id)?.timer.dispose()
    this.#open.delete(id)
  }

  #forgetLater(id: string): Disposable {
    return this.#clock.after(KEPT_MS, () => {
      const open = this.#open.get(id)
      if (open) this.abandon(id, open.path).catch(() => {}) // what cannot be removed goes with the next write in that folder
    })
  }
}
