import type { Extent } from './content-writer.ts'

/** Bytes of one block of new bytes. 64 KiB: a small file takes no more than it has, a large one few objects. */
const BLOCK_BYTES = 65_536

/** Whole blocks that are used again: each that is made has to be zeroed and is collected, which cost a fifth of a long write. */
export class BlockPool {
  readonly #free: Uint8Array[] = []
  readonly #most: number

  /** @param bytes  kept at most */
  constructor(bytes: number) {
    this.#most = Math.floor(bytes / BLOCK_BYTES)
  }

  /** What it holds is another file's: it counts only where it was written over. */
  take(): Uint8Array | undefined {
    return this.#free.pop()
  }

  give(block: Uint8Array): void {
    if (block.length === BLOCK_BYTES && this.#free.length < this.#most) this.#free.push(block)
  }

  clear(): void {
    this.#free.length = 0
  }
}

interface Block {
  /** Grows to BLOCK_BYTES as needed. */
  bytes: Uint8Array
  /** What of it is new: pairs of from and to, in order, not touching. */
  ranges: number[]
}

/** Bytes that were written over something else, in memory: where they lie, and what lies between them. */
export class StagedExtents {
  readonly #blocks = new Map<number, Block>()
  readonly #pool: BlockPool | undefined
  #memoryBytes = 0

  constructor(pool?: BlockPool) {
    this.#pool = pool
  }

  get memoryBytes(): number {
    return this.#memoryBytes
  }

  get isEmpty(): boolean {
    return this.#blocks.size === 0
  }

  /** Nothing of it is needed any more. */
  release(): void {
    for (const { bytes } of this.#blocks.values()) this.#pool?.give(bytes)
    this.#blocks.clear()
    this.#memoryBytes = 0
  }

  /** Copies `bytes`. */
  write(offset: number, bytes: Uint8Array): void {
    this.#each(offset, bytes.length, (block, from, to, at) => block.bytes.set(bytes.subarray(at, at + to - from), from))
  }

  zero(offset: number, length: number): void {
    this.#each(offset, length, (block, from, to) => block.bytes.fill(0, from, to))
  }

  /** Forgets what lies at and after `end`. */
  cut(end: number): void {
    for (const [number, block] of this.#blocks) {
      const within = end - number * BLOCK_BYTES
      if (within >= BLOCK_BYTES) continue
      const ranges: number[] = []
      for (let i = 0; i < block.ranges.length; i += 2) {
        const from = block.ranges[i] as number
        const to = Math.min(block.ranges[i + 1] as number, within)
        if (to > from) ranges.push(from, to)
      }
      block.ranges = ranges
      if (ranges.length > 0) continue
      this.#blocks.delete(number)
      this.#memoryBytes -= block.bytes.length
    }
  }

  /** Copies what is here of `[offset, offset + into.length)`; the rest, in order. */
  readInto(into: Uint8Array, offset: number): Extent[] {
    const gaps: Extent[] = []
    const end = offset + into.length
    let at = offset
    const skipTo = (next: number) => {
      const last = gaps.at(-1)
      if (next <= at) return
      if (last && last.offset + last.length === at) gaps[gaps.length - 1] = { offset: last.offset, length: next - last.offset }
      else gaps.push({ offset: at, length: next - at })
      at = next
    }
    while (at < end) {
      const start = Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES
      const block = this.#blocks.get(start / BLOCK_BYTES)
      const stop = Math.min(end, start + BLOCK_BYTES)
      if (block) {
        for (let i = 0; i < block.ranges.length; i += 2) {
          const from = Math.max(at, start + (block.ranges[i] as number))
          const to = Math.min(stop, start + (block.ranges[i + 1] as number))
          if (to <= from) continue
          skipTo(from)
          into.set(block.bytes.subarray(from - start, to - start), from - offset)
          at = to
        }
      }
      skipTo(stop)
    }
    return gaps
  }

  /** Where they lie, if they lie in one stretch: good until the next write. */
  view(offset: number, length: number): Uint8Array | undefined {
    const number = Math.floor(offset / BLOCK_BYTES)
    const block = this.#blocks.get(number)
    const from = offset - number * BLOCK_BYTES
    if (block?.ranges.length !== 2 || from < (block.ranges[0] as number) || from + length > (block.ranges[1] as number)) return undefined
    return block.bytes.subarray(from, from + length)
  }

  /** In order, neighbours joined. */
  extents(): Extent[] {
    const found: { offset: number; length: number }[] = []
    for (const number of [...this.#blocks.keys()].sort((a, b) => a - b)) {
      const { ranges } = this.#blocks.get(number) as Block
      for (let i = 0; i < ranges.length; i += 2) {
        const offset = number * BLOCK_BYTES + (ranges[i] as number)
        const length = (ranges[i + 1] as number) - (ranges[i] as number)
        const last = found.at(-1)
        if (last && last.offset + last.length === offset) last.length += length
        else found.push({ offset, length })
      }
    }
    return found
  }

  /** Puts what is in `newer` over this. */
  cover(newer: StagedExtents): void {
    for (const { offset, length } of newer.extents()) {
      const bytes = new Uint8Array(length)
      newer.readInto(bytes, offset)
      this.write(offset, bytes)
    }
  }

  #each(offset: number, length: number, put: (block: Block, from: number, to: number, at: number) => void): void {
    for (let at = 0; at < length; ) {
      const number = Math.floor((offset + at) / BLOCK_BYTES)
      const from = offset + at - number * BLOCK_BYTES
      const to = Math.min(BLOCK_BYTES, from + length - at)
      const block = this.#block(number, to)
      put(block, from, to, at)
      block.ranges = withRange(block.ranges, from, to)
      at += to - from
    }
  }

  #block(number: number, bytes: number): Block {
    let block = this.#blocks.get(number)
    if (!block) {
      block = { bytes: (bytes === BLOCK_BYTES ? this.#pool?.take() : undefined) ?? new Uint8Array(bytes), ranges: [] }
      this.#blocks.set(number, block)
      this.#memoryBytes += bytes
    } else if (block.bytes.length < bytes) {
      const grown = new Uint8Array(Math.min(BLOCK_BYTES, Math.max(bytes, 2 * block.bytes.length)))
      grown.set(block.bytes)
      this.#memoryBytes += grown.length - block.bytes.length
      block.bytes = grown
    }
    return block
  }
}

function withRange(ranges: number[], from: number, to: number): number[] {
  // Nearly always the first write, or one right after the last.
  if (ranges.length === 0) return [from, to]
  if (ranges.length === 2 && ranges[1] === from) return [ranges[0] as number, to]
  const joined: number[] = []
  let [start, end] = [from, to]
  let isPut = false
  for (let i = 0; i < ranges.length; i += 2) {
    const [a, b] = [ranges[i] as number, ranges[i + 1] as number]
    if (b < start) joined.push(a, b)
    else if (a > end) {
      if (!isPut) joined.push(start, end)
      isPut = true
      joined.push(a, b)
    } else {
      start = Math.min(start, a)
      end = Math.max(end, b)
    }
  }
  if (!isPut) joined.push(start, end)
  return joined
}
