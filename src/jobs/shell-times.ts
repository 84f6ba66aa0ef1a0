import * as z from 'zod'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'

const SPACE = 'shell-times'
/** Heavy commands a person repeats; the oldest make room. */
const MAX_TIMES = 300

const entry = z.object({ line: z.string().max(4_096), folder: z.string().max(4_096), ms: z.number().min(0), atMs: z.number() })
type Entry = z.infer<typeof entry>

/** How long commands took that a hooked shell ran itself, and that ended well. Sealed in the device's store, which it does not own. */
export class ShellTimes {
  readonly #store: KeyValueStore
  readonly #entries = new Map<string, Entry>()

  constructor(store: KeyValueStore) {
    this.#store = store
    const found = store.entries(SPACE).flatMap(([key, bytes]) => {
      const read = readEntry(bytes)
      if (!read) store.delete(SPACE, key)
      return read ? [[key, read] as const] : []
    })
    for (const [key, read] of found.toSorted(([, a], [, b]) => a.atMs - b.atMs)) this.#entries.set(key, read)
  }

  put(one: Entry): void {
    const key = `${one.folder}\n${one.line}`
    this.#entries.delete(key)
    this.#entries.set(key, one)
    this.#store.put(SPACE, key, utf8(JSON.stringify(one)))
    const [oldest] = this.#entries.keys()
    if (this.#entries.size <= MAX_TIMES || oldest === undefined) return
    this.#entries.delete(oldest)
    this.#store.delete(SPACE, oldest)
  }

  /** Of the newest run of the line, in that folder or, without one, in any. */
  tookMs(line: string, folder: string | undefined): number | undefined {
    if (folder !== undefined) return this.#entries.get(`${folder}\n${line}`)?.ms
    return [...this.#entries.values()].findLast((one) => one.line === line)?.ms
  }
}

function readEntry(bytes: Uint8Array): Entry | undefined {
  try {
    return entry.parse(JSON.parse(fromUtf8(bytes)))
  } catch {
    return undefined // of another version: what is not known stays in its shell
  }
}
