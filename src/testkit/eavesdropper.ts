import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import { createLinkChannels } from '../sync/link-channels.ts'
import type { RtcConnection, RtcOptions, RtcStack } from '../sync/rtc-stack.ts'
import type { SignalNote, Signaling } from '../sync/signal-note.ts'

/**
 * Somebody who owns the signaling between two devices and puts its own connections between them: ends DTLS on both sides,
 * reads and passes on every byte. What a device would have to believe if it did not bind fingerprints into its proof.
 */
export class Eavesdropper implements Disposable {
  readonly #rtc: RtcStack
  readonly #options: RtcOptions
  readonly #owned = new DisposableStore()
  readonly #ends = new Map<DeviceId, { received: Emitter<{ from: DeviceId; note: SignalNote }>; seen: Emitter<DeviceId> }>()
  /** Bytes that passed through its hands, by channel label and id. */
  readonly overheard: string[] = []
  #sides: Promise<Sides> | undefined

  constructor(rtc: RtcStack, options: RtcOptions) {
    this.#rtc = rtc
    this.#options = options
  }

  /** The signaling it hands to a device that trusts it. */
  signalingFor(self: DeviceId, peer: DeviceId): Signaling {
    const received = new Emitter<{ from: DeviceId; note: SignalNote }>()
    const seen = new Emitter<DeviceId>()
    this.#ends.set(self, { received, seen })
    return {
      send: (to, note) => {
        void this.#intercept(self, to, note)
        return true
      },
      onDidReceive: received.event,
      onDidSeePeer: seen.event,
      peers: new Set([peer]),
    }
  }

  async #intercept(from: DeviceId, to: DeviceId, note: SignalNote): Promise<void> {
    if (note.kind === 'offer' && this.#sides === undefined) this.#sides = this.#sitBetween(from, to, note)
    const sides = await this.#sides
    if (sides === undefined || note.attempt !== sides.attempt) return
    const facing = from === sides.knock ? sides.facingKnock : sides.facingDoor
    if (note.kind === 'answer') {
      sides.facingDoor.live.acceptAnswer(note.live)
      sides.facingDoor.bulk.acceptAnswer(note.bulk ?? '')
    } else if (note.kind === 'candidates') for (const { on, candidate, mid } of note.list) facing[on].addCandidate({ candidate, mid })
  }

  async #sitBetween(knock: DeviceId, door: DeviceId, offer: Extract<SignalNote, { kind: 'offer' }>): Promise<Sides> {
    const { attempt } = offer
    const pair = () => ({ live: this.#create(), bulk: this.#create() })
    const [facingKnock, facingDoor] = [pair(), pair()]
    const near = createLinkChannels(facingKnock.live, facingKnock.bulk)
    const far = createLinkChannels(facingDoor.live, facingDoor.bulk)
    const channels = [
      [near.wire, far.wire],
      ...[...near.live, ...near.bulk].map(({ channel }, i) => [channel, [...far.live, ...far.bulk][i]?.channel]),
    ]
    for (const [one, other] of channels) {
      if (one === undefined || other === undefined) continue
      for (const [hear, say] of [
        [one, other],
        [other, one],
      ] as const) {
        hear.onDidReceive((bytes) => {
          this.overheard.push(`${hear.id}: ${bytes.length} bytes`)
          if (say.isOpen) say.send(bytes)
          else say.onDidOpen(() => say.send(bytes))
        })
      }
    }
    const pass = (connection: RtcConnection, on: 'live' | 'bulk', from: DeviceId, to: DeviceId) =>
      connection.onDidFindCandidate(({ candidate, mid }) =>
        this.#tell(from, to, { kind: 'candidates', attempt, list: [{ on, candidate, mid }] }),
      )
    for (const on of ['live', 'bulk'] as const) {
      pass(facingKnock[on], on, door, knock)
      pass(facingDoor[on], on, knock, door)
    }
    const answer = { live: await facingKnock.live.acceptOffer(offer.live), bulk: await facingKnock.bulk.acceptOffer(offer.bulk ?? '') }
    const forged = { live: await facingDoor.live.createOffer(), bulk: await facingDoor.bulk.createOffer() }
    this.#tell(door, knock, { kind: 'answer', attempt, ...answer })
    this.#tell(knock, door, { kind: 'offer', attempt, ...forged })
    return { attempt, knock, facingKnock, facingDoor }
  }

  #create(): RtcConnection {
    return this.#owned.add(this.#rtc.createConnection(this.#options))
  }

  #tell(from: DeviceId, to: DeviceId, note: SignalNote): void {
    this.#ends.get(to)?.received.fire({ from, note })
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

interface Sides {
  readonly attempt: string
  readonly knock: DeviceId
  readonly facingKnock: { readonly live: RtcConnection; readonly bulk: RtcConnection }
  readonly facingDoor: { readonly live: RtcConnection; readonly bulk: RtcConnection }
}
