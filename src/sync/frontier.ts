import { encoding } from './lib0.ts'
import { fromHex, toHex } from '../base/bytes.ts'
import { deviceIdOf, publicKeyOf, type DeviceId } from '../base/ids.ts'
import type { BoundedReader } from './bounded-reader.ts'
import { START_BYTES, type StartId } from './client-ids.ts'
import { chainKeyOf, type EnvelopeRef } from './envelope.ts'

/** Devices a frontier may name: many times what one person owns. */
const MAX_DEVICES = 1_000
/** Process starts of one device: ten a day for 27 years. */
const MAX_STARTS = 100_000

/**
 * The last envelope held of each device and start, contiguous from 1 (rules SY13, SY14). Only starts that wrote are in it.
 */
export class Frontier {
  readonly #last = new Map<string, EnvelopeRef>()

  constructor(refs: Iterable<EnvelopeRef> = []) {
    for (const ref of refs) this.advance(ref)
  }

  get size(): number {
    return this.#last.size
  }

  /** The last seq held of that device and start; 0 when none. */
  seqOf(ref: Pick<EnvelopeRef, 'device' | 'start'>): number {
    return this.#last.get(chainKeyOf(ref))?.seq ?? 0
  }

  /** As `seqOf`, by chain key. */
  seqOfChain(chain: string): number {
    return this.#last.get(chain)?.seq ?? 0
  }

  covers(ref: EnvelopeRef): boolean {
    return this.seqOf(ref) >= ref.seq
  }

  /** Moves forward to `ref`; never back. */
  advance(ref: EnvelopeRef): void {
    if (!this.covers(ref)) this.#last.set(chainKeyOf(ref), { device: ref.device, start: ref.start, seq: ref.seq })
  }

  refs(): IterableIterator<EnvelopeRef> {
    return this.#last.values()
  }

  clone(): Frontier {
    return new Frontier(this.refs())
  }

  /** What `other` holds and this one does not: per device and start, the first missing seq. */
  missingFrom(other: Frontier): EnvelopeRef[] {
    const missing: EnvelopeRef[] = []
    for (const ref of other.refs()) {
      const have = this.seqOf(ref)
      if (have < ref.seq) missing.push({ device: ref.device, start: ref.start, seq: have + 1 })
    }
    return missing
  }

  /** `same`, `behind` (other has more), `ahead`, or `apart` (each has something). */
  compare(other: Frontier): 'same' | 'behind' | 'ahead' | 'apart' {
    const weLack = this.missingFrom(other).length > 0
    const theyLack = other.missingFrom(this).length > 0
    return weLack ? (theyLack ? 'apart' : 'behind') : theyLack ? 'ahead' : 'same'
  }
}

/** Grouped by device, so that a key is written once; sorted, so that equal frontiers have equal bytes. */
export function writeFrontier(encoder: encoding.Encoder, frontier: Frontier): void {
  const byDevice = new Map<DeviceId, EnvelopeRef[]>()
  for (const ref of frontier.refs()) {
    const refs = byDevice.get(ref.device)
    if (refs) refs.push(ref)
    else byDevice.set(ref.device, [ref])
  }
  encoding.writeVarUint(encoder, byDevice.size)
  for (const [device, refs] of [...byDevice].sort(([a], [b]) => (a < b ? -1 : 1))) {
    encoding.writeUint8Array(encoder, publicKeyOf(device))
    encoding.writeVarUint(encoder, refs.length)
    for (const ref of refs.sort((a, b) => (a.start < b.start ? -1 : 1))) {
      encoding.writeUint8Array(encoder, fromHex(ref.start))
      encoding.writeVarUint(encoder, ref.seq)
    }
  }
}

/** @throws SyncError `sync/malformed`, `sync/too-large` */
export function readFrontier(reader: BoundedReader): Frontier {
  const frontier = new Frontier()
  for (let devices = reader.uint(MAX_DEVICES); devices > 0; devices--) {
    const device = deviceIdOf(reader.raw(32))
    for (let starts = reader.uint(MAX_STARTS); starts > 0; starts--) {
      frontier.advance({ device, start: toHex(reader.raw(START_BYTES)) as StartId, seq: reader.uint() })
    }
  }
  return frontier
}
