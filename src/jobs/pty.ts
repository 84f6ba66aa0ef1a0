import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'
import type { TerminalExit } from './terminal-frames-contract.ts'

/** A program behind a pseudo-terminal. `dispose` lets go of the terminal (its programs get SIGHUP); `end` sees to it that they are gone. */
export interface Pty extends Disposable {
  /** Process id of the first program, the leader of its session. */
  readonly pid: number
  readonly onDidOutput: Event<Uint8Array>
  /** Fires once, after the last output. */
  readonly onDidExit: Event<TerminalExit>
  write(bytes: Uint8Array): void
  /** Written and not yet taken by the programs. */
  readonly unwrittenBytes: number
  resize(columns: number, rows: number): void
  /** Stops reading: the program blocks once the kernel's buffer is full. */
  pause(): void
  resume(): void
  /** Name of the program in the foreground, e.g. `vim`. */
  foreground(): string
  /** Folder the first program is in; undefined when it cannot be read (gone, or not Linux). */
  workingFolder(): string | undefined
  /** Ends every program of this terminal: HUP and TERM, then KILL for those still there after `graceMs`. */
  end(graceMs: number): Promise<void>
}

export interface PtyRequest {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly columns: number
  readonly rows: number
}

export interface PtySpawner {
  /** @throws JobError `terminal/spawn-failed` */
  spawn(request: PtyRequest): Pty
}
