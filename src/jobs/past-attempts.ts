/** Begun ones are remembered, the newest: more than any device asks for in a day. */
export const MAX_BEGUN = 10_000
/** What ends before it begins is on its way for a moment: so many of one asker, of so many askers. */
export const MAX_ENDED_EARLY = 256
const MAX_EARLY_ASKERS = 256

/**
 * Names of attempts, so that a request that comes twice does not run twice, and one that its end has overtaken does not run at all
 * (rule JB44). Bounded whatever is asked: what one asker says of attempts that never began makes nothing of another's forgotten.
 */
export class PastAttempts {
  readonly #begun = new Set<string>()
  readonly #endedEarly = new Map<string | undefined, Set<string>>()

  /** How many that began are remembered. */
  get count(): number {
    return this.#begun.size
  }

  hasBegun(id: string): boolean {
    return this.#begun.has(id)
  }

  /** It is not to begin (again). */
  isPast(id: string, asker: string | undefined): boolean {
    return this.#begun.has(id) || this.#endedEarly.get(asker)?.has(id) === true
  }

  /** @param isHere  whether one is still here: its name stays */
  begin(id: string, isHere: (id: string) => boolean): void {
    this.#begun.add(id)
    for (const oldest of this.#begun) {
      if (this.#begun.size <= MAX_BEGUN) return
      if (oldest !== id && !isHere(oldest)) this.#begun.delete(oldest)
    }
  }

  /** Nobody knows it: its request may still come, of the same asker. */
  endEarly(id: string, asker: string | undefined): void {
    if (this.#begun.has(id)) return
    const ids = this.#endedEarly.get(asker) ?? new Set()
    this.#endedEarly.delete(asker) // the newest stands last
    this.#endedEarly.set(asker, ids.add(id))
    dropOldest(ids, MAX_ENDED_EARLY)
    dropOldest(this.#endedEarly, MAX_EARLY_ASKERS)
  }
}

function dropOldest<Key>(all: Set<Key> | Map<Key, unknown>, most: number): void {
  for (const key of all.keys()) {
    if (all.size <= most) return
    all.delete(key)
  }
}
