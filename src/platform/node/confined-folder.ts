import { constants } from 'node:fs'
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises'
import path from 'node:path'
import { FileError } from '../../files/file-error.ts'
import { isWithin } from '../../files/home-path.ts'

/**
 * A folder that is open and known to lie in home. Its entries are reached through the open folder itself
 * (`/proc/self/fd/N/name` on Linux), so that nobody who swaps a folder for a link in the meantime can lead us elsewhere.
 * Elsewhere than on Linux they are reached by the real path: a swap within microseconds is not caught there.
 */
export class ConfinedFolder implements AsyncDisposable {
  readonly #handle: FileHandle
  readonly #real: string

  private constructor(handle: FileHandle, real: string) {
    this.#handle = handle
    this.#real = real
  }

  /**
   * @param home    real path that must not be left; undefined = anywhere
   * @throws FileError `file/outside-home`; system errors (ENOENT, ENOTDIR, EACCES) as they are
   */
  static async open(folder: string, home: string | undefined): Promise<ConfinedFolder> {
    const real = await realpath(folder)
    assertWithin(home, real, folder)
    const handle = await open(real, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      if (process.platform === 'linux') assertWithin(home, await readlink(`/proc/self/fd/${handle.fd}`), folder)
      return new ConfinedFolder(handle, real)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Real path when it was opened; for people and for asking, not for reaching entries. */
  get real(): string {
    return this.#real
  }

  /** What system calls are given to reach the folder itself. */
  get here(): string {
    return process.platform === 'linux' ? `/proc/self/fd/${this.#handle.fd}` : this.#real
  }

  /** What system calls are given to reach an entry; `name` holds no slash. */
  at(name: string): string {
    return path.join(this.here, name)
  }

  /** Makes entries made, renamed or removed in it survive a power cut. */
  async flush(): Promise<void> {
    await this.#handle.sync()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}

export function assertWithin(home: string | undefined, real: string, asked: string): void {
  if (home === undefined || isWithin(home, real)) return
  throw new FileError('file/outside-home', `${asked} leads outside the home folder ${home}; Elsewhere stays inside it`)
}
