import { gunzip } from '../gzip.ts'
import type { EngineResults, StoredBytes } from '../engine.ts'
import { type TarItem, TarReading } from '../tar.ts'
import { OUTPUTS } from './bacalhau-job.ts'

/** What came of a job, unpacked, and names in it. */
const MAX_RESULT_BYTES = 512 * 1024 * 1024
const MAX_RESULT_FILES = 20_000
const LOGS = { out: 'stdout', err: 'stderr' } as const

/**
 * The archive that a node has published of a job. It was read once to its end, so that it is known to be whole; it is unpacked as it is
 * read, anew for each thing that is wanted of it, and nothing of it stays in memory. Owns the packed bytes.
 */
export class BacalhauResults implements EngineResults {
  readonly #packed: StoredBytes
  #leftOut = 0
  readonly #lengths = { out: 0, err: 0 }

  private constructor(packed: StoredBytes) {
    this.#packed = packed
  }

  /** @throws TarError, TypeError, RangeError  it is no whole archive within bounds; `packed` is disposed then */
  static async open(packed: StoredBytes, signal: AbortSignal): Promise<BacalhauResults> {
    const results = new BacalhauResults(packed)
    try {
      await results.#check(signal)
      return results
    } catch (error) {
      await results.dispose()
      throw error
    }
  }

  get leftOut(): number {
    return this.#leftOut
  }

  bytesOf(stream: 'out' | 'err'): number {
    return this.#lengths[stream]
  }

  async *output(stream: 'out' | 'err'): AsyncGenerator<Uint8Array, void> {
    for await (const item of this.#read().items())
      if (item.kind === 'file' && item.path === LOGS[stream]) {
        yield* item.content
        return
      }
  }

  async *files(): AsyncGenerator<TarItem, void> {
    for await (const item of this.#read().items())
      if (item.path.startsWith(`${OUTPUTS}/`)) yield { ...item, path: item.path.slice(OUTPUTS.length + 1) }
  }

  dispose(): Promise<void> {
    return this.#packed.dispose()
  }

  async #check(signal: AbortSignal): Promise<void> {
    const reading = this.#read(signal)
    for await (const item of reading.items())
      for (const stream of ['out', 'err'] as const)
        if (item.kind === 'file' && item.path === LOGS[stream]) this.#lengths[stream] = item.length
    this.#leftOut = reading.leftOut
  }

  #read(signal?: AbortSignal): TarReading {
    return new TarReading(until(gunzip(this.#packed.read(), MAX_RESULT_BYTES), signal), MAX_RESULT_FILES)
  }
}

async function* until(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) {
    signal?.throwIfAborted()
    yield piece
  }
}
