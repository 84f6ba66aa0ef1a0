import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import type { DeviceId, DisplayId, PersonId } from '../base/ids.ts'
import type { Crypto } from './crypto.ts'
import type { DeviceSigner } from './device-keys.ts'
import { IdentityError } from './identity-error.ts'
import { decodeSeatClaim, isHigherClaim, malformedClaim, signSeatClaim, type SeatClaim, type SeatHow } from './seat-claim.ts'

export type { SeatClaim, SeatHow } from './seat-claim.ts'

/** A display that is unlocked now, as its device reports it. */
export interface OpenDisplay {
  readonly display: DisplayId
  readonly name: string
}

/** Displays one device may report; more is a broken or hostile peer. */
export const MAX_OPEN_DISPLAYS = 64
/** Most claims that are ever told at once: the highest, and the highest *move* below it. */
const MAX_TOLD = 2
/** Longest thing that `encode` makes. */
export const MAX_TOLD_BYTES = 2 * 1024 + 8

/** Where the claims lie in the store: one entry per person. */
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
 * must not move a person. Every device keeps the highest claim it has heard, and the highest *move*, and passes both on
 * unchanged: a *beside* made after a move must not hide it from who was cut off meanwhile (rules ID35-ID39).
 *
 * What a display does about a claim is decided by `judgeClaim`; who still has to follow is listed in `unconfirmed`.
 */
export class SeatClaims implements Disposable {
  readonly #options: SeatClaimsOptions
  readonly #onDidChange = new Emitter<SeatClaim | undefined>()
  readonly #open = new Map<DeviceId, readonly OpenDisplay[]>()
  readonly #confirmed = new Set<DisplayId>()
  /** Displays that sat down beside the last move, as far as heard. */
  readonly #beside = new Set<DisplayId>()
  #current: SeatClaim | undefined
  #lastMove: SeatClaim | undefined

  private constructor(options: SeatClaimsOptions) {
    this.#options = options
  }

  /** What is stored; claims that cannot be read are dropped, since peers and the next unlock bring new ones. */
  static open(options: SeatClaimsOptions): SeatClaims {
    const seats = new SeatClaims(options)
    const stored = options.store.get(STORE_SPACE, options.person)
    try {
      if (stored) for (const claim of decodeClaims(options.crypto, stored)) seats.#keep(claim)
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
    }
    return seats
  }

  /** The claim that counts now. */
  get current(): SeatClaim | undefined {
    return this.#current
  }

  /** The highest *move*: every display unlocked before it must follow. The current claim, or one below it. */
  get lastMove(): SeatClaim | undefined {
    return this.#lastMove
  }

  /** A new claim, or somebody confirmed, opened or closed a display. */
  get onDidChange(): Event<SeatClaim | undefined> {
    return this.#onDidChange.event
  }

  /** The person unlocked here: claims the seat for `display`, above all that was heard. Then send `encode()` to every link. */
  claim(seat: { display: DisplayId; displayName: string; how: SeatHow }, signer: DeviceSigner): SeatClaim {
    const counter = (this.#current?.counter ?? 0) + 1
    const claim = signSeatClaim(this.#options.crypto, { ...seat, counter, atMs: this.#options.clock.nowMs() }, signer)
    this.#take([claim])
    return claim
  }

  /**
   * Hears what a peer's `encode` told (its own claims, or passed on). Returns what is news, lowest first; to be judged for
   * each display here and told to the other links.
   * @throws IdentityError `seat/malformed`, `seat/refused` (not a member's); nothing is taken then
   */
  take(told: Uint8Array): readonly SeatClaim[] {
    const claims = decodeClaims(this.#options.crypto, told)
    for (const { device } of claims) {
      if (this.#options.list.isMember(device)) continue
      throw new IdentityError('seat/refused', 'a seat claim by a device that is not on your list; the seat stays where it is')
    }
    return this.#take(claims)
  }

  /** What every other device must know: the last move and the current claim, as signed. Empty before the first claim. */
  encode(): Uint8Array {
    const claims = [this.#lastMove, this.#current].filter((claim, i, all) => claim !== undefined && all.indexOf(claim) === i)
    return encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, claims.length)
      for (const claim of claims) encoding.writeVarUint8Array(encoder, (claim as SeatClaim).bytes)
    })
  }

  /** `device` tells which of its displays are unlocked now; what it no longer names has locked or closed. */
  reportOpenDisplays(device: DeviceId, displays: readonly OpenDisplay[]): void {
    const open = displays.slice(0, MAX_OPEN_DISPLAYS)
    if (open.length === 0) this.#open.delete(device)
    else this.#open.set(device, open)
    this.#onDidChange.fire(this.#current)
  }

  /** `device` says that `display` has locked because of the move `id`. A stale or foreign confirmation is ignored. */
  confirm(device: DeviceId, display: DisplayId, id: string): void {
    if (id !== this.#lastMove?.id || !this.#open.get(device)?.some((open) => open.display === display)) return
    this.#confirmed.add(display)
    this.#onDidChange.fire(this.#current)
  }

  /** Displays last known to be unlocked that have not followed the last move; in a cut they may not know of it. */
  get unconfirmed(): readonly (OpenDisplay & { readonly device: DeviceId })[] {
    const move = this.#lastMove
    if (!move) return []
    const follows = (display: DisplayId) => display === move.display || this.#confirmed.has(display) || this.#beside.has(display)
    const members = [...this.#open].filter(([device]) => this.#options.list.isMember(device)) // who was removed follows nothing any more
    return members.flatMap(([device, displays]) => displays.filter(({ display }) => !follows(display)).map((open) => ({ ...open, device })))
  }

  dispose(): void {
    this.#onDidChange.dispose()
  }

  #take(claims: readonly SeatClaim[]): readonly SeatClaim[] {
    const news = claims.filter((claim) => this.#keep(claim))
    if (news.length === 0) return news
    this.#onDidChange.fire(this.#current)
    this.#options.store.put(STORE_SPACE, this.#options.person, this.encode())
    return news
  }

  /** True when the claim is the highest, or the highest move. */
  #keep(claim: SeatClaim): boolean {
    const isMove = claim.how === 'move' && isHigherClaim(claim, this.#lastMove)
    const isCurrent = isHigherClaim(claim, this.#current)
    if (isCurrent) this.#current = claim
    if (isMove) {
      this.#lastMove = claim
      this.#confirmed.clear()
      this.#beside.clear()
    } else if (isCurrent) this.#beside.add(claim.display)
    return isMove || isCurrent
  }
}

/** Lowest first. @throws IdentityError `seat/malformed` */
function decodeClaims(crypto: Crypto, told: Uint8Array): SeatClaim[] {
  let parts: Uint8Array[]
  try {
    const decoder = decoding.createDecoder(told)
    const count = decoding.readVarUint(decoder)
    if (count > MAX_TOLD) throw malformedClaim('too many at once')
    parts = Array.from({ length: count }, () => decoding.readVarUint8Array(decoder))
    if (decoding.hasContent(decoder)) throw malformedClaim('bytes left over')
  } catch (cause) {
    throw cause instanceof IdentityError ? cause : malformedClaim('it ends early', cause)
  }
  return parts.map((bytes) => decodeSeatClaim(crypto, bytes)).sort((a, b) => (isHigherClaim(a, b) ? 1 : -1))
}
