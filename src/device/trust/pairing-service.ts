import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Crypto } from '../../identity/crypto.ts'
import { isJoinLink } from '../../identity/join-link.ts'
import { type AddingDevices, type MakingContacts, Pairing, type PairingOptions } from '../../identity/pairing.ts'
import type { PairingIntroduction } from '../../identity/pairing-wire.ts'
import type { PairingState } from '../../sync/links-contract.ts'
import { DeviceError } from '../device-error.ts'
import type { MeetingService } from '../links/meeting-service.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

export interface PairingServiceOptions {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly log: Logger
  readonly meeting: MeetingService
  /** @throws DomainError while locked */
  desk(): OpenDesk
  self(): PairingIntroduction
  /** What comes of it: a device is added (what it takes over, and how this one does), or two persons are contacts. */
  readonly deed: Pick<AddingDevices, 'admit' | 'adopt'> | Pick<MakingContacts, 'contacts'>
}

/** Joins identity's pairing (what is said) with sync's meeting (where). One pairing at a time, whoever of the displays asked. */
export class PairingService implements Disposable {
  readonly #options: PairingServiceOptions
  readonly #pairing: Pairing
  /** Where we wait or look just now. */
  #meeting = new DisposableStore()

  constructor(options: PairingServiceOptions) {
    this.#options = options
    const { crypto, clock, log } = options
    this.#pairing = new Pairing({
      crypto,
      clock,
      logger: log,
      self: () => options.self(),
      sign: (message) => options.desk().context.signer.sign(message),
      places: () => [...new Set(options.meeting.links?.placesForOthers)],
      tries: {
        read: () => readTries(options.desk().values.get(...this.#tries)),
        write: (failedAtMs) => this.#keepTries(failedAtMs),
      },
      ...options.deed,
    } as PairingOptions)
    this.#pairing.onDidChange(({ step }) => {
      if (step !== 'offering' && step !== 'joining') this.#stopMeeting()
    })
  }

  get onDidChange() {
    return this.#pairing.onDidChange
  }

  get state(): PairingState {
    return this.#pairing.state
  }

  /** Each purpose has its own count. */
  get #tries(): readonly ['pairing' | 'contact', 'failed-tries'] {
    return ['contacts' in this.#options.deed ? 'contact' : 'pairing', 'failed-tries']
  }

  /** @throws IdentityError `pairing/too-many-tries`, DeviceError `pairing/no-rendezvous` */
  offer(): PairingState {
    const links = this.#requirePlace(undefined)
    const { numbers } = this.#pairing.offer()
    const meeting = this.#newMeeting()
    for (const number of numbers) {
      const offer = meeting.add(links.offerPairing(number))
      meeting.add(offer.onDidMeet((pipe) => this.#pairing.attach(pipe, number)))
    }
    return this.#pairing.state
  }

  /** By a typed code or a link. @throws IdentityError `pairing/bad-code`, `pairing/version`, `pairing/too-many-tries`, DeviceError `pairing/no-rendezvous` */
  join(code: string, rendezvousUrl: string | undefined): PairingState {
    const links = this.#requirePlace(rendezvousUrl, isJoinLink(code))
    const { number, places } = this.#pairing.join(code)
    const meeting = this.#newMeeting()
    const abort = new AbortController()
    meeting.defer(() => abort.abort())
    links.joinPairing(number, { signal: abort.signal, rendezvousUrl, places }).then(
      (pipe) => this.#pairing.attach(pipe),
      (error) => {
        if (abort.signal.aborted) return
        this.#options.log.info('no device was found for a code', { code: errorCode(error), why: errorMessage(error) })
        const why =
          'No device shows this code, or it can’t be reached from here. Check the number, and that both are on one network or use one rendezvous.'
        this.#pairing.fail('pairing/not-found', why)
      },
    )
    return this.#pairing.state
  }

  confirm(accept: boolean): PairingState {
    return this.#pairing.confirm(accept)
  }

  cancel(): PairingState {
    return this.#pairing.cancel()
  }

  dispose(): void {
    this.#stopMeeting()
    this.#pairing.dispose()
  }

  #requirePlace(rendezvousUrl: string | undefined, isNamed = false) {
    const { links } = this.#options.meeting
    if (links && (rendezvousUrl !== undefined || isNamed || links.hasMeetingPlace)) return links
    throw new DeviceError(
      'pairing/no-rendezvous',
      'There is nowhere to meet: mDNS is off and no rendezvous is set. Switch mDNS on or name a rendezvous in Settings.',
    )
  }

  #newMeeting(): DisposableStore {
    this.#stopMeeting()
    this.#meeting = new DisposableStore()
    return this.#meeting
  }

  #stopMeeting(): void {
    this.#meeting.dispose()
  }

  #keepTries(failedAtMs: readonly number[]): void {
    try {
      this.#options.desk().values.put(...this.#tries, utf8(JSON.stringify(failedAtMs)))
    } catch (error) {
      // a full disk, or locked meanwhile: they count until this process ends
      this.#options.log.warn('a wrong guess could not be kept', { code: errorCode(error), why: errorMessage(error) })
    }
  }
}

function readTries(bytes: Uint8Array | undefined): readonly number[] {
  if (bytes === undefined) return []
  const tries: unknown = JSON.parse(fromUtf8(bytes))
  return Array.isArray(tries) ? tries.filter((atMs): atMs is number => Number.isFinite(atMs)) : []
}
