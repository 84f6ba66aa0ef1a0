import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import { judgeClaim, SEAT_QUESTION_MS, settleQuestion } from '../identity/judge-claim.ts'
import type { OpenDisplay, SeatClaim, SeatClaims, SeatHow } from '../identity/seat-claims.ts'
import type { DeviceSigner } from '../sync/device-check.ts'
import type { SeatState } from './desk-contract.ts'
import { DeviceError } from './device-error.ts'
import { type DisplaySession, GOODBYE_MS } from './display-session.ts'
import type { ReturningDisplays } from './returning-displays.ts'

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
  /** Monotonic ms at which this device last claimed the seat. */
  #claimedAtMs: number | undefined
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

  /** How long ago this device made the claim that counts; undefined when another one made it. */
  get ageOfOwnClaimMs(): number | undefined {
    const desk = this.#desk
    if (!desk || this.#claimedAtMs === undefined || desk.claims.current?.device !== desk.signer.device) return undefined
    return this.#clock.monotonicMs() - this.#claimedAtMs
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
    this.#claimedAtMs = this.#clock.monotonicMs()
    if (!session.isUnlocked) return // it left or locked meanwhile
    if (!this.#sessions.has(session)) session.onDidChange(() => !session.isUnlocked && this.#leave(session))
    this.#endQuestion(session)
    this.#sessions.set(session, claim)
    this.#tellDisplays()
    this.#log.info('the seat moved here', { display: session.name, how, counter: claim.counter })
    this.#claimed.fire(claim)
    this.#follow(claim, false)
  }

  /**
   * A claim came over a link; it is news: the highest, or the highest *move*.
   * @param heardAfterCut  the claiming device was not linked when it claimed
   */
  hear(claim: SeatClaim, heardAfterCut: boolean): void {
    this.#log.info('the seat moved', { display: claim.displayName, how: claim.how, counter: claim.counter, heardAfterCut })
    this.#claimed.fire(claim)
    this.#follow(claim, heardAfterCut)
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
    if (outcome === 'claim-anew')
      void this.claim(session, 'move').catch((error) => this.#log.error('the seat could not be claimed', { error }))
    else if (claim) this.#handOver(session, claim)
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
