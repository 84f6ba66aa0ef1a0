import type { LeafEntry, PageRef, RowKey } from './page.ts'

/**
 * Where a page ends follows from the keys of its rows since the last end, and from nothing else: so two devices that hold the same rows
 * make the same pages, and a change is felt only to the next end that stays. Bytes of a page, about.
 */
const CUT = { least: 8 * 1024, most: 64 * 1024 }
/** Of past `least`, one row in so many ends a page: rows of 100 to 150 bytes make pages of some 24 KiB. */
const ONE_IN = { leaf: 128, inner: 192 }

/** FNV-1a: quick and spread; who chooses keys can make pages of `most`, and nothing else. */
function spread(key: RowKey): number {
  let hash = 0x811c9dc5
  for (let n = 0; n < key.length; n++) hash = Math.imul(hash ^ key.charCodeAt(n), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Says after each entry whether its page ends with it. */
export class PageCutter {
  readonly #oneIn: number
  #bytes = 0

  constructor(kind: keyof typeof ONE_IN) {
    this.#oneIn = ONE_IN[kind]
  }

  /** @param bytes  what the entry takes, about */
  endsWith(key: RowKey, bytes: number): boolean {
    this.#bytes += bytes
    if (this.#bytes < CUT.least) return false
    if (this.#bytes < CUT.most && spread(key) % this.#oneIn !== 0) return false
    this.#bytes = 0
    return true
  }
}

export const leafBytes = (entry: LeafEntry): number =>
  entry.key.length / 2 + 4 + ('parts' in entry ? 36 * entry.parts.length : entry.value.length)
export const refBytes = ({ first }: PageRef): number => first.length / 2 + 40
