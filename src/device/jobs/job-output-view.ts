import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { encodeJobDown, outputHead } from '../../jobs/job-frames-contract.ts'
import type { JobOutputBook } from '../../jobs/job-output-book.ts'
import { isOver } from '../../jobs/job-record.ts'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { LiveJob } from './live-job.ts'

export interface JobOutputSource {
  readonly output: JobOutputBook
  info(): JobInfo
  /** While it lives. */
  readonly job: LiveJob | undefined
}

/** One viewer of one job's output: from an offset to the end as fast as it takes it, then how it ended. Owns the channel. */
export class JobOutputView implements Disposable {
  readonly #channel: ByteChannel
  readonly #source: JobOutputSource
  readonly #owned = new DisposableStore()
  #at: number

  constructor(channel: ByteChannel, source: JobOutputSource, from: number) {
    this.#channel = channel
    this.#source = source
    this.#at = from
    this.#owned.add(channel)
    this.#owned.add(channel.onDidDrain(() => this.#pump()))
    this.#owned.add(channel.onDidClose(() => this.dispose()))
    const { job } = source
    if (job) {
      this.#owned.add(job.onDidGrow(() => this.#pump()))
      this.#owned.add(job.onDidTakeInput(() => this.handleInput()))
      this.#owned.add(job.onDidChange((info) => this.#tellState(info)))
    }
    queueMicrotask(() => this.#pump())
  }

  /** What a viewer writes waits in its channel while the program does not take it. */
  handleInput(): void {
    const { job } = this.#source
    if (job && !this.#owned.isDisposed) this.#channel.setPaused(job.inputRoom <= 0)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #tellState({ state, ports }: JobInfo): void {
    if (this.#owned.isDisposed || state === 'done' || state === 'failed' || state === 'cancelled') return
    const shown = state === 'running' || state === 'paused' ? state : 'preparing'
    this.#channel.send(encodeJobDown({ kind: 'state', state: shown, ports }))
  }

  #pump(): void {
    while (!this.#owned.isDisposed && this.#channel.unackedBytes < this.#channel.highBytes) {
      const pieces = this.#source.output.read(this.#at)
      if (pieces.length === 0) return this.#finish()
      for (const piece of pieces) {
        this.#channel.sendParts(outputHead(piece), piece.bytes)
        this.#at = piece.offset + piece.bytes.length
      }
    }
  }

  #finish(): void {
    const info = this.#source.info()
    if (!isOver(info)) return
    const { exit, error, state } = info
    this.#channel.send(
      encodeJobDown({
        kind: 'exit',
        code: exit?.code ?? -1,
        cpuMs: 0,
        ...(exit?.signal !== undefined && { signal: exit.signal }),
        ...(state === 'cancelled' && { ended: 'cancelled' }),
        ...(error && { error }),
      }),
    )
    this.dispose()
  }
}
