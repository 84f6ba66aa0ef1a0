import type { OperationId } from './operation.ts'

/** One operation as it lies in the store. */
export interface StoredOperation {
  readonly id: OperationId
  readonly bytes: Uint8Array
}

/** A folded state that covers the first `count` operations of the store. */
export interface StoredCheckpoint {
  readonly count: number
  readonly state: Uint8Array
}

/**
 * Where the authority log of this device's person lies: operations in the order they were taken in, each after all it names,
 * and some checkpoints. Sealed on disk; synchronous; what was put is kept when the call returns. Every implementation runs
 * `describeAuthorityStore` from authority-store.suite.ts (rules ID65-ID66).
 */
export interface AuthorityStore {
  /** How many operations there are. */
  readonly count: number
  has(id: OperationId): boolean
  /** All of them or none. Known ones are left out. @throws StoreError */
  append(operations: readonly StoredOperation[]): void
  /** In their order, from the `after`-th on (0: all). */
  read(after: number): readonly StoredOperation[]
  find(id: OperationId): Uint8Array | undefined
  /** The `position`-th, from 0. */
  idAt(position: number): OperationId | undefined
  /** By `count`, highest first. */
  checkpoints(): readonly StoredCheckpoint[]
  /** @throws StoreError */
  putCheckpoint(checkpoint: StoredCheckpoint): void
  dropCheckpoint(count: number): void
}

/** Keeps a log in memory; for tests, and for a list not taken over yet. */
export class MemoryAuthorityStore implements AuthorityStore {
  readonly #operations = new Map<OperationId, Uint8Array>()
  readonly #checkpoints = new Map<number, Uint8Array>()

  get count(): number {
    return this.#operations.size
  }

  has(id: OperationId): boolean {
    return this.#operations.has(id)
  }

  append(operations: readonly StoredOperation[]): void {
    for (const { id, bytes } of operations) if (!this.#operations.has(id)) this.#operations.set(id, bytes.slice())
  }

  read(after: number): readonly StoredOperation[] {
    return [...this.#operations].slice(after).map(([id, bytes]) => ({ id, bytes: bytes.slice() }))
  }

  find(id: OperationId): Uint8Array | undefined {
    return this.#operations.get(id)?.slice()
  }

  idAt(position: number): OperationId | undefined {
    return [...this.#operations.keys()][position]
  }

  checkpoints(): readonly StoredCheckpoint[] {
    return [...this.#checkpoints].sort(([a], [b]) => b - a).map(([count, state]) => ({ count, state: state.slice() }))
  }

  putCheckpoint({ count, state }: StoredCheckpoint): void {
    this.#checkpoints.set(count, state.slice())
  }

  dropCheckpoint(count: number): void {
    this.#checkpoints.delete(count)
  }
}
