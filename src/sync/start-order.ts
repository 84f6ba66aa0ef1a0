import type { DeviceId } from '../base/ids.ts'
import type { StartId } from './client-ids.ts'
import type { Envelope, EnvelopeRef } from './envelope.ts'

/** Pairs of starts remembered; far more than one process sees while copies could run. */
const MAX_EDGES = 10_000

/**
 * The starts of one device follow each other: a later one builds on an earlier one, never the other way round. Two that build
 * on each other ran at the same time, from copies of one data folder (rule SY33).
 */
export class StartOrder {
  /** By "device/start>start of the same device it builds on": the first envelope that showed it. */
  readonly #edges = new Map<string, EnvelopeRef>()
  readonly #isSettled: (device: DeviceId, start: StartId) => boolean

  /** @param isSettled  starts about which a person has decided: two of them prove nothing new */
  constructor(isSettled: (device: DeviceId, start: StartId) => boolean) {
    this.#isSettled = isSettled
  }

  /** The envelope of another start of this device that builds on this envelope's start, when this one builds on it in turn. */
  twinOf(envelope: Envelope): EnvelopeRef | undefined {
    for (const dep of envelope.deps) {
      if (dep.device !== envelope.device || dep.start === envelope.start) continue
      if (this.#isSettled(dep.device, dep.start) && this.#isSettled(dep.device, envelope.start)) continue
      const twin = this.#edges.get(`${envelope.device}/${dep.start}>${envelope.start}`)
      if (twin) return twin
    }
    return undefined
  }

  /** Remembers what an admitted envelope shows; answers as `twinOf`. */
  note(envelope: Envelope): EnvelopeRef | undefined {
    for (const dep of envelope.deps) {
      if (dep.device !== envelope.device || dep.start === envelope.start) continue
      const key = `${envelope.device}/${envelope.start}>${dep.start}`
      if (this.#edges.size >= MAX_EDGES) this.#edges.clear()
      if (!this.#edges.has(key)) this.#edges.set(key, { device: envelope.device, start: envelope.start, seq: envelope.seq })
    }
    return this.twinOf(envelope)
  }
}
