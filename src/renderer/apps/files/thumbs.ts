import type { Disposable } from '../../../base/disposable.ts'

/** A small picture of a file; `none`: it was tried, and there is none to show. */
export type Thumb = ImageBitmap | 'none'

/** Kept in memory: about 20 MB at most. Gone with the page, as a lock takes it. */
const MAX_KEPT = 400
/** Made at a time: the rest of the page, and what is opened meanwhile, go first. */
const MAX_MADE = 3

interface Asked {
  readonly key: string
  readonly make: (signal: AbortSignal) => Promise<Thumb>
  readonly listeners: Set<(thumb: Thumb) => void>
  readonly leaving: AbortController
  isBegun: boolean
}

/**
 * Small pictures by what they are of: made one after another for what is in sight, the latest asked for first, and kept. Owns the
 * pictures; those who show one draw it at once and keep none.
 */
export class Thumbs implements Disposable {
  readonly #kept = new Map<string, Thumb>()
  readonly #asked = new Map<string, Asked>()
  #making = 0

  /** A picture that is there already. */
  get(key: string): Thumb | undefined {
    const thumb = this.#kept.get(key)
    if (thumb) {
      this.#kept.delete(key)
      this.#kept.set(key, thumb) // the longest unseen goes first
    }
    return thumb
  }

  /** Has one made. Whoever does not wait any more disposes of the answer; a picture that nobody waits for is not made. */
  ask(key: string, make: Asked['make'], listener: (thumb: Thumb) => void): Disposable {
    const asked: Asked = this.#asked.get(key) ?? { key, make, listeners: new Set(), leaving: new AbortController(), isBegun: false }
    asked.listeners.add(listener)
    this.#asked.set(key, asked)
    this.#next()
    return {
      dispose: () => {
        asked.listeners.delete(listener)
        if (asked.listeners.size > 0 || this.#asked.get(key) !== asked) return
        this.#asked.delete(key)
        asked.leaving.abort()
      },
    }
  }

  dispose(): void {
    for (const { leaving } of this.#asked.values()) leaving.abort()
    this.#asked.clear()
    for (const thumb of this.#kept.values()) if (thumb !== 'none') thumb.close()
    this.#kept.clear()
  }

  #next(): void {
    while (this.#making < MAX_MADE) {
      const waiting = [...this.#asked.values()].filter(({ isBegun }) => !isBegun).at(-1)
      if (!waiting) return
      waiting.isBegun = true
      this.#making++
      void this.#make(waiting)
    }
  }

  async #make(asked: Asked): Promise<void> {
    const { key, make, leaving, listeners } = asked
    // What is no picture is not tried again while it stays the same file; what could not be read now is, when it is next in sight.
    const thumb = await make(leaving.signal).catch(() => undefined)
    this.#making--
    if (leaving.signal.aborted) {
      if (thumb && thumb !== 'none') thumb.close()
    } else {
      this.#asked.delete(key)
      if (thumb) this.#keep(key, thumb)
      for (const listener of listeners) listener(thumb ?? 'none')
    }
    this.#next()
  }

  #keep(key: string, thumb: Thumb): void {
    this.#kept.set(key, thumb)
    for (const [oldest, old] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT) break
      this.#kept.delete(oldest)
      if (old !== 'none') old.close()
    }
  }
}
