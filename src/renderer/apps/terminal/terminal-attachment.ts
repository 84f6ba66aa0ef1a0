import { type Disposable, DisposableStore } from '../../../base/disposable.ts'
import { Emitter } from '../../../base/emitter.ts'
import type { TerminalInfo } from '../../../jobs/terminal-contract.ts'
import type { ByteChannel } from '../../../rpc/channel.ts'
import {
  decodeDownFrame,
  type DownFrame,
  encodeUpFrame,
  MAX_KEYS_BYTES,
  type TerminalSize,
} from '../../../jobs/terminal-frames-contract.ts'

/** Output accepted by the screen and not yet drawn, at which the device is asked to wait. 1 MiB is about 10 frames of fast output. */
const PAUSE_ABOVE_BYTES = 1024 * 1024
const RESUME_BELOW_BYTES = 128 * 1024

/** What an attachment needs of the display's client. */
export interface TerminalCalls {
  attachTerminal(input: { device: string; terminalId: string } & TerminalSize): Promise<{ channel: number; info: TerminalInfo }>
  channel(id: number): ByteChannel
}

/** What draws: xterm.js in the product. `write` calls back once the data is on the screen. */
export interface TerminalSink {
  write(data: string | Uint8Array, done: () => void): void
  clear(): void
}

/**
 * This display looking at one terminal: its screen and scrollback, what changes, keys back, and whose size rules.
 *
 * Owns the channel, not the terminal: disposing leaves the program running. Bounds what waits to be drawn by pausing the
 * channel, so that a flood of output slows the program instead of filling memory.
 */
export class TerminalAttachment implements Disposable {
  readonly info: TerminalInfo
  readonly #owned = new DisposableStore()
  readonly #channel: ByteChannel
  readonly #sink: TerminalSink
  readonly #resized = this.#owned.add(new Emitter<TerminalSize>())
  readonly #exited = this.#owned.add(new Emitter<{ code: number; signal?: number | undefined }>())
  readonly #drawn = this.#owned.add(new Emitter<void>())
  readonly #closed = new Emitter<{ reason: string }>()
  #size: TerminalSize
  #own: TerminalSize
  #undrawnBytes = 0
  #paused = false

  /** The size that rules, after it changed. */
  readonly onDidResize = this.#resized.event
  readonly onDidExit = this.#exited.event
  /** Output has reached the screen. */
  readonly onDidDraw = this.#drawn.event
  /** The channel ended without our doing: the device or the way to it is gone. Fires once. */
  readonly onDidClose = this.#closed.event

  private constructor(channel: ByteChannel, info: TerminalInfo, own: TerminalSize, sink: TerminalSink) {
    this.info = info
    this.#channel = this.#owned.add(channel)
    this.#sink = sink
    this.#size = { columns: info.columns, rows: info.rows }
    this.#own = own
    this.#owned.add(channel.onDidClose(({ reason }) => this.#closed.fire({ reason })))
  }

  /** @throws terminal/unknown, terminal/device-away, grant/refused, rpc/closed */
  static async attach(
    calls: TerminalCalls,
    at: { device: string; terminalId: string },
    own: TerminalSize,
    sink: TerminalSink,
  ): Promise<TerminalAttachment> {
    const { channel, info } = await calls.attachTerminal({ ...at, ...own })
    return new TerminalAttachment(calls.channel(channel), info, own, sink)
  }

  /** Begins to draw. Separate from attaching so that listeners are in place before the first frame. */
  start(): void {
    this.#owned.add(
      this.#channel.onDidReceive((bytes) => {
        const frame = decodeDownFrame(bytes)
        if (frame) this.#handleFrame(frame)
      }),
    )
  }

  #handleFrame(frame: DownFrame): void {
    switch (frame.kind) {
      case 'screen':
        this.#sink.clear()
        return this.#draw(frame.bytes)
      case 'output':
        return this.#draw(frame.bytes)
      case 'size':
        this.#size = { columns: frame.columns, rows: frame.rows }
        return this.#resized.fire(this.#size)
      case 'exit':
        return this.#exited.fire({ code: frame.code, signal: frame.signal })
    }
  }

  #draw(data: Uint8Array): void {
    const { length } = data
    this.#undrawnBytes += length
    this.#sink.write(data, () => {
      this.#undrawnBytes -= length
      if (this.#paused && this.#undrawnBytes < RESUME_BELOW_BYTES) this.#pause(false)
      this.#drawn.fire()
    })
    if (!this.#paused && this.#undrawnBytes > PAUSE_ABOVE_BYTES) this.#pause(true)
  }

  #pause(paused: boolean): void {
    this.#paused = paused
    this.#channel.setPaused(paused)
  }

  /** The size the program sees. */
  get size(): TerminalSize {
    return this.#size
  }

  /** This display's size rules (or is the same). */
  get rules(): boolean {
    return sameSize(this.#size, this.#own)
  }

  /** Keys were typed here. The device then takes this display's size, and says so. */
  type(keys: Uint8Array): void {
    for (let at = 0; at < keys.length; at += MAX_KEYS_BYTES) {
      this.#channel.send(encodeUpFrame({ kind: 'keys', bytes: keys.subarray(at, at + MAX_KEYS_BYTES) }))
    }
  }

  /** This display's window has another size now. The device decides whether it rules; where it did, it is shown at once. */
  fit(own: TerminalSize): void {
    if (sameSize(own, this.#own)) return
    const ruled = this.rules
    this.#own = own
    this.#channel.send(encodeUpFrame({ kind: 'size', ...own }))
    if (!ruled) return
    this.#size = own
    this.#resized.fire(own)
  }

  dispose(): void {
    this.#closed.dispose()
    this.#owned.dispose()
  }
}

const sameSize = (a: TerminalSize, b: TerminalSize): boolean => a.columns === b.columns && a.rows === b.rows
