import type { Disposable } from '../base/disposable.ts'
import type { ShellMessage } from './shell-message.ts'

/** Where hooked shells of this machine reach the device. */
export interface ShellDoor {
  /** Somebody has hooked a shell to this device before: it is opened again when the device starts. */
  readonly isWanted: boolean
  /**
   * Serves shells until disposed. `answer` is asked at once and must not wait; for `ask`, its programs mean "there", undefined
   * "here"; of several messages that wait from one shell, only the newest question is answered.
   */
  open(answer: (message: ShellMessage) => readonly string[] | undefined): Disposable
}
