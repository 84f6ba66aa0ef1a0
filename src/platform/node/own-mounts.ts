import path from 'node:path'
import { type Disposable, toDisposable } from '../../base/disposable.ts'
import { FileError } from '../../files/file-error.ts'

/**
 * The folders at which this process itself answers. A call of ours that goes there would wait for ourselves: spawning from
 * it stops the loop for good, and enough reads fill the thread pool. So ours ask here first.
 */
export class OwnMounts {
  readonly #at = new Set<string>()

  add(at: string): Disposable {
    this.#at.add(at)
    return toDisposable(() => this.#at.delete(at))
  }

  /** Whether `file` is such a folder, or lies in one; by its text, for looking would be a call. */
  holds(file: string): boolean {
    const resolved = path.resolve(file)
    for (const at of this.#at) if (resolved === at || resolved.startsWith(`${at}/`)) return true
    return false
  }

  /** @throws FileError `file/own-mount` */
  refuse(file: string): void {
    if (this.holds(file)) {
      throw new FileError('file/own-mount', `${file} lies in the mounted tree; open it under Elsewhere in the Files pane`)
    }
  }
}
