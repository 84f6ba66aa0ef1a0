import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'

/** Escape sequences that draw a screen of `columns` x `rows` in an empty terminal of that size. */
export interface ScreenSnapshot {
  readonly columns: number
  readonly rows: number
  readonly bytes: Uint8Array
}

/**
 * What a terminal shows, kept without a display. All calls take effect in the order they were made, some time later:
 * parsing yields to other work.
 */
export interface TerminalScreen extends Disposable {
  /** `parsed` is called when these bytes are part of the screen. */
  write(bytes: Uint8Array, parsed: () => void): void
  resize(columns: number, rows: number): void
  /** Calls `take` synchronously at this place in the stream: what is written later is not in it. */
  snapshot(scrollbackLines: number, take: (snapshot: ScreenSnapshot) => void): void
  /** Answers to what a program asked the terminal (device attributes, cursor position); they belong in the pty. */
  readonly onDidAnswer: Event<Uint8Array>
  readonly onDidChangeTitle: Event<string>
  /** A shell said where it is (OSC 7): an absolute path. */
  readonly onDidChangeFolder: Event<string>
}
