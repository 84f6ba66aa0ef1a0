import type { Clock } from '../base/clock.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import type { ChunkId } from './chunk-id.ts'
import type { Stretch } from './file-peer-contract.ts'

/** What chunks come on, one frame each; disposed by whoever wants no more of it. */
export type ChunkFlow = Pick<ByteChannel, 'onDidReceive' | 'onDidClose' | 'dispose'>

/** A linked device that can be asked for chunks. */
export interface ChunkPeer {
  readonly device: string
  /** Asked when no other one brings it. */
  readonly isLast?: boolean
  /** With a stretch, `ids` are a list of pieces, and `more` names the chunks that follow: what the list says lies in the stretch. */
  ask(
    ids: readonly ChunkId[],
    signal: AbortSignal,
    stretch?: Stretch,
  ): Promise<{ readonly flow: ChunkFlow; readonly more: readonly ChunkId[] }>
}

/** Weight of the newest measurement. */
const SMOOTHING = 0.3
/** A device that failed is asked after the others for this long. */
const SHUN_MS = 5_000
/** Whoever is to be the last is asked after others that are slow, and before those that failed. */
const LAST_MS = 1e8
/** A rate is measured over at least this. */
const RATE_SPAN_MS = 50
/** What a chunk is taken to have before it is here: FastCDC's mean. */
const CHUNK_BYTES = 76 * 1024
/** Until it is measured: 25 MB/s. */
const FIRST_BYTES_PER_MS = 25_000

/** A device to be asked, and how fast it was. */
export class MeasuredSource {
  readonly peer: ChunkPeer
  readonly #clock: Clock
  /** Smoothed, from asking to the first chunk. */
  #delayMs = 0
  #bytesPerMs = FIRST_BYTES_PER_MS
  #shunnedUntilMs = Number.NEGATIVE_INFINITY
  #owed = 0
  #lastMs = 0
  #span: { readonly fromMs: number; bytes: number } | undefined

  constructor(peer: ChunkPeer, clock: Clock) {
    this.peer = peer
    this.#clock = clock
  }

  /** How long one chunk more would take, as far as can be told. */
  get costMs(): number {
    const isShunned = this.#shunnedUntilMs > this.#clock.monotonicMs()
    return (isShunned ? 1e9 : 0) + (this.peer.isLast ? LAST_MS : 0) + this.takesMs(this.#owed)
  }

  /** How long so many chunks take, as far as can be told. */
  takesMs(chunks: number): number {
    return this.#delayMs + (chunks * CHUNK_BYTES) / this.#bytesPerMs
  }

  /** So many chunks are on their way. */
  get owed(): number {
    return this.#owed
  }

  /** Since when nothing came, although something is owed. */
  get silentSinceMs(): number {
    return this.#lastMs
  }

  /** So many chunks more, or less, are on their way. */
  owe(chunks: number): void {
    if (this.#owed <= 0 && chunks > 0) {
      this.#lastMs = this.#clock.monotonicMs()
      this.#span = undefined
    }
    this.#owed = Math.max(0, this.#owed + chunks)
  }

  answered(delayMs: number): void {
    this.#delayMs += SMOOTHING * (delayMs - this.#delayMs)
  }

  /** `bytes` 0: that it has not got one, which says nothing of its rate. */
  received(bytes: number): void {
    const nowMs = this.#clock.monotonicMs()
    this.#lastMs = nowMs
    if (bytes === 0) return
    if (!this.#span) {
      this.#span = { fromMs: nowMs, bytes: 0 } // the first one says when it began
      return
    }
    this.#span.bytes += bytes
    const forMs = nowMs - this.#span.fromMs
    if (forMs < RATE_SPAN_MS) return
    this.#bytesPerMs += SMOOTHING * (this.#span.bytes / forMs - this.#bytesPerMs)
    this.#span = { fromMs: nowMs, bytes: 0 }
  }

  shun(): void {
    this.#shunnedUntilMs = this.#clock.monotonicMs() + SHUN_MS
  }
}
