import { type Disposable, DisposableStore } from '../../../base/disposable.ts'
import { Emitter } from '../../../base/emitter.ts'
import { type AttemptExit, decodeJobDown, type OutputStream } from '../../../jobs/job-frames-contract.ts'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import type { ByteChannel } from '../../../rpc/channel.ts'
import { bytesText } from '../plain-words.ts'

/** Output accepted by the sink and not yet drawn, at which the device is asked to wait: as in a terminal. */
const PAUSE_ABOVE_BYTES = 1024 * 1024
const RESUME_BELOW_BYTES = 128 * 1024

/** What looking on needs of the display's client. */
export interface JobOutputCalls {
  openJobOutput(input: { job: string; from?: number }): Promise<{ channel: number; info: JobInfo }>
  channel(id: number): ByteChannel
}

/** What draws. `write` calls back once the data is shown. */
export interface JobOutputSink {
  write(data: string | Uint8Array, done: () => void): void
}

/**
 * This display looking at one job's output from an offset on: nothing twice, a gap said. Owns the channel, not the job.
 * Bounds what waits to be drawn by pausing the channel.
 */
export class JobOutput implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #channel: ByteChannel
  readonly #sink: JobOutputSink
  readonly #only: OutputStream | undefined
  readonly #ended = this.#owned.add(new Emitter<AttemptExit>())
  readonly #closed = new Emitter<{ reason: string }>()
  #next: number
  #undrawnBytes = 0
  #paused = false

  readonly onDidEnd = this.#ended.event
  /** The channel ended without our doing. Fires once. */
  readonly onDidClose = this.#closed.event

  private constructor(channel: ByteChannel, from: number, only: OutputStream | undefined, sink: JobOutputSink) {
    this.#channel = this.#owned.add(channel)
    this.#sink = sink
    this.#only = only
    this.#next = from
    this.#owned.add(channel.onDidClose(({ reason }) => this.#closed.fire({ reason })))
  }

  /**
   * @param from  offset in bytes of both streams
   * @param only  one stream, or both
   * @throws job/unknown, rpc/closed
   */
  static async open(
    calls: JobOutputCalls,
    { job, from = 0, only }: { readonly job: string; readonly from?: number; readonly only?: OutputStream | undefined },
    sink: JobOutputSink,
  ): Promise<JobOutput> {
    const { channel } = await calls.openJobOutput({ job, from })
    return new JobOutput(calls.channel(channel), from, only, sink)
  }

  /** Begins to draw. Separate from opening so that listeners are in place before the first frame. */
  start(): void {
    this.#owned.add(this.#channel.onDidReceive((message) => this.#handle(message)))
  }

  /** Offset of the first byte not yet seen: where to go on after a break. */
  get next(): number {
    return this.#next
  }

  #handle(message: Uint8Array): void {
    const frame = decodeJobDown(message)
    if (frame?.kind === 'exit') return this.#ended.fire(frame)
    if (frame?.kind !== 'output') return
    const end = frame.offset + frame.bytes.length
    if (end <= this.#next) return // seen before the break
    if (frame.offset > this.#next) this.#draw(gapText(frame.offset - this.#next), 0)
    const bytes = frame.bytes.subarray(Math.max(0, this.#next - frame.offset))
    this.#next = end
    if (this.#only === undefined || this.#only === frame.stream) this.#draw(bytes, bytes.length)
  }

  #draw(data: string | Uint8Array, bytes: number): void {
    this.#undrawnBytes += bytes
    this.#sink.write(data, () => {
      this.#undrawnBytes -= bytes
      if (this.#paused && this.#undrawnBytes < RESUME_BELOW_BYTES) this.#pause(false)
    })
    if (!this.#paused && this.#undrawnBytes > PAUSE_ABOVE_BYTES) this.#pause(true)
  }

  #pause(paused: boolean): void {
    this.#paused = paused
    this.#channel.setPaused(paused)
  }

  dispose(): void {
    this.#closed.dispose()
    this.#owned.dispose()
  }
}

const gapText = (bytes: number): string => `\x1b[0m\r\n\x1b[2m… ${bytesText(bytes)} of output are not kept …\x1b[0m\r\n`
