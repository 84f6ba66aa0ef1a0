import type { Operation, OperationId } from './operation.ts'

/** What may wait for its past at once. An honest peer sends in order; more is a flood, and the oldest goes. */
const MAX_WAITING = 1_024
const MAX_WAITING_BYTES = 4 << 20

/** Operations whose past is not here yet, within bounds (rule ID68). What is dropped is asked for again when heads are compared. */
export class WaitingOperations {
  readonly #operations = new Map<OperationId, Operation>()
  #bytes = 0

  add(operation: Operation): void {
    if (this.#operations.has(operation.id)) return
    this.#operations.set(operation.id, operation)
    this.#bytes += operation.bytes.length
    for (const oldest of this.#operations.values()) {
      if (this.#operations.size <= MAX_WAITING && this.#bytes <= MAX_WAITING_BYTES) return
      this.#remove(oldest)
    }
  }

  /** One whose past is all here, and no longer waits. */
  takeReady(isHere: (id: OperationId) => boolean): Operation | undefined {
    for (const operation of this.#operations.values()) {
      if (!operation.prevs.every(isHere)) continue
      this.#remove(operation)
      return operation
    }
    return undefined
  }

  /** What they wait for and nobody has brought. */
  missing(isHere: (id: OperationId) => boolean): OperationId[] {
    const missing = new Set<OperationId>()
    for (const { prevs } of this.#operations.values()) {
      for (const prev of prevs) if (!isHere(prev) && !this.#operations.has(prev)) missing.add(prev)
    }
    return [...missing]
  }

  #remove({ id, bytes }: Operation): void {
    if (this.#operations.delete(id)) this.#bytes -= bytes.length
  }
}
