import { fromBase64Url, toBase64Url } from '../base/bytes.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import type { DeviceId } from '../base/ids.ts'
import { DayTopics, type DayTopicsOptions } from './day-topics.ts'
import { type Letter, parseLetter } from './meeting-letter.ts'
import type { AdmissionAtDoor } from './rendezvous-signaling.ts'
import type { SealedTopic } from './sealed-topic.ts'

/** Addresses answered in one topic: many times the devices a person has; a removed one could ask without end. */
const MAX_ANSWERED = 256

export interface LeftTopicsOptions extends Omit<DayTopicsOptions, 'rendezvousSecret'> {
  /** Secrets that are no longer met by, the newest first. */
  readonly leftSecrets: readonly Uint8Array[]
  /** Devices that may not have heard yet. */
  behind(): readonly DeviceId[]
  /** Where the others meet now, sealed to that device; undefined: it is none of ours. */
  directionsFor(device: DeviceId): Uint8Array | undefined
  /** Some come back here by the root's word (SY72): a kit was made when this was where to meet. */
  readonly admission?: AdmissionAtDoor
}

/**
 * Waits where this person's devices used to meet, for those that were away when the keys changed (SY69). Says there no name of
 * its own, answers no attempt to link, and gives who asks nothing but the new secret in a box that only the true device opens:
 * a removed device, which knows these topics too, learns that somebody is there, and no more.
 */
export class LeftTopics implements Disposable {
  readonly #options: LeftTopicsOptions
  readonly #owned = new DisposableStore()

  constructor(options: LeftTopicsOptions) {
    this.#options = options
    for (const rendezvousSecret of options.leftSecrets) {
      this.#owned.add(new DayTopics({ ...options, rendezvousSecret }, { open: (topic) => this.#open(topic), close: () => {} }))
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #open(topic: SealedTopic): void {
    const answered = new Set<string>()
    topic.onDidJoin(() => {
      answered.clear()
      for (const device of this.#options.behind()) this.#tell(topic, device) // who was in it before us is told, too
    })
    topic.onDidReceive(({ from: address, text }) => {
      const read = parseLetter(text)
      if (read?.kind === 'admitted') return this.#admit(topic, fromBase64Url(read.by), address)
      if (read?.kind !== 'here' || answered.has(`${address}/${read.from}`) || answered.size >= MAX_ANSWERED) return
      answered.add(`${address}/${read.from}`)
      this.#tell(topic, read.from, address)
    })
  }

  #admit(topic: SealedTopic, admission: Uint8Array, address: string): void {
    const device = this.#options.admission?.take(admission)
    if (device !== undefined) this.#tell(topic, device, address)
  }

  #tell(topic: SealedTopic, to: DeviceId, address?: string): void {
    const directions = this.#options.directionsFor(to)
    if (!directions) return
    topic.send(JSON.stringify({ kind: 'moved', to, sealed: toBase64Url(directions) } satisfies Letter), address)
  }
}
