import { utf8 } from '../base/bytes.ts'
import type { DeviceId, DocId } from '../base/ids.ts'
import type { AuthorityState } from './authority/authority-state.ts'
import type { LastCounted } from './authority/operation.ts'
import type { Crypto } from './crypto.ts'

/** An envelope's chain, as far as identity must know it: fits sync's `EnvelopeRef`. */
interface Chain {
  readonly device: DeviceId
  readonly start: string
}

/**
 * What removals say of envelopes (rule ID63), for the gate: the last one that counts of each removed device, start and document. A
 * removal that names nothing says nothing. Asked for every envelope, so what it knows of a state is kept until the next one.
 */
export class CountedEnvelopes {
  readonly #crypto: Pick<Crypto, 'sha256'>
  readonly #self: DeviceId | undefined
  #state: AuthorityState | undefined
  #last: ReadonlyMap<DeviceId, ReadonlyMap<string, number>> = new Map()
  #cuts = new Map<DocId, Uint8Array>()

  /** `self`: what this device did itself counts here, also when it was removed. */
  constructor(crypto: Pick<Crypto, 'sha256'>, self?: DeviceId) {
    this.#crypto = crypto
    this.#self = self
  }

  /** 0 for what a removal does not name; undefined: no removal says anything of that device. */
  countsUpTo(state: AuthorityState, doc: DocId, { device, start }: Chain): number | undefined {
    this.#follow(state)
    const named = this.#last.get(device)
    return named && (named.get(`${doc}\n${start}`) ?? 0)
  }

  cuts(state: AuthorityState, doc: DocId): Uint8Array | undefined {
    this.#follow(state)
    if (this.#last.size === 0) return undefined
    let cuts = this.#cuts.get(doc)
    if (!cuts) {
      const lines = [...this.#last].flatMap(([device, named]) => [
        device,
        ...[...named].filter(([key]) => key.startsWith(`${doc}\n`)).map(([key, seq]) => `${device} ${key} ${seq}`),
      ])
      cuts = this.#crypto.sha256(utf8(`elsewhere/cuts/1\n${lines.sort().join('\n')}`))
      this.#cuts.set(doc, cuts)
    }
    return cuts
  }

  #follow(state: AuthorityState): void {
    if (state === this.#state) return
    this.#state = state
    this.#cuts = new Map()
    const removed = [...state.devices.values()].filter(
      (entry) => entry.removed && entry.removed.lastCounted.length > 0 && entry.device !== this.#self,
    )
    this.#last = new Map(
      removed.map(({ device, removed: by }) => [
        device,
        new Map((by?.lastCounted ?? []).map(({ doc, start, seq }) => [`${doc}\n${start}`, seq])),
      ]),
    )
  }
}

/** Bytes of names that a removal may hold, of the 32 kB of an operation: the rest is for its heads. */
const MAX_NAMED_BYTES = 24 * 1024

/**
 * What a removal names: all that is held of the device. Empty when it does not fit (some 1,000 starts): then nothing is named, and what it did
 * stays wherever it was taken in. `never`: stands in for a device of which nothing is held.
 */
export function lastCountedOf(held: readonly LastCounted[], never: DocId): LastCounted[] {
  if (held.length === 0) return [{ doc: never, start: '00'.repeat(8), seq: 0 }] // names something: nothing of it counts
  const bytes = held.reduce((sum, { doc }) => sum + doc.length + 16, 0)
  return held.length > 1024 || bytes > MAX_NAMED_BYTES ? [] : [...held]
}
