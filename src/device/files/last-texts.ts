import * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'

const SPACE = 'last-texts'
const INDEX = 'index'
/** Files kept, and the largest: what a person has open on a desk, 16 MiB at most in the store. The longest unused gives way. */
const MAX_FILES = 64
const MAX_CHARS = 256 * 1024
/** An unchanged text that is read again is noted anew after this, not each time a tab comes to the front. */
const FRESH_MS = 60_000

const index = z.array(
  z.object({ slot: z.number().int().min(0).max(MAX_FILES), device: z.string(), path: z.string(), version: z.string(), atMs: z.number() }),
)
type Index = z.infer<typeof index>

export interface LastText {
  readonly text: string
  readonly version: string
  readonly atMs: number
}

/**
 * Texts of files on other devices as this device read or saved them last, sealed in its store, for when theirs is away
 * (rule DV39). Keys are numbers: neither paths nor names can be read from the store.
 */
export class LastTexts {
  readonly #values: KeyValueStore

  constructor(values: KeyValueStore) {
    this.#values = values
  }

  read(device: string, path: string): LastText | undefined {
    const entry = this.#index().find((one) => one.device === device && one.path === path)
    const bytes = entry && this.#values.get(SPACE, String(entry.slot))
    return entry && bytes && { text: fromUtf8(bytes), version: entry.version, atMs: entry.atMs }
  }

  /** @throws StoreError */
  keep(device: string, path: string, { text, version, atMs }: LastText): void {
    const all = this.#index()
    const known = all.find((one) => one.device === device && one.path === path)
    if (text.length > MAX_CHARS) return known ? this.#forget(all, known) : undefined // an older text would be taken for the last
    if (known && known.version === version && atMs - known.atMs < FRESH_MS) return
    const others = all.filter((one) => one !== known).sort((a, b) => b.atMs - a.atMs)
    const stay = others.slice(0, MAX_FILES - 1)
    const taken = new Set(stay.map(({ slot }) => slot))
    let slot = known?.slot ?? 0
    while (taken.has(slot)) slot++
    if (known?.version !== version) this.#values.put(SPACE, String(slot), utf8(text))
    this.#write([{ slot, device, path, version, atMs }, ...stay])
  }

  #forget(all: Index, gone: Index[number]): void {
    this.#write(all.filter((one) => one !== gone))
    this.#values.delete(SPACE, String(gone.slot))
  }

  #index(): Index {
    const bytes = this.#values.get(SPACE, INDEX)
    return bytes ? index.parse(JSON.parse(fromUtf8(bytes))) : []
  }

  #write(entries: Index): void {
    this.#values.put(SPACE, INDEX, utf8(JSON.stringify(entries)))
  }
}
