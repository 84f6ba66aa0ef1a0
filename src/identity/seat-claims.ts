import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import type { DeviceId, DisplayId, PersonId } from '../base/ids.ts'
import type { Crypto } from './crypto.ts'
import type { DeviceSigner } from './device-keys.ts'
import { IdentityError } from './identity-error.ts'
import { decodeSeatClaim, isHigherClaim, signSeatClaim, type SeatClaim, type SeatHow } from './seat-claim.ts'

export type { SeatClaim, SeatHow } from './seat-claim.ts'

/** A display that is unlocked now, as its device reports it. */
export interface OpenDisplay {
  readonly display: DisplayId
  readonly name: string
}

/** Displays one device may report; more is a broken or hostile peer. */
export const MAX_OPEN_DISPLAYS = 64

/** Where the claim lies in the store: one entry per person. */
const STORE_SPACE = 'seat'

export interface SeatClaimsOptions {
  readonly crypto: Crypto
  readonly store: KeyValueStore
  readonly clock: Clock
  readonly person: PersonId
  readonly list: { isMember(device: DeviceId): boolean }
}

/**
 * Where the person is, as far as this device knows. Kept beside the workspace, never in its document: undo and excision
 * must not move a person. Every device keeps the highest claim it has heard and passes it on unchanged (rules ID35-ID39).
 *
 * What a display does about a claim is decided by `judgeClaim`; who still has to follow is listed in `unconfirmed`.
 */
export class SeatClaims implements Disposable {
  readonly #options: SeatClaimsOptions
  readonly #onDidChange = new Emitter<SeatClaim | undefined>()
  readonly #open = new Map<DeviceId, readonly OpenDisplay[]>()
  readonly #confirmed = new Set<DisplayId>()
  #current: SeatClaim | undefined

  private constructor(options: SeatClaimsOptions, current: SeatClaim | undefined) {
    this.#options = options
    this.#current = current
  }

  /** What is stored; a stored claim that cannot be read is dropped, since the next unlock makes a new one. */
  static open(options: SeatClaimsOptions): SeatClaims {
    const stored = options.store.get(STORE_SPACE, options.person)
    let current: SeatClaim | undefined
    try {
      current = stored && decodeSeatClaim(options.crypto, stored)
    } catch {
      current = undefined // damaged: peers that know a higher claim send it at the next link
    }
    return new SeatClaims(options, current)
  }

  /** The claim that counts now. */
  get current(): SeatClaim | undefined {
    return this.#current
  }

  /** A new claim, or somebody confirmed, opened or closed a display. */
  get onDidChange(): Event<SeatClaim | undefined> {
    return this.#onDidChange.event
  }

  /** The person unlocked here: claims the seat for `display`, above all that was heard. Send `claim.bytes` to every link. */
  claim(seat: { display: DisplayId; displayName: string; how: SeatHow }, signer: DeviceSigner): SeatClaim {
    const counter = (this.#current?.counter ?? 0) + 1
    const claim = signSeatClaim(this.#options.crypto, { ...seat, counter, atMs: this.#options.clock.nowMs() }, signer)
    this.#put(claim)
    return claim
  }

  /**
   * Hears a claim from a peer (its own, or passed on). Returns it when it is now the highest; undefined when it is not
   * news. @throws IdentityError `seat/malformed`, `seat/refused` (not a member's)
   */
  take(bytes: Uint8Array): SeatClaim | undefined {
    const claim = decodeSeatClaim(this.#options.crypto, bytes)
    if (!this.#options.list.isMember(claim.device)) {
      throw new IdentityError('seat/refused', 'a seat claim by a device that is not on your list; the seat stays where it is')
    }
    if (!isHigherClaim(claim, this.#current)) return undefined
    this.#put(claim)
    return claim
  }

  /** `device` tells which of its displays are unlocked now; what it no longer names has locked or closed. */
  reportOpenDisplays(device: DeviceId, displays: readonly OpenDisplay[]): void {
    const open = displays.slice(0, MAX_OPEN_DISPLAYS)
    if (open.length === 0) this.#open.delete(device)
    else this.#open.set(device, open)
    this.#onDidChange.fire(this.#current)
  }

  /** `device` says that `display` has locked because of claim `id`. A stale or foreign confirmation is ignored. */
  confirm(device: DeviceId, display: DisplayId, id: string): void {
    if (id !== this.#current?.id || !this.#open.get(device)?.some((open) => open.display === display)) return
    this.#confirmed.add(display)
    this.#onDidChange.fire(this.#current)
  }

  /** Displays last known to be unlocked that have not followed the current *move*; in a cut they may not know of it. */
  get unconfirmed(): readonly (OpenDisplay & { readonly device: DeviceId })[] {
    const claim = this.#current
    if (claim?.how !== 'move') return []
    return [...this.#open].flatMap(([device, displays]) =>
      displays.filter(({ display }) => display !== claim.display && !this.#confirmed.has(display)).map((open) => ({ ...open, device })),
    )
  }

  dispose(): void {
    this.#onDidChange.dispose()
  }

  #put(claim: SeatClaim): void {
    this.#current = claim
    this.#confirmed.clear()
    this.#onDidChange.fire(claim)
    this.#options.store.put(STORE_SPACE, this.#options.person, claim.bytes)
  }
}
