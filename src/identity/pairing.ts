import type { Clock } from '../base/clock.ts'
import { DisposableStore, type Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { CancelledError, DomainError, errorMessage } from '../base/errors.ts'
import { utf8 } from '../base/bytes.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import type { PairingState } from '../sync/links-contract.ts'
import type { Crypto } from './crypto.ts'
import type { DeviceIntroduction } from './device-list.ts'
import { IdentityError, type IdentityErrorCode } from './identity-error.ts'
import { codeOfLink, createJoinSecret, formatJoinLink, isJoinLink, type LinkKind, parseJoinLink } from './join-link.ts'
import { createPairingCode, formatPairingCode, parsePairingCode, type PairingCode } from './pairing-code.ts'
import { startPairing, stepPairing } from './pairing-machine.ts'
import { LingeringPipes, type PairingPipe } from './pairing-pipe.ts'
import type { PairingInput, PairingOutput, PairingRole, PairingRun, PairingStep } from './pairing-run.ts'
import { shownOf } from './pairing-screen.ts'
import { PairingTries, type PairingTriesStore } from './pairing-tries.ts'
import type { ContactOffer, PairingGrant, PairingIntroduction } from './pairing-wire.ts'

/** How long a shown code is good for. */
export const OFFER_MS = 10 * 60_000
/** How long the other side may take for each of its messages. Generous: it may be behind 80 ms and losses, never behind a person. */
export const STEP_MS = 20_000
/** How long an attempt may take to prove that it knows the code: a stranger who only guessed the number must not hold the offer. */
export const PROVE_MS = 8_000
/** How long both people may look at names and safety words. */
export const DECIDE_MS = 3 * 60_000
/** How long a typed code looks for its offer. */
export const FIND_MS = 60_000

interface PairingBasics {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly logger?: Logger
  /** Who this device is now; asked at each run. Throws `vault/locked` when it is locked. */
  readonly self: () => PairingIntroduction
  readonly sign: (message: Uint8Array) => Uint8Array
  /** Rendezvous that a link names; absent: none, the LAN alone. */
  readonly places?: () => readonly string[]
  /** Where wrong guesses are counted over restarts; absent: until this process ends. */
  readonly tries?: PairingTriesStore
}

/** To add a device. */
export interface AddingDevices extends PairingBasics {
  /** Both said yes: sign the new device's entry and say what it takes over. `datasetKeys` are wiped after sending. */
  readonly admit: (device: DeviceIntroduction) => Promise<PairingGrant>
  /** Both said yes, here on the joining side: take it over. The grant's list names both devices. */
  readonly adopt: (grant: PairingGrant) => Promise<void>
  readonly contacts?: undefined
}

/** To make two persons contacts of each other. */
export interface MakingContacts extends PairingBasics {
  readonly contacts: {
    /** What the other person gets of this one. */
    card(): ContactOffer
    /** Both said yes: keep them as a contact. `wasLink`: the code came as a link or QR code. `meeting` is wiped after. */
    acquaint(theirs: {
      readonly peer: PairingIntroduction
      readonly offer: ContactOffer
      readonly meeting: Uint8Array
      readonly wasLink: boolean
    }): void
  }
  readonly admit?: undefined
  readonly adopt?: undefined
}
export type PairingOptions = AddingDevices | MakingContacts

const IDLE: PairingState = { step: 'idle' }

/**
 * Pairing as one device does it: shows or types a code, runs the machine over whatever pipes come, asks, and has the device
 * admit or adopt (rules ID30-ID34). One at a time.
 *
 * An offer outlives pipes that come and go without a guess; one wrong guess burns its secret. Owns the pipes it is given.
 * The secret half of the code is in the state for the screen that shows it, and in no log.
 */
export class Pairing implements Disposable {
  readonly #options: PairingOptions
  readonly #logger: Logger
  readonly #tries: PairingTries
  readonly #onDidChange = new Emitter<PairingState>()
  #state: PairingState = IDLE
  #role: PairingRole = 'offer'
  #wasLink = false
  /** What whoever comes may know: the code and, where it is offered, the secret of the link. Empty once used. */
  #codes: readonly PairingCode[] = []
  #run: PairingRun | undefined
  #pipe: PairingPipe | undefined
  /** Subscriptions and timer of the pipe in use. */
  #pipeOwned = new DisposableStore()
  readonly #lingering: LingeringPipes
  #stepTimer: Disposable | undefined
  #offerTimer: Disposable | undefined

  constructor(options: PairingOptions) {
    this.#options = options
    this.#logger = options.logger ?? silentLogger
    this.#tries = new PairingTries(options.clock, options.tries)
    this.#lingering = new LingeringPipes(options.clock)
  }

  get state(): PairingState {
    return this.#state
  }

  get onDidChange(): Event<PairingState> {
    return this.#onDidChange.event
  }

  /**
   * Shows a code and a link. The caller listens where each number says and hands each pipe to `attach`.
   * @throws IdentityError `pairing/too-many-tries`
   */
  offer(): { readonly numbers: readonly string[] } {
    const { crypto, places } = this.#options
    const link = { secret: createJoinSecret(crypto), places: places?.() ?? [] }
    const code = createPairingCode(crypto)
    this.#begin('offer', () => [this.#numbered(code), codeOfLink(crypto, link, this.#kind)])
    const expiresAtMs = this.#options.clock.nowMs() + OFFER_MS
    this.#offerTimer = this.#options.clock.after(OFFER_MS, () => this.#expire())
    const shown = { code: formatPairingCode(code), link: formatJoinLink(link, this.#kind) }
    this.#set({ step: 'offering', ...shown, expiresAtMs, ownName: this.#options.self().name })
    return { numbers: this.#codes.map(({ number }) => number) }
  }

  /**
   * Takes a typed code, or a link. The caller looks where `number` says, also at the `places` of a link, and attaches the pipe.
   * @throws IdentityError `pairing/bad-code`, `pairing/version`, `pairing/too-many-tries`
   */
  join(typed: string): { readonly number: string; readonly places: readonly string[] } {
    const link = isJoinLink(typed) ? parseJoinLink(typed, this.#kind) : undefined
    const code = link ? codeOfLink(this.#options.crypto, link, this.#kind) : this.#numbered(parsePairingCode(typed))
    this.#begin('join', () => [code])
    this.#stepTimer = this.#options.clock.after(FIND_MS, () =>
      this.fail(
        'pairing/not-found',
        'no device shows this code, or none can be reached; check the number, and that both are on one network or use one rendezvous',
      ),
    )
    this.#set({ step: 'joining', ownName: this.#options.self().name })
    return { number: code.number, places: link?.places ?? [] }
  }

  /** A pipe to somebody who may know the code, met at `number` (default: the code's). Disposed at once when nothing waits for one. */
  attach(pipe: PairingPipe, number: string | undefined = this.#codes[0]?.number): void {
    const waits = this.#state.step === (this.#role === 'offer' ? 'offering' : 'joining')
    const code = this.#codes.find((one) => one.number === number)
    if (!code || this.#pipe || !waits || pipe.role !== this.#role) return pipe.dispose()
    const { crypto, sign, self } = this.#options
    this.#pipe = pipe
    this.#pipeOwned = new DisposableStore()
    this.#pipeOwned.add(pipe.onDidReceive((bytes) => this.#input({ type: 'message', bytes })))
    this.#pipeOwned.add(pipe.onDidClose(({ reason }) => this.#handleClosed(reason)))
    const { localFingerprint, remoteFingerprint } = pipe
    const secret = utf8(code.secret)
    this.#wasLink = code.number.startsWith('link-')
    const purpose = this.#options.contacts ? 'contact' : 'device'
    this.#apply(startPairing(crypto, { role: this.#role, purpose, secret, self: self(), sign, localFingerprint, remoteFingerprint }))
  }

  /** The person's answer to names and safety words. */
  confirm(accept: boolean): PairingState {
    if (this.#state.step === 'confirm') this.#input({ type: 'answer', accept })
    return this.#state
  }

  /** Ends whatever goes on; from `done` or `failed`, back to `idle`. */
  cancel(): PairingState {
    if (this.#run) this.#input({ type: 'fail', code: 'pairing/cancelled', message: 'pairing was cancelled', tell: true })
    this.#clear()
    this.#set(IDLE)
    return this.#state
  }

  /** The caller could not meet the other device (no rendezvous, no such number). */
  fail(code: IdentityErrorCode | `link/${string}` | `pairing/${string}`, message: string): void {
    if (this.#state.step !== 'offering' && this.#state.step !== 'joining') return
    this.#clear()
    this.#set({ step: 'failed', error: { code, message } })
  }

  dispose(): void {
    this.#clear()
    this.#lingering.dispose()
    this.#onDidChange.dispose()
  }

  #begin(role: PairingRole, makeCodes: () => readonly PairingCode[]): void {
    this.#tries.requireOpen()
    this.#options.self() // throws while locked: better before a code is shown than after it is typed
    const codes = makeCodes()
    this.cancel()
    this.#role = role
    this.#codes = codes
  }

  #input(input: PairingInput): void {
    if (this.#run) this.#apply(stepPairing(this.#options.crypto, this.#run, input))
  }

  #apply(step: PairingStep): void {
    this.#run = step.run
    for (const output of step.outputs) {
      if (output.type === 'send') this.#send(output.bytes)
      else if (output.type === 'admit') void this.#admit(output.peer)
      else if (output.type === 'adopt') void this.#adopt(output.grant)
      else void this.#exchange(output)
    }
    if (this.#run === step.run) this.#follow(step.run)
  }

  /** What the screen shows and which clock runs, from the phase the run is in. */
  #follow(run: PairingRun): void {
    this.#stepTimer?.dispose()
    if (run.phase === 'failed') return this.#handleFailed(run)
    if (run.phase === 'done') {
      this.#clear()
      return this.#set({ step: 'done', ...shownOf(run) })
    }
    this.#stepTimer = this.#options.clock.after(limitMs(run), () =>
      this.#input({
        type: 'fail',
        code: 'pairing/timeout',
        message: 'the other device or its person did not answer in time; start pairing again',
        tell: true,
      }),
    )
    if (run.guess === 'right') {
      this.#codes = [] // used up: nobody else gets a try at it
      this.#offerTimer?.dispose()
    }
    if (run.peer) this.#set({ step: 'confirm', ...shownOf(run) })
  }

  #handleFailed(run: PairingRun): void {
    const error = run.error ?? { code: 'pairing/interrupted' as const, message: 'pairing stopped; start it again' }
    if (run.guess === 'wrong') this.#tries.recordFailure()
    this.#logger.info('pairing failed', { code: error.code, role: run.setup.role })
    const offerGoesOn = run.setup.role === 'offer' && run.guess === 'none' && this.#codes.length > 0 && error.code !== 'pairing/cancelled'
    if (offerGoesOn) return this.#dropPipe()
    this.#clear()
    this.#set({ step: 'failed', error, ...(run.peer ? { peerName: run.peer.name } : {}) })
  }

  get #kind(): LinkKind {
    return this.#options.contacts ? 'contact' : 'join'
  }

  /** Contacts meet elsewhere than devices: a code typed in the wrong place finds nobody, and burns nothing. */
  #numbered(code: PairingCode): PairingCode {
    return this.#options.contacts ? { ...code, number: `contact-${code.number}` } : code
  }

  /** Starts inside `#apply`, as the others do: a moment later, when the run is set. */
  async #exchange(output: Extract<PairingOutput, { type: 'show-card' | 'acquaint' }>): Promise<void> {
    const run = this.#run
    const { contacts, crypto } = this.#options
    if (!contacts) return
    await Promise.resolve()
    try {
      if (!this.#isSame(run)) return
      if (output.type === 'show-card') this.#input({ type: 'card', offer: contacts.card() })
      else {
        contacts.acquaint({ ...output, wasLink: this.#wasLink })
        this.#input({ type: 'adopted' })
      }
    } catch (error) {
      this.#handleOwnFailure(this.#run, error, 'this device could not keep the other person as a contact')
    } finally {
      if (output.type === 'acquaint') crypto.wipe(output.meeting)
    }
  }

  async #admit(peer: PairingIntroduction): Promise<void> {
    const run = this.#run
    const { admit } = this.#options
    if (!admit) return
    try {
      const grant = await admit(peer)
      if (this.#stillIn(run)) this.#input({ type: 'admitted', grant })
      this.#options.crypto.wipe(grant.datasetKeys)
    } catch (error) {
      this.#handleOwnFailure(run, error, 'this device could not add the other one')
    }
  }

  async #adopt(grant: PairingGrant): Promise<void> {
    const run = this.#run
    const { adopt } = this.#options
    if (!adopt) return
    try {
      await adopt(grant)
      if (this.#stillIn(run)) this.#input({ type: 'adopted' })
    } catch (error) {
      this.#handleOwnFailure(run, error, 'this device could not take over what it was given')
    } finally {
      this.#options.crypto.wipe(grant.datasetKeys)
    }
  }

  /** Is it the same run, wherever it stands by now? */
  #isSame(run: PairingRun | undefined): boolean {
    return run !== undefined && this.#run?.setup === run.setup && this.#run.phase === 'exchanging'
  }

  /** `admit` and `adopt` start inside `#apply`: the run they belong to is the one set just before. */
  #stillIn(run: PairingRun | undefined): boolean {
    return run !== undefined && this.#run === run
  }

  #handleOwnFailure(run: PairingRun | undefined, error: unknown, what: string): void {
    if (!this.#stillIn(run)) return
    if (!(error instanceof DomainError || error instanceof CancelledError)) this.#logger.error(what, { error: errorMessage(error) })
    const code = error instanceof IdentityError ? error.code : 'pairing/refused'
    this.#input({ type: 'fail', code, message: `${what}: ${errorMessage(error)}`, tell: true })
  }

  #handleClosed(reason: string): void {
    const added = this.#run?.phase === 'granting' && this.#role === 'offer'
    const hasTaken = this.#run?.exchanged?.taken === true
    const message = hasTaken
      ? 'they are a contact of yours now, but went away before they said the same of you; if they do not see you, remove them and start again'
      : added
        ? 'the other device was added but went away before it said so; if it is not linked in a minute, remove it and pair again'
        : `the connection to the other device closed (${reason.slice(0, 80)}); start pairing again`
    this.#input({ type: 'fail', code: 'pairing/interrupted', message, tell: false })
  }

  #expire(): void {
    if (this.#state.step !== 'offering') return
    this.#input({ type: 'fail', code: 'pairing/timeout', message: 'the code has expired', tell: true })
    this.#clear()
    this.#set({
      step: 'failed',
      error: { code: 'pairing/timeout', message: 'nobody typed the code in ten minutes; it is used up, show a new one' },
    })
  }

  #send(bytes: Uint8Array): void {
    try {
      this.#pipe?.send(bytes)
    } catch (error) {
      this.#logger.debug('pairing message not sent: the pipe is closed', { error: errorMessage(error) })
    }
  }

  #dropPipe(): void {
    this.#stepTimer?.dispose()
    this.#stepTimer = undefined
    this.#run = undefined
    this.#pipeOwned.dispose()
    if (this.#pipe) this.#lingering.take(this.#pipe)
    this.#pipe = undefined
  }

  #clear(): void {
    this.#dropPipe()
    this.#offerTimer?.dispose()
    this.#codes = []
  }

  #set(state: PairingState): void {
    this.#state = state
    this.#onDidChange.fire(state)
  }
}

function limitMs({ phase, guess }: PairingRun): number {
  if (phase === 'decide') return DECIDE_MS
  return guess === 'right' ? STEP_MS : PROVE_MS
}
