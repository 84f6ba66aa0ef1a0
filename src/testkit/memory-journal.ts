import { StoreError } from '../base/store-error.ts'
import type { StoreJournal } from '../files/store-journal.ts'

/** A journal in memory that outlives who writes it, as a file outlives a process. */
export class MemoryJournal implements StoreJournal {
  #parts: Uint8Array[][] = [[]]
  /** Of each part that is kept, oldest first. */
  #first = 0
  /** Set for a test: the next append fails. */
  isFull = false

  get bytes(): number {
    return (this.#parts.at(-1) ?? []).reduce((sum, { length }) => sum + length, 0)
  }

  entries(): Iterable<Uint8Array> {
    return this.#parts.flat()
  }

  append(entry: Uint8Array): void {
    if (this.isFull) throw StoreError.diskFull('memory')
    this.#parts.at(-1)?.push(entry)
  }

  turn(): () => void {
    this.#parts.push([])
    const before = this.#first + this.#parts.length - 1
    return () => {
      while (this.#first < before) {
        this.#parts.shift()
        this.#first++
      }
    }
  }

  async sync(): Promise<void> {}

  dispose(): void {}
}
