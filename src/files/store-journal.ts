import type { Disposable } from '../base/disposable.ts'

/**
 * What was changed and does not lie in the store proper yet, in the order it was. Sealed where it lies on a disk. One process
 * at a time.
 */
export interface StoreJournal extends Disposable {
  /** What was appended and not forgotten before this start. What a kill cut off at the end is left out. */
  entries(): Iterable<Uint8Array>
  /** Survives kill -9 when it returns, a power cut after `sync`. @throws StoreError; then nothing of it is there */
  append(entry: Uint8Array): void
  /** Bytes appended since the last `turn`. */
  readonly bytes: number
  /** From now on in a new part; call what it returns when the parts before are not needed any more. */
  turn(): () => void
  /** What was appended before is on the disk itself once this resolves. */
  sync(): Promise<void>
}
