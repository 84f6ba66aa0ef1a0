import { deferred } from '../base/deferred.ts'
import { errorCode } from '../base/errors.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { CHANNEL_HIGH_BYTES, type ByteChannel } from '../rpc/channel.ts'

/** Messages that wait for the one before to be done with, before the channel is paused. */
const MAX_WAITING = 64

/**
 * One end of a channel whose messages take time: they are worked off one after another, the sender is held while many wait, and
 * `send` waits while the other end is behind. What a message's work throws ends the channel: with its code if it is one of ours,
 * else with `job/transfer-failed`, which is never taken for a cut. Owns the channel.
 */
export class FrameQueue implements Disposable {
  readonly #channel: ByteChannel
  readonly #owned = new DisposableStore()
  readonly #waiting: Uint8Array[] = []
  readonly #closed = deferred<string>()
  readonly #onFault: (error: unknown) => void
  #isWorking = false

  constructor(channel: ByteChannel, take: (message: Uint8Array) => Promise<void> | void, onFault: (error: unknown) => void) {
    this.#channel = channel
    this.#onFault = onFault
    this.#owned.add(channel)
    this.#owned.add(
      channel.onDidReceive((message) => {
        this.#waiting.push(message)
        if (this.#waiting.length > MAX_WAITING) channel.setPaused(true)
        void this.#work(take)
      }),
    )
    this.#owned.add(
      channel.onDidClose(({ reason }) => {
        this.#closed.resolve(reason)
        this.dispose()
      }),
    )
  }

  get isClosed(): boolean {
    return this.#owned.isDisposed
  }

  /** Resolves with the reason when either end has closed it. */
  get closed(): Promise<string> {
    return this.#closed.promise
  }

  /** Resolves when more may be sent, or it is closed. */
  async send(message: Uint8Array): Promise<void> {
    if (this.isClosed) return
    this.#channel.send(message)
    if (this.#channel.unackedBytes < CHANNEL_HIGH_BYTES) return
    const owned = new DisposableStore()
    await Promise.race([new Promise<void>((resolve) => owned.add(this.#channel.onDidDrain(() => resolve()))), this.closed])
    owned.dispose()
  }

  close(reason: string): void {
    this.#channel.close(reason)
    this.#closed.resolve(reason)
    this.dispose()
  }

  dispose(): void {
    this.#waiting.length = 0
    this.#owned.dispose()
    this.#closed.resolve('rpc/closed')
  }

  async #work(take: (message: Uint8Array) => Promise<void> | void): Promise<void> {
    if (this.#isWorking) return
    this.#isWorking = true
    try {
      for (let next = this.#waiting.shift(); next && !this.isClosed; next = this.#waiting.shift()) {
        await take(next)
        if (this.#waiting.length === 0) this.#channel.setPaused(false)
      }
    } catch (error) {
      this.#onFault(error)
      const code = errorCode(error)
      this.close(code.startsWith('job/') || code.startsWith('file/') ? code.slice(0, 120) : 'job/transfer-failed')
    } finally {
      this.#isWorking = false
    }
  }
}
