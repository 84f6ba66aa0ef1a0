import { toHex } from '../base/bytes.ts'
import type { Disposable } from '../base/disposable.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DeviceId } from '../base/ids.ts'
import { LinkAttempt, type LinkAttemptOptions } from './link-attempt.ts'
import type { RtcLink } from './link.ts'
import type { SignalNote } from './signal-note.ts'
import { TokenBucket } from './token-bucket.ts'

/** First wait after a failed try; doubles, with jitter, up to the last. */
export const FIRST_RETRY_MS = 500
export const LAST_RETRY_MS = 30_000
/** The lower id lets the higher one knock first: most of the time there is no glare to settle. */
const POLITE_WAIT_MS = 300
/** Offers answered, at once and in the long run: whoever holds the rendezvous secret could send them without end. */
const OFFERS = { perSecond: 0.5, burst: 8 }
/** Attempts remembered as over, so that an offer that arrives by a second way does not start it again. */
const MAX_PAST_ATTEMPTS = 16

export interface PeerLinkerOptions extends Omit<LinkAttemptOptions, 'role' | 'attempt' | 'sendNote' | 'onDidLink' | 'onDidFail'> {
  /** Sends over every way that reaches the peer; false if none does. */
  readonly send: (note: SignalNote) => boolean
  readonly isReachable: () => boolean
  readonly onDidLink: (link: RtcLink) => void
  /** One attempt failed; another follows by itself. */
  readonly onDidFail: (error: unknown) => void
  /** @param wasCut  the network ended it, nobody meant to */
  readonly onDidUnlink: (reason: string, wasCut: boolean) => void
}

/**
 * Keeps this device linked to one peer: at most one attempt and one link at a time (SY60).
 *
 * Glare: the polite side (lower device id) drops its own attempt and answers; the other goes on with its own. A link that
 * comes up replaces the one before, on both sides the same one, because attempts come one after another.
 */
export class PeerLinker implements Disposable {
  readonly #options: PeerLinkerOptions
  readonly #isPolite: boolean
  #attempt: LinkAttempt | undefined
  #link: RtcLink | undefined
  #retry: Disposable | undefined
  #failures = 0
  #isOver = false
  readonly #past: string[] = []
  readonly #offers: TokenBucket

  constructor(options: PeerLinkerOptions) {
    this.#options = options
    this.#offers = new TokenBucket(options.clock, OFFERS)
    this.#isPolite = options.signer.device < options.peer
  }

  get state(): 'linked' | 'connecting' | 'away' {
    if (this.#link !== undefined) return 'linked'
    return this.#attempt !== undefined || this.#retry !== undefined ? 'connecting' : 'away'
  }

  get peer(): DeviceId {
    return this.#options.peer
  }

  /** The peer can be reached (again). */
  seen(): void {
    if (this.#link !== undefined) {
      this.#link.probe()
      return
    }
    this.#failures = 0
    if (this.#attempt?.isUnanswered === true) this.#attempt.repeat()
    else this.#plan(this.#isPolite ? POLITE_WAIT_MS : 0)
  }

  /** The network changed or the machine woke: whatever we were waiting for, do it now, with the addresses of now. */
  hurry(): void {
    this.#failures = 0
    if (this.#link !== undefined) {
      this.#link.probe()
      return
    }
    if (this.#attempt?.isUnanswered === true) this.#end()
    this.#knock()
  }

  receive(note: SignalNote): void {
    if (this.#isOver) return
    if (note.kind !== 'offer') {
      if (this.#attempt?.attempt === note.attempt) void this.#attempt.receive(note)
      return
    }
    if (this.#attempt?.attempt === note.attempt) {
      this.#attempt.repeat()
      return
    }
    if (this.#past.includes(note.attempt)) return
    if (this.#attempt?.role === 'knock' && !this.#isPolite) {
      this.#attempt.repeat() // the way their offer came by works; ours may have gone astray
      return
    }
    if (!this.#offers.take(1)) return
    this.#end()
    this.#attempt = this.#create('door', note.attempt)
    void this.#attempt.answer(note)
  }

  #plan(delayMs: number): void {
    if (this.#isOver || this.#attempt !== undefined) return
    this.#retry?.dispose()
    this.#retry = this.#options.clock.after(delayMs, () => {
      this.#retry = undefined
      this.#knock()
    })
  }

  #knock(): void {
    if (this.#isOver || this.#attempt !== undefined || this.#link !== undefined || !this.#options.isReachable()) return
    this.#retry?.dispose()
    this.#retry = undefined
    this.#attempt = this.#create('knock', toHex(this.#options.random.bytes(16)))
    void this.#attempt.offer()
  }

  #create(role: 'knock' | 'door', attempt: string): LinkAttempt {
    this.#past.push(attempt)
    if (this.#past.length > MAX_PAST_ATTEMPTS) this.#past.shift()
    return new LinkAttempt({
      ...this.#options,
      role,
      attempt,
      sendNote: (note) => this.#options.send(note),
      onDidLink: (link) => this.#linked(link),
      onDidFail: (error) => this.#failed(attempt, error),
    })
  }

  #linked(link: RtcLink): void {
    this.#attempt = undefined
    this.#retry?.dispose()
    this.#retry = undefined
    this.#failures = 0
    const before = this.#link
    this.#link = undefined
    if (before !== undefined) {
      before.closeFor('link/replaced', 'a newer link to the same device replaced it')
      this.#options.onDidUnlink('a newer link to the same device replaced it', false)
    }
    this.#link = link
    link.onDidClose(({ reason }) => this.#unlinked(link, reason))
    this.#options.logger.info('link up', { peer: link.peer, path: link.stats().path })
    this.#options.onDidLink(link)
  }

  #unlinked(link: RtcLink, reason: string): void {
    if (this.#link !== link) return
    this.#link = undefined
    this.#options.onDidUnlink(reason, link.wasCut)
    this.#plan(this.#isPolite ? POLITE_WAIT_MS : 0)
  }

  #failed(attempt: string, error: unknown): void {
    if (this.#attempt?.attempt !== attempt) return
    this.#attempt = undefined
    const { logger, peer, random } = this.#options
    logger.warn('linking failed, will try again', { peer, code: errorCode(error), message: errorMessage(error) })
    this.#options.onDidFail(error)
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10))
    const jitter = ((random.bytes(1)[0] as number) / 255 - 0.5) * wait // +-50 %: two devices must not stay in step
    if (this.#options.isReachable()) this.#plan(wait + jitter)
  }

  #end(): void {
    this.#retry?.dispose()
    this.#retry = undefined
    this.#attempt?.dispose()
    this.#attempt = undefined
  }

  /** Ends attempt and link; `code` is the last word to the peer. */
  close(code: string, reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#end()
    const link = this.#link
    this.#link = undefined
    if (link === undefined) return
    link.closeFor(code, reason)
    this.#options.onDidUnlink(reason, false)
  }

  dispose(): void {
    this.close('link/closed', 'closed here')
  }
}
