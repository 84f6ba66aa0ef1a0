import type * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import { EngineError } from './engine.ts'
import { standOf } from './engine-places.ts'
import { keptEngine, MAX_ENGINES } from './engines-contract.ts'

const SPACE = 'engines'
/** Those that others took the place of while jobs run there. */
const FORMER = 'engines-former'
/** So many others took the place of one with jobs there, and each of them had jobs, too. */
const MAX_FORMER = 64
export type EngineRecord = z.infer<typeof keptEngine>
export type SlurmRecord = Extract<EngineRecord, { kind: 'slurm' }>
export type BacalhauRecord = Extract<EngineRecord, { kind: 'bacalhau' }>

const formerKey = (record: EngineRecord): string => JSON.stringify([record.name, standOf(record)])

/** Engines of this device with their tokens, sealed in its store by the keys of the vault (rule EN1); read once. Does not own the store. */
export class EngineBook {
  readonly #store: KeyValueStore
  readonly #records = new Map<string, EngineRecord>()
  readonly #former = new Map<string, EngineRecord>()

  constructor(store: KeyValueStore) {
    this.#store = store
    for (const [space, records] of [
      [SPACE, this.#records],
      [FORMER, this.#former],
    ] as const)
      for (const [key, bytes] of store.entries(space)) {
        try {
          records.set(key, keptEngine.parse(JSON.parse(fromUtf8(bytes))))
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

  /** With those that it took the place of: no key of that name is left. */
  remove(name: string): void {
    this.#records.delete(name)
    this.#store.delete(SPACE, name)
    for (const record of this.former) if (record.name === name) this.dropFormer(record)
  }

  /** Others took their place; no job is sent there any more, and what runs there is followed (rule EN13). */
  get former(): readonly EngineRecord[] {
    return [...this.#former.values()]
  }

  /** @throws EngineError `engine/too-many` */
  keepFormer(record: EngineRecord): void {
    const key = formerKey(record)
    if (!this.#former.has(key) && this.#former.size >= MAX_FORMER)
      throw new EngineError('engine/too-many', `jobs still run on ${MAX_FORMER} engines that others took the place of; end some first`)
    this.#former.set(key, record)
    this.#store.put(FORMER, key, utf8(JSON.stringify(record)))
  }

  dropFormer(record: EngineRecord): void {
    this.#former.delete(formerKey(record))
    this.#store.delete(FORMER, formerKey(record))
  }
}
