import { type Disposable, toDisposable } from '../base/disposable.ts'
import type { ShellDoor } from '../jobs/shell-door.ts'
import type { ShellMessage } from '../jobs/shell-message.ts'

/** A hooked shell without pipes. */
export class MemoryShellDoor implements ShellDoor {
  readonly isWanted = true
  #answer: ((message: ShellMessage) => readonly string[] | undefined) | undefined

  open(answer: (message: ShellMessage) => readonly string[] | undefined): Disposable {
    this.#answer = answer
    return toDisposable(() => (this.#answer = undefined))
  }

  /** Undefined: the line stays in its shell. */
  say(message: ShellMessage): readonly string[] | undefined {
    return this.#answer?.(message)
  }
}
