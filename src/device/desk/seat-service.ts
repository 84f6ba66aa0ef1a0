import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import { judgeClaim, SEAT_QUESTION_MS, settleQuestion } from '../../identity/judge-claim.ts'
import type { OpenDisplay, SeatClaim, SeatClaims, SeatHow } from '../../identity/seat-claims.ts'
import type { DeviceSigner } from '../../sync/device-check.ts'
import type { SeatState } from './desk-contract.ts'
import { DeviceError } from '../device-error.ts'
import { type DisplaySession, GOODBYE_MS } from './display-session.ts'
import type { ReturningDisplays } from './returning-displays.ts'

/**
 * A claim made this short a while before a link came up is news, not something heard after a cut: unlocking is what brought
 * the link up. 10 s: links take up to 4 s where DTLS waits.
 */
export const FRESH_CLAIM_MS = 10_000
/** The age of a claim nobody has dated: older than any other. */
export const LONG_AGO_MS = 1e12

/** What of an open desk the seat needs. */
export interface SeatDesk {
  readonly claims: SeatClaims
  readonly signer: DeviceSigner
  nameOf(device: DeviceId): string
}

export interface SeatQuestion {
  readonly displayName: string
  readonly atMs: number
  readonly locksAtMs: number
}

/**
 * The person's place at this device's displays: claims the seat when one unlocks, and makes the others follow what is heard
 * (flow A; the rules themselves are identity's `judgeClaim`). Knows displays, not links: whoever carries claims between
 * devices listens to `onDidHearClaim`, `onDidConfirm` and `onDidChangeDisplays`, and calls `hear`.
 */
export class SeatService implements Disposable {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #returning: ReturningDisplays
  readonly #sessions = new Map<DisplaySession, SeatClaim>()
  readonly #questions = new Map<DisplaySession, { readonly askedAtMs: number; readonly timer: Disposable }>()
  readonly #changed = new Emitter<SeatState>()
  readonly #asked = new Emitter<{ session: DisplaySession; question: SeatQuestion }>()
  readonly #claimed = new Emitter<SeatClaim>()
  readonly #confirmed = new Emitter<{ session: DisplaySession; claimId: string }>()
  readonly #displaysChanged = new Emitter<readonly OpenDisplay[]>()
  readonly #watched = new WeakSet<DisplaySession>()
  /** When (monotonic ms) the claim that counts was made, if that is known. */
  #dated: { readonly id: string; readonly madeAtMs: number } | undefined
  /** The last claim made here. */
  #own: { readonly session: DisplaySession; readonly how: SeatHow; readonly madeAtMs: number } | undefined
  #desk: SeatDesk | undefined

  readonly onDidChange = this.#changed.event
  readonly onDidAsk = this.#asked.event
  /** A claim made or heard here that is now the highest, to be passed on to every linked device. */
  readonly onDidHearClaim = this.#claimed.event
  /** A display of this device has followed a claim made elsewhere. */
  readonly onDidConfirm = this.#confirmed.event
  readonly onDidChangeDisplays = this.#displaysChanged.event

  constructor(clock: Clock, log: Logger, returning: ReturningDisplays) {
    this.#returning = returning
    this.#clock = clock
    this.#log = log
  }

  /** The desk is open: its claims count until what this returns is disposed. */
  use(desk: SeatDesk): Disposable {
    const owned = new DisposableStore()
    this.#desk = desk
    owned.add(desk.claims.onDidChange(() => this.#tell()))
    owned.defer(() => {
      this.#desk = undefined
      for (const session of [...this.#sessions.keys()]) this.#leave(session)
    })
    return owned
  }

  /** Unlocked displays of this device. */
  get displays(): readonly OpenDisplay[] {
    return [...this.#sessions.keys()].map(({ id, name }) => ({ display: id, name }))
  }

  /** How long ago the claim that counts was made, as far as this device can tell; LONG_AGO_MS when it was loaded from disk. */
  get claimAgeMs(): number {
    const { current } = this.#desk?.claims ?? {}
    return current && current.id === this.#dated?.id ? this.#clock.monotonicMs() - this.#dated.madeAtMs : LONG_AGO_MS
  }

  get state(): SeatState | undefined {
    const desk = this.#desk
    const claim = desk?.claims.current
    if (!desk || !claim) return undefined
    return {
      display: claim.display,
      displayName: claim.displayName,
      device: claim.device,
      deviceName: desk.nameOf(claim.device),
      how: claim.how,
      counter: claim.counter,
      atMs: claim.atMs,
      unconfirmed: desk.claims.unconfirmed.map(({ name, device }) => (device === claim.device ? name : `${name} (${desk.nameOf(device)})`)),
    }
  }

  /** A display was unlocked here. Others of this device follow at once; others elsewhere when they hear of it. */
  async claim(session: DisplaySession, how: SeatHow): Promise<void> {
    const desk = this.#desk
    if (!desk) return
    const claim = desk.claims.claim({ display: session.id, displayName: session.name, how }, desk.signer)
    const madeAtMs = this.#clock.monotonicMs()
    this.#dated = { id: claim.id, madeAtMs }
    this.#own = { session, how, madeAtMs }
    if (!session.isUnlocked) return // it left or locked meanwhile
    if (!this.#watched.has(session)) session.onDidChange(() => !session.isUnlocked && this.#leave(session))
    this.#watched.add(session)
    this.#endQuestion(session)
    this.#sessions.set(session, claim)
    this.#tellDisplays()
    this.#log.info('the seat moved here', { display: session.name, how, counter: claim.counter })
    this.#claimed.fire(claim)
    this.#follow(claim, false)
  }

  /**
   * Claims came over a link, lowest first; they are news: the highest, or the highest *move*.
   *
   * A device that was off or sealed does not know how high the others have counted. When its display was unlocked only just
   * now, before it could hear of them, that unlock is what the person did last: it is claimed anew, above what was heard.
   *
   * @param heard.ageMs     how long ago the last was made, as the peer can tell
   * @param heard.afterCut  a claiming device was not linked when it claimed
   */
  hear(news: readonly SeatClaim[], heard: { readonly ageMs: number; readonly afterCut: boolean }): void {
    const last = news.at(-1)
    if (!last) return
    const nowMs = this.#clock.monotonicMs()
    this.#dated = { id: last.id, madeAtMs: nowMs - heard.ageMs }
    const own = this.#own
    const ownAgeMs = own ? nowMs - own.madeAtMs : Number.POSITIVE_INFINITY
    if (own && own.session.isUnlocked && ownAgeMs < FRESH_CLAIM_MS && ownAgeMs < heard.ageMs) {
      this.#log.info('an older claim counted higher; claiming anew', { heard: last.counter })
      return this.#claimAnew(own.session, own.how)
    }
    this.#log.info('the seat moved', { display: last.displayName, how: last.how, counter: last.counter, afterCut: heard.afterCut })
    this.#claimed.fire(last)
    for (const claim of news) this.#follow(claim, heard.afterCut)
  }

  /** @throws DeviceError `seat/not-asked` */
  answer(session: DisplaySession, answer: 'stay' | 'lock'): void {
    const question = this.#questions.get(session)
    if (!question) throw new DeviceError('seat/not-asked', 'nothing was asked; the desk stays as it is')
    this.#settle(session, settleQuestion(question.askedAtMs, this.#clock.monotonicMs(), answer))
  }

  dispose(): void {
    for (const session of [...this.#questions.keys()]) this.#endQuestion(session)
    for (const emitter of [this.#changed, this.#asked, this.#claimed, this.#confirmed, this.#displaysChanged]) emitter.dispose()
  }

  #follow(claim: SeatClaim, heardAfterCut: boolean): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [session, own] of [...this.#sessions]) {
      const lastInputAtMs = Number.isFinite(session.lastInputMs) ? session.lastInputMs : undefined
      const verdict = judgeClaim({ display: session.id, claim: own, lastInputAtMs }, claim, { nowMs, heardAfterCut })
      if (verdict === 'hand-over') this.#handOver(session, claim)
      else if (verdict === 'ask') this.#ask(session, claim)
    }
    this.#tell()
  }

  #handOver(session: DisplaySession, claim: SeatClaim): void {
    this.#returning.expect(session.entrance, { handedOverTo: claim.displayName, resumes: false })
    session.lock(claim.displayName)
    this.#confirmed.fire({ session, claimId: claim.id })
    // It has heard where the desk went; ending the connection makes sure that nothing of it stays in the page's memory.
    session.owned.add(this.#clock.after(GOODBYE_MS, () => session.end('door/handed-over')))
  }

  #ask(session: DisplaySession, claim: SeatClaim): void {
    if (this.#questions.has(session)) return
    const timer = this.#clock.after(SEAT_QUESTION_MS, () => this.#settle(session, 'lock'))
    this.#questions.set(session, { askedAtMs: this.#clock.monotonicMs(), timer })
    const question = { displayName: claim.displayName, atMs: claim.atMs, locksAtMs: this.#clock.nowMs() + SEAT_QUESTION_MS }
    this.#asked.fire({ session, question })
  }

  #settle(session: DisplaySession, outcome: 'claim-anew' | 'lock' | 'wait'): void {
    if (outcome === 'wait') return
    this.#endQuestion(session)
    const claim = this.#desk?.claims.lastMove
    if (outcome === 'claim-anew') this.#claimAnew(session, 'move')
    else if (claim) this.#handOver(session, claim)
  }

  #claimAnew(session: DisplaySession, how: SeatHow): void {
    void this.claim(session, how).catch((error) => this.#log.error('the seat could not be claimed', { error }))
  }

  #leave(session: DisplaySession): void {
    this.#endQuestion(session)
    if (this.#sessions.delete(session)) this.#tellDisplays()
  }

  #endQuestion(session: DisplaySession): void {
    this.#questions.get(session)?.timer.dispose()
    this.#questions.delete(session)
  }

  #tellDisplays(): void {
    const desk = this.#desk
    if (desk) desk.claims.reportOpenDisplays(desk.signer.device, this.displays)
    this.#displaysChanged.fire(this.displays)
  }

  #tell(): void {
    const { state } = this
    if (state) this.#changed.fire(state)
  }
}
