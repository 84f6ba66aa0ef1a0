import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import type { StartId } from './client-ids.ts'
import { decodeEnvelope, type EnvelopeRef } from './envelope.ts'
import type { CopyFound } from './copy-found.ts'
import { decodeMessage, encodeMessage } from './session-message.ts'

const SPACE = 'paused-devices'
const SETTLED_SPACE = 'settled-starts'
/** A proof is two envelopes; larger ones are not worth a row that is read at every start: whoever found them has told them. */
const MAX_PROOF_BYTES = 256 << 10
/** Starts of one device that may be settled: a start a day for three years. */
const MAX_SETTLED_STARTS = 1_000

/** Two envelopes that prove that a data folder was copied, as they are told to other devices. */
export type CopyProof = Pick<CopyFound, 'doc' | 'first' | 'second'>

/**
 * Devices whose data folder was found copied: nothing more is taken from them until a person has said which copy is the
 * right one (rules SY33, SY47). Kept across restarts, with the proof, so that a copy that was away hears of it too.
 *
 * A device that was resumed has *settled* the starts that ran until then: what they did at once proves nothing new.
 */
export class PausedDevices {
  readonly #store: KeyValueStore
  readonly #paused: Map<DeviceId, CopyProof | undefined>
  readonly #settled: Map<DeviceId, ReadonlySet<StartId>>

  constructor(store: KeyValueStore) {
    this.#store = store
    this.#paused = new Map(store.entries(SPACE).map(([device, value]) => [device as DeviceId, readProof(value)]))
    this.#settled = new Map(store.entries(SETTLED_SPACE).map(([device, value]) => [device as DeviceId, new Set(readStarts(value))]))
  }

  has(device: DeviceId): boolean {
    return this.#paused.has(device)
  }

  all(): readonly DeviceId[] {
    return [...this.#paused.keys()]
  }

  /** What to tell a device that links: it may be one of the copies. */
  proofs(): readonly CopyProof[] {
    return [...this.#paused.values()].filter((proof) => proof !== undefined)
  }

  /** Without proof to show to others: seen here, or said by the device itself. */
  pauseUnproven(device: DeviceId): void {
    if (this.#paused.has(device)) return
    this.#paused.set(device, undefined)
    this.#store.put(SPACE, device, utf8('1'))
  }

  pause(found: CopyFound): void {
    if (this.#paused.get(found.device)) return
    const { doc, first, second } = found
    const isSmall = (first?.length ?? 0) + second.length <= MAX_PROOF_BYTES
    this.#paused.set(found.device, isSmall ? { doc, first, second } : undefined)
    const row = encodeMessage({ kind: 'copied', doc, first: first ?? new Uint8Array(), second })
    this.#store.put(SPACE, found.device, isSmall ? row : utf8('1'))
  }

  /**
   * Was it copied while it ran: two envelopes of one start? Then other devices may hold what the one copy said where the
   * other says something else, and neither can go on under this identity.
   */
  wasCloned(device: DeviceId): boolean {
    const refs = this.#refs(device)
    return this.#paused.get(device)?.first === undefined ? refs.length > 0 : refs[0]?.start === refs[1]?.start
  }

  /** A person has said which copy is the right one; it goes on under a new start. */
  resume(device: DeviceId, starts: Iterable<StartId>): void {
    const proven = this.#refs(device).map(({ start }) => start)
    const settled = [...new Set([...(this.#settled.get(device) ?? []), ...proven, ...starts])].slice(-MAX_SETTLED_STARTS)
    this.#settled.set(device, new Set(settled))
    this.#store.put(SETTLED_SPACE, device, utf8(settled.join(' ')))
    this.#paused.delete(device)
    this.#store.delete(SPACE, device)
  }

  /** Starts of a device that no longer prove a copy. */
  settledStarts(device: DeviceId): readonly StartId[] {
    return [...(this.#settled.get(device) ?? [])]
  }

  isSettled(device: DeviceId, start: StartId): boolean {
    return this.#settled.get(device)?.has(start) ?? false
  }

  #refs(device: DeviceId): readonly EnvelopeRef[] {
    const proof = this.#paused.get(device)
    return [proof?.first, proof?.second].filter((bytes) => bytes !== undefined).map((bytes) => decodeEnvelope(bytes))
  }
}

const readStarts = (value: Uint8Array): StartId[] => fromUtf8(value).split(' ').filter(Boolean) as StartId[]

/** One byte: no proof. */
function readProof(value: Uint8Array): CopyProof | undefined {
  if (value.length <= 1) return undefined
  const message = decodeMessage(value)
  if (message.kind !== 'copied') return undefined
  return { doc: message.doc, first: message.first.length === 0 ? undefined : message.first, second: message.second }
}
