import type * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import { EngineError } from './engine.ts'
import { keptEngine, MAX_ENGINES } from './engines-contract.ts'

const SPACE = 'engines'
export type EngineRecord = z.infer<typeof keptEngine>
export type SlurmRecord = Extract<EngineRecord, { kind: 'slurm' }>
export type BacalhauRecord = Extract<EngineRecord, { kind: 'bacalhau' }>

/** Engines of this device with their tokens, sealed in its store by the keys of the vault (rule EN1); read once. Does not own the store. */
export class EngineBook {
  readonly #store: KeyValueStore
  readonly #records = new Map<string, EngineRecord>()

  constructor(store: KeyValueStore) {
    this.#store = store
    for (const [, bytes] of store.entries(SPACE)) {
      try {
        const record = keptEngine.parse(JSON.parse(fromUtf8(bytes)))
        this.#records.set(record.name, record)
      } catch {
        // of a newer version, or damaged: it is added anew
      }
    }
  }

  /** By name. What cannot be read is left out. */
  get all(): readonly EngineRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  find(name: string): EngineRecord | undefined {
    return this.#records.get(name)
  }

  /** @throws EngineError `engine/too-many` */
  put(record: EngineRecord): void {
    if (!this.#records.has(record.name) && this.#records.size >= MAX_ENGINES)
      throw new EngineError('engine/too-many', `a device has at most ${MAX_ENGINES} engines; remove one first`)
    this.#records.set(record.name, record)
    this.#store.put(SPACE, record.name, utf8(JSON.stringify(record)))
  }

  remove(name: string): void {
    this.#records.delete(name)
    this.#store.delete(SPACE, name)
  }
}
