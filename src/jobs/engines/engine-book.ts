import * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import { EngineError } from './engine.ts'
import { engineSettings, MAX_ENGINES } from './engines-contract.ts'

const SPACE = 'engines'
const engineRecord = engineSettings.extend({ format: z.literal(1), token: z.string().max(8_192) })
export type EngineRecord = z.infer<typeof engineRecord>

/** Engines of this device with their tokens, sealed in its store by the keys of the vault (rule EN1). */
export class EngineBook {
  readonly #store: KeyValueStore

  constructor(store: KeyValueStore) {
    this.#store = store
  }

  /** By name. What cannot be read is left out. */
  get all(): readonly EngineRecord[] {
    const read = this.#store.entries(SPACE).flatMap(([, bytes]) => {
      try {
        return [engineRecord.parse(JSON.parse(fromUtf8(bytes)))]
      } catch {
        return [] // of a newer version, or damaged: it is added anew
      }
    })
    return read.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  find(name: string): EngineRecord | undefined {
    return this.all.find((one) => one.name === name)
  }

  /** @throws EngineError `engine/too-many` */
  put(record: EngineRecord): void {
    if (!this.find(record.name) && this.all.length >= MAX_ENGINES)
      throw new EngineError('engine/too-many', `a device has at most ${MAX_ENGINES} engines; remove one first`)
    this.#store.put(SPACE, record.name, utf8(JSON.stringify(record)))
  }

  remove(name: string): void {
    this.#store.delete(SPACE, name)
  }
}
