import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { BULK_HIGH_BYTES, type ByteChannel } from '../rpc/channel.ts'
import { type AttemptExit, decodeJobUp, encodeJobDown, type JobDownFrame, type JobUpFrame, outputHead } from './job-frames-contract.ts'
import type { OutputLog } from './output-log.ts'

/**
 * The asker's end of an attempt while it is linked: output as far as it keeps up, then the exit. Owns the channel, not the log.
 */
export class AttemptViewer implements Disposable {
  readonly #channel: ByteChannel
  readonly #log: OutputLog
  readonly #owned = new DisposableStore()
  #at: number
  #exit: AttemptExit | undefined

  constructor(channel: ByteChannel, log: OutputLog, from: number, take: (frame: JobUpFrame) => void) {
    this.#channel = channel
    this.#log = log
    this.#at = from
    channel.highBytes = BULK_HIGH_BYTES
    this.#owned.add(channel)
    this.#owned.add(channel.onDidDrain(() => this.pump()))
    this.#owned.add(channel.onDidClose(() => this.dispose()))
    this.#owned.add(
      channel.onDidReceive((message) => {
        const frame = decodeJobUp(message)
        if (!frame) return channel.close('job/malformed-frame')
        take(frame)
      }),
    )
    queueMicrotask(() => this.pump())
  }

  tell(frame: Exclude<JobDownFrame, { kind: 'output' }>): void {
    if (!this.#owned.isDisposed) this.#channel.send(encodeJobDown(frame))
  }

  /** Sends what the other end can take. */
  pump(): void {
    while (!this.#owned.isDisposed && this.#channel.unackedBytes < this.#channel.highBytes) {
      const piece = this.#log.pieceAt(this.#at)
      if (!piece) break
      this.#channel.sendParts(outputHead(piece), piece.bytes)
      this.#at = piece.offset + piece.bytes.length
    }
    if (this.#exit && this.#at >= this.#log.end) {
      this.tell({ kind: 'exit', ...this.#exit })
      this.#exit = undefined
    }
  }

  /** After the last output. */
  finish(exit: AttemptExit): void {
    this.#exit = exit
    this.pump()
  }

  /** The other end broke the protocol. */
  refuse(reason: string): void {
    this.#channel.close(reason)
    this.dispose()
  }

  dispose(): void {
    this.#owned.dispose()
  }
}
