import type { LineEnd } from './line-ends.ts'

/** A file as this display read or saved it last. */
export interface LastText {
  readonly text: string
  readonly version: string
  readonly lineEnd: LineEnd
  readonly atMs: number
}

/** Files kept, and characters in all: what a person has open on one desk, and never more than one largest file. */
const MAX_FILES = 24
const MAX_CHARS = 8 * 1024 * 1024

/** Texts of files seen on this display, for when their device is away. In memory only: a lock forgets them. */
export class LastTexts {
  readonly #texts = new Map<string, LastText>()

  keep(device: string, path: string, text: LastText): void {
    const key = keyOf(device, path)
    this.#texts.delete(key)
    this.#texts.set(key, text)
    let chars = 0
    for (const { text: kept } of this.#texts.values()) chars += kept.length
    for (const [oldest, { text: kept }] of this.#texts) {
      if (this.#texts.size <= MAX_FILES && chars <= MAX_CHARS) break
      this.#texts.delete(oldest)
      chars -= kept.length
    }
  }

  find(device: string, path: string): LastText | undefined {
    return this.#texts.get(keyOf(device, path))
  }
}

const keyOf = (device: string, path: string): string => `${device} ${path}`

/** One for the page. */
export const lastTexts = new LastTexts()
