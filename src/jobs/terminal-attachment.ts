import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { type ByteChannel, CHANNEL_HIGH_BYTES } from '../rpc/channel.ts'
import { isQueryAnswer } from './query-answers.ts'
import type { Terminal } from './terminal.ts'
import { decodeUpFrame, encodeDownFrame, type TerminalExit, type TerminalSize } from './terminal-frames-contract.ts'
import type { ScreenSnapshot } from './terminal-screen.ts'
import { SCROLLBACK_LINES } from './xterm-screen.ts'

/** How long a viewer that is behind may hold the program back before it gets a fresh screen instead. 150 ms: a hiccup of a link, not a slow link. */
export const HOLD_MS = 150
/** All holds of one flood together: a viewer that always catches up just in time must not slow a build to its own pace. */
export const HOLD_BUDGET_MS = 500
/** Lines above the screen in a fresh screen sent in the middle of a flood. A few kilobytes, so that a slow viewer sees ten a second. */
export const LIGHT_SCROLLBACK_LINES = 200
/** After a flood, this long without output means that the whole scrollback is worth sending. */
export const QUIET_MS = 300
/** Keys the programs have not taken at which a viewer's keys wait in its channel. */
const UNWRITTEN_HIGH_BYTES = 1024 * 1024
/** How often waiting keys are looked at, only while some wait. */
const KEYS_RETRY_MS = 100
/** A screen's first frame; the rest follows as output, so that a viewer can start drawing. */
const SCREEN_FRAME_BYTES = 256 * 1024

type State =
  /** A snapshot is on its way; output after it waits in `tail` (bounded by what the terminal reads ahead of its screen). */
  | { readonly kind: 'loading'; readonly tail: Uint8Array[]; readonly scrollbackLines: number }
  | { readonly kind: 'live' }
  /** Too much is under way: the program is held. */
  | { readonly kind: 'holding'; readonly hold: Disposable; readonly sinceMs: number }
  /** It did not help: output is dropped until the viewer has caught up, then it gets a fresh screen. */
  | { readonly kind: 'dropping' }

/**
 * One viewer of one terminal: the screen as it is now, then what changes; keys and size back (JB3-JB8).
 *
 * Invariant: at most one snapshot, one read-ahead and CHANNEL_HIGH_BYTES wait for a viewer, however slow it is, and a
 * slow viewer holds the program for at most HOLD_BUDGET_MS per flood. Owns the channel and its subscriptions, not the terminal.
 */
export class TerminalAttachment implements Disposable {
  readonly #terminal: Terminal
  readonly #channel: ByteChannel
  readonly #clock: Clock
  readonly #owned = new DisposableStore()
  readonly #timers = new Map<'hold' | 'quiet' | 'keys', Disposable>()
  readonly #ended = new Emitter<void>()
  readonly onDidEnd = this.#ended.event
  readonly #typed = new Emitter<void>()
  readonly onDidType = this.#typed.event
  #state: State = { kind: 'live' }
  /** The last screen was a light one: scrollback is owed, and this viewer may not hold the program again before it has it. */
  #owesScrollback = false
  /** A snapshot may be larger than the high mark; it does not count as being behind. */
  #allowanceBytes = 0
  #lastOutputMs = 0
  #holdBudgetMs = HOLD_BUDGET_MS
  #exitTold = false

  constructor(terminal: Terminal, channel: ByteChannel, clock: Clock, size: TerminalSize) {
    this.#terminal = terminal
    this.#channel = channel
    this.#clock = clock
    this.#owned.add(channel)
    this.#owned.defer(() => terminal.handleViewer({ type: 'detach', viewer: this }))
    terminal.handleViewer({ type: 'attach', viewer: this, size })
    this.#owned.defer(() => {
      for (const timer of this.#timers.values()) timer.dispose()
      if (this.#state.kind === 'holding') this.#state.hold.dispose()
    })
    this.#load(SCROLLBACK_LINES)
    this.#owned.add(terminal.onDidOutput((bytes) => this.#handleOutput(bytes)))
    this.#owned.add(terminal.onDidResize((next) => this.#handleResize(next)))
    this.#owned.add(terminal.onDidExit(() => this.#tellExit()))
    this.#owned.add(channel.onDidDrain(() => this.#handleDrain()))
    this.#owned.add(channel.onDidClose(() => this.dispose()))
    this.#owned.add(channel.onDidReceive((message) => this.#handleMessage(message)))
  }

  dispose(): void {
    if (this.#owned.isDisposed) return
    this.#owned.dispose()
    this.#ended.fire()
    this.#ended.dispose()
  }

  #load(scrollbackLines: number): void {
    const loading: State = { kind: 'loading', tail: [], scrollbackLines }
    this.#state = loading
    this.#terminal.snapshot(scrollbackLines, (snapshot) => {
      if (this.#owned.isDisposed || this.#state !== loading) return
      this.#sendScreen(snapshot)
      this.#state = { kind: 'live' }
      this.#owesScrollback = scrollbackLines < SCROLLBACK_LINES
      for (const bytes of loading.tail) this.#channel.send(encodeDownFrame({ kind: 'output', bytes }))
      this.#tellExit()
      if (this.#owesScrollback) this.#watchForQuiet()
    })
  }

  #sendScreen({ columns, rows, bytes }: ScreenSnapshot): void {
    this.#allowanceBytes = bytes.length
    this.#channel.send(encodeDownFrame({ kind: 'size', columns, rows }))
    const first = firstLinesEnd(bytes)
    this.#channel.send(encodeDownFrame({ kind: 'screen', bytes: bytes.subarray(0, first) }))
    for (let at = first; at < bytes.length; at += SCREEN_FRAME_BYTES) {
      this.#channel.send(encodeDownFrame({ kind: 'output', bytes: bytes.subarray(at, at + SCREEN_FRAME_BYTES) }))
    }
  }

  #handleOutput(bytes: Uint8Array): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#lastOutputMs >= QUIET_MS) this.#holdBudgetMs = HOLD_BUDGET_MS
    this.#lastOutputMs = nowMs
    switch (this.#state.kind) {
      case 'loading':
        this.#state.tail.push(bytes)
        return
      case 'dropping':
        return
      case 'holding': // the last of what was read before the pause
      case 'live':
        this.#channel.send(encodeDownFrame({ kind: 'output', bytes }))
        if (this.#state.kind === 'live' && this.#isBehind()) this.#fallBehind()
    }
  }

  #isBehind(): boolean {
    return this.#channel.unackedBytes > CHANNEL_HIGH_BYTES + this.#allowanceBytes
  }

  #fallBehind(): void {
    const holdMs = this.#owesScrollback ? 0 : Math.min(HOLD_MS, this.#holdBudgetMs)
    if (holdMs <= 0) {
      this.#state = { kind: 'dropping' }
      return
    }
    this.#state = { kind: 'holding', hold: this.#terminal.hold(), sinceMs: this.#clock.monotonicMs() }
    this.#setTimer('hold', holdMs, () => this.#endHold({ kind: 'dropping' }))
  }

  #endHold(next: State): void {
    if (this.#state.kind !== 'holding') return
    const { hold, sinceMs } = this.#state
    this.#clearTimer('hold')
    this.#holdBudgetMs -= this.#clock.monotonicMs() - sinceMs
    this.#state = next
    hold.dispose()
  }

  #handleDrain(): void {
    this.#allowanceBytes = 0
    if (this.#state.kind === 'dropping') this.#load(LIGHT_SCROLLBACK_LINES)
    else this.#endHold({ kind: 'live' })
  }

  #watchForQuiet(): void {
    this.#setTimer('quiet', QUIET_MS, () => {
      if (!this.#owesScrollback) return
      const quiet = this.#clock.monotonicMs() - this.#lastOutputMs >= QUIET_MS
      if (quiet && this.#state.kind === 'live' && this.#channel.unackedBytes < CHANNEL_HIGH_BYTES / 2) this.#load(SCROLLBACK_LINES)
      else this.#watchForQuiet()
    })
  }

  #handleResize(size: TerminalSize): void {
    if (this.#state.kind === 'live' || this.#state.kind === 'holding') this.#channel.send(encodeDownFrame({ kind: 'size', ...size }))
    // while loading or dropping, the screen that comes carries its size; one that was taken before is followed by this:
    else if (this.#state.kind === 'loading') this.#load(this.#state.scrollbackLines)
  }

  /** Last of all: only a viewer that has seen everything else is told. */
  #tellExit(): void {
    const exit: TerminalExit | undefined = this.#terminal.exit
    if (!exit || this.#exitTold || (this.#state.kind !== 'live' && this.#state.kind !== 'holding')) return
    this.#exitTold = true
    this.#channel.send(encodeDownFrame({ kind: 'exit', ...exit }))
  }

  #handleMessage(message: Uint8Array): void {
    const frame = decodeUpFrame(message)
    if (!frame) {
      this.#channel.close('terminal/malformed-frame')
      this.dispose()
    } else if (frame.kind === 'size') {
      const { columns, rows } = frame
      this.#terminal.handleViewer({ type: 'resize', viewer: this, size: { columns, rows } })
      const { size } = this.#terminal
      // it does not rule: told at once, so that it does not draw as if it did; an exit stays the last thing told
      if (this.#terminal.exit) return
      if (size.columns !== columns || size.rows !== rows) this.#handleResize(size)
    } else if (frame.bytes.length > 0 && !isQueryAnswer(frame.bytes)) {
      this.#terminal.handleViewer({ type: 'type', viewer: this })
      this.#terminal.write(frame.bytes)
      this.#typed.fire()
      if (this.#terminal.unwrittenBytes > UNWRITTEN_HIGH_BYTES) this.#holdKeys()
    }
  }

  #holdKeys(): void {
    this.#channel.setPaused(true)
    this.#setTimer('keys', KEYS_RETRY_MS, () => {
      if (this.#terminal.unwrittenBytes > UNWRITTEN_HIGH_BYTES) this.#holdKeys()
      else this.#channel.setPaused(false)
    })
  }

  #setTimer(name: 'hold' | 'quiet' | 'keys', delayMs: number, callback: () => void): void {
    this.#clearTimer(name)
    this.#timers.set(
      name,
      this.#clock.after(delayMs, () => {
        this.#timers.delete(name)
        callback()
      }),
    )
  }

  #clearTimer(name: 'hold' | 'quiet' | 'keys'): void {
    this.#timers.get(name)?.dispose()
    this.#timers.delete(name)
  }
}

/** Where the first frame of a screen ends: after a line, so that it can be read as text by itself. */
function firstLinesEnd(bytes: Uint8Array): number {
  if (bytes.length <= SCREEN_FRAME_BYTES) return bytes.length
  return bytes.lastIndexOf(0x0a, SCREEN_FRAME_BYTES - 1) + 1
}
