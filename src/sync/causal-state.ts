import { encoding } from './lib0.ts'
import type { BoundedReader } from './bounded-reader.ts'
import { HASH_BYTES, NO_HASH, chainKeyOf, readRef, refKeyOf, writeRef, type EnvelopeRef } from './envelope.ts'
import { Frontier } from './frontier.ts'

/** More than any frontier may name; a decoder's cap. */
const MAX_CHAINS = 1_000_000

/**
 * Where one replica of a document stands: its frontier, the hash of the last envelope of each device and start, and the
 * heads (envelopes nothing here builds on yet). Holds nothing of the content.
 */
export class CausalState {
  readonly frontier = new Frontier()
  readonly #hashes = new Map<string, Uint8Array>()
  readonly #heads = new Map<string, EnvelopeRef>()

  /** Hash of the last envelope of that device and start; zeros when there is none. */
  lastHashOf(ref: Pick<EnvelopeRef, 'device' | 'start'>): Uint8Array {
    return this.#hashes.get(chainKeyOf(ref)) ?? NO_HASH
  }

  /** The heads a new envelope of this device and start must name: all but its own predecessor. */
  headsBeside(chain: string): EnvelopeRef[] {
    return [...this.#heads].filter(([key]) => key !== chain).map(([, ref]) => ref)
  }

  /** Takes in an admitted envelope: all it depends on is here, and it is the next of its chain. */
  advance(envelope: EnvelopeRef & { readonly deps: readonly EnvelopeRef[] }, hash: Uint8Array): void {
    const chain = chainKeyOf(envelope)
    for (const dep of envelope.deps) {
      const head = this.#heads.get(chainKeyOf(dep))
      if (head && head.seq <= dep.seq) this.#heads.delete(chainKeyOf(dep))
    }
    this.frontier.advance(envelope)
    this.#hashes.set(chain, hash)
    this.#heads.set(chain, { device: envelope.device, start: envelope.start, seq: envelope.seq })
  }

  /** Takes in what a snapshot covers. Both stay whole: for each chain the further one wins. */
  merge(other: CausalState): void {
    for (const [chain, head] of [...this.#heads]) {
      const same = other.#heads.get(chain)?.seq === head.seq
      if (!same && other.frontier.covers(head)) this.#heads.delete(chain)
    }
    for (const [chain, head] of other.#heads) {
      if (!this.frontier.covers(head)) this.#heads.set(chain, head)
    }
    for (const ref of other.frontier.refs()) {
      if (this.frontier.covers(ref)) continue
      this.frontier.advance(ref)
      this.#hashes.set(chainKeyOf(ref), other.lastHashOf(ref))
    }
  }

  clone(): CausalState {
    const copy = new CausalState()
    copy.merge(this)
    return copy
  }

  write(encoder: encoding.Encoder): void {
    encoding.writeVarUint(encoder, this.frontier.size)
    for (const ref of [...this.frontier.refs()].sort((a, b) => (refKeyOf(a) < refKeyOf(b) ? -1 : 1))) {
      writeRef(encoder, ref)
      encoding.writeUint8Array(encoder, this.lastHashOf(ref))
    }
    encoding.writeVarUint(encoder, this.#heads.size)
    for (const ref of [...this.#heads.values()].sort((a, b) => (refKeyOf(a) < refKeyOf(b) ? -1 : 1))) writeRef(encoder, ref)
  }

  /** @throws SyncError `sync/malformed`, `sync/too-large` */
  static read(reader: BoundedReader): CausalState {
    const state = new CausalState()
    for (let count = reader.uint(MAX_CHAINS); count > 0; count--) {
      const ref = readRef(reader)
      state.frontier.advance(ref)
      state.#hashes.set(chainKeyOf(ref), reader.raw(HASH_BYTES))
    }
    for (let count = reader.uint(MAX_CHAINS); count > 0; count--) {
      const ref = readRef(reader)
      if (state.frontier.covers(ref)) state.#heads.set(chainKeyOf(ref), ref)
    }
    return state
  }
}
