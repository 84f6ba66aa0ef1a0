import { refKeyOf, type EnvelopeRef } from './envelope.ts'

/** A link delivers in causal order, so few ever wait; these bounds stop a member who sends only effects without causes. */
export const MAX_WAITING = 1_024
export const MAX_WAITING_BYTES = 16 << 20

/**
 * Envelopes that came before something they depend on (rule SY31). Each waits on one missing envelope at a time. Bounded
 * by count and bytes: what does not fit is dropped, and asked for again.
 */
export class WaitingRoom {
  readonly #byNeed = new Map<string, Map<string, Uint8Array>>()
  #count = 0
  #bytes = 0

  get size(): number {
    return this.#count
  }

  /** False when there is no room. A repeat is not kept twice. */
  add(needs: EnvelopeRef, ref: EnvelopeRef, bytes: Uint8Array): boolean {
    const need = refKeyOf(needs)
    const waiting = this.#byNeed.get(need) ?? new Map<string, Uint8Array>()
    if (waiting.has(refKeyOf(ref))) return true
    if (this.#count >= MAX_WAITING || this.#bytes + bytes.length > MAX_WAITING_BYTES) return false
    waiting.set(refKeyOf(ref), bytes)
    this.#byNeed.set(need, waiting)
    this.#count++
    this.#bytes += bytes.length
    return true
  }

  /** Those that waited on `arrived`; they leave the room. */
  take(arrived: EnvelopeRef): Uint8Array[] {
    return this.#remove(refKeyOf(arrived))
  }

  /** Everybody leaves: after a snapshot, which brings many at once. */
  takeAll(): Uint8Array[] {
    return [...this.#byNeed.keys()].flatMap((need) => this.#remove(need))
  }

  #remove(need: string): Uint8Array[] {
    const released = [...(this.#byNeed.get(need)?.values() ?? [])]
    this.#byNeed.delete(need)
    this.#count -= released.length
    for (const bytes of released) this.#bytes -= bytes.length
    return released
  }
}
