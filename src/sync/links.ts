import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'
import { Emitter } from '../base/emitter.ts'
import { equalBytes } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import type { LanDiscovery } from './lan-discovery.ts'
import { LanMeeting } from './lan-meeting.ts'
import { LearnedPlaces, useAll } from './learned-places.ts'
import { LeftTopics, type LeftTopicsOptions } from './left-topics.ts'
import type { LinkIdentity } from './link-attempt.ts'
import { RtcLinkSet } from './link-set.ts'
import { RENDEZVOUS_SECRET_BYTES } from './meeting-keys.ts'
import { joinPairing, offerPairing, type PairingOffer } from './pairing-meeting.ts'
import type { PairingPipe } from './pairing-pipe.ts'
import { parseRendezvousUrl, RendezvousPool } from './rendezvous-pool.ts'
import { type AdmissionAtDoor, RendezvousSignaling } from './rendezvous-signaling.ts'
import type { RtcOptions, RtcStack } from './rtc-stack.ts'
import type { SignalNote } from './signal-note.ts'
import type { OpenWebSocket } from './web-socket-like.ts'

/** What links need of the machine. */
export interface LinkPlatform {
  readonly rtc: RtcStack
  readonly openSocket: OpenWebSocket
  /** Absent where there is no LAN, or its use is switched off. */
  readonly lan?: LanDiscovery
  /** An interface came, went or changed its address, or the machine woke up. */
  readonly onDidChangeNetwork: Event<void>
  /** Tests only; see RtcLinkSetOptions. */
  readonly changeNote?: (note: SignalNote) => Promise<SignalNote>
}

/** This device's own rendezvous, if it runs one. */
export interface OwnRendezvous {
  readonly port: number
  /** As other devices reach it. */
  urls(): readonly string[]
}

export interface LinksOptions {
  readonly platform: LinkPlatform
  readonly rtcOptions: () => RtcOptions
  readonly own: OwnRendezvous | undefined
  readonly clock: Clock
  readonly random: RandomSource
  readonly logger: Logger
}

/** Where the devices of one person meet, and met before (SY69). */
export interface MeetingSecrets extends Pick<LeftTopicsOptions, 'leftSecrets' | 'behind' | 'directionsFor'> {
  readonly rendezvousSecret: Uint8Array
  /** Opens what `directionsFor` of another device sealed to this one. */
  openDirections(sealed: Uint8Array): Uint8Array | undefined
  readonly admission?: AdmissionAtDoor
}

/** What ties links to one workspace; there once the device keys are open. */
export interface LinksMembership extends LinkIdentity {
  /** Read anew whenever `onDidChangeSecrets` fires. */
  secrets(): MeetingSecrets
  readonly onDidChangeSecrets: Event<void>
  readonly onDidChangeMembers: Event<void>
  /** Where linked peers said their rendezvous listen, as kept from earlier runs. */
  readonly known: ReadonlyMap<DeviceId, readonly string[]>
}

/** What links to the devices of one contact stand on: who they are by the contact's own log, and where both meet. */
export interface ContactMembership extends LinkIdentity {
  /** Agreed on when the two became contacts. */
  readonly meetingSecret: Uint8Array
  /** Rendezvous that the contact named. */
  readonly places: readonly string[]
  readonly onDidChangeMembers: Event<void>
}

/** Places that others said they moved to, followed at once: whoever knows a left topic can name some. */
const MAX_FOLLOWED = 4
/** Devices of one contact whose rendezvous are used, too. */
const MAX_CONTACT_RENDEZVOUS = 8

/**
 * Everything about meeting and linking, for the composition root. `Meeting places` (rendezvous, LAN) live as long as this;
 * links live between `open` and `close`, that is while the device keys are open. Pairing works without them.
 */
export class Links implements Disposable {
  readonly #options: LinksOptions
  readonly #owned = new DisposableStore()
  readonly #learned = this.#owned.add(new Emitter<{ readonly peer: DeviceId; readonly urls: readonly string[] }>())
  readonly pool: RendezvousPool
  #fromSettings = new DisposableStore()
  #opened: { readonly set: RtcLinkSet; readonly store: DisposableStore } | undefined
  readonly #contacts = new Map<RtcLinkSet, { readonly membership: ContactMembership; readonly store: DisposableStore }>()
  #lan: LanMeeting | undefined
  /** What the LAN is told of the workspace: the secret of now, and those that devices which were away go by. */
  #lanSecrets: readonly [now: Uint8Array | undefined, others: readonly Uint8Array[]] = [undefined, []]
  /** A linked peer told its addresses: keep them with `known` for the next start (SY66). */
  readonly onDidLearnRendezvous = this.#learned.event
  readonly #twin = this.#owned.add(new Emitter<void>())
  /** Another process runs with this device's key (SY68). */
  readonly onDidMeetTwin = this.#twin.event

  constructor(options: LinksOptions) {
    this.#options = options
    const { platform, clock, random, logger, own } = options
    this.pool = this.#owned.add(new RendezvousPool({ openSocket: platform.openSocket, clock, random, logger }))
    this.#owned.defer(() => this.#fromSettings.dispose())
    if (own !== undefined) this.#owned.add(this.pool.use(`ws://127.0.0.1:${own.port}`))
    this.#tellLan(undefined)
    this.#owned.defer(() => this.#lan?.dispose())
    this.#owned.add(
      platform.onDidChangeNetwork(() => {
        this.pool.hurry()
        this.#lan?.hurry()
      }),
    )
  }

  /** For `elsewhere debug`: where this device can be met now. */
  get meetingPlaces(): readonly { readonly url: string; readonly isConnected: boolean }[] {
    return this.pool.all.map(({ url, isConnected }) => ({ url, isConnected }))
  }

  /** Where others can meet this device: for a recovery kit. */
  get placesForOthers(): readonly string[] {
    const { own } = this.#options
    const here = own && parseRendezvousUrl(`ws://127.0.0.1:${own.port}`)
    return [...(own?.urls() ?? []), ...this.pool.clients.map(({ url }) => url).filter((url) => url !== here)]
  }

  /** The links, while open. */
  get set(): RtcLinkSet | undefined {
    return this.#opened?.set
  }

  /** Is there anywhere to meet: a LAN, or at least one rendezvous? */
  get hasMeetingPlace(): boolean {
    return this.#lan !== undefined || this.pool.clients.length > 0
  }

  /** Replaces the rendezvous from the settings. @throws RendezvousError `rendezvous/bad-url`  and keeps what was */
  setRendezvousUrls(urls: readonly string[]): void {
    const next = new DisposableStore()
    try {
      for (const url of urls) next.add(this.pool.use(url))
    } catch (error) {
      next.dispose()
      throw error
    }
    this.#fromSettings.dispose()
    this.#fromSettings = next
  }

  /** Device keys are open: links come up to every member that can be reached, until `close`. */
  open(membership: LinksMembership): RtcLinkSet {
    this.close()
    const { check, onDidChangeSecrets, known } = membership
    const store = new DisposableStore()
    const set = this.#createSet(membership, store)
    const places = store.add(new LearnedPlaces(this.pool, this.#options.logger))
    for (const [peer, urls] of known) if (check.isMember(peer)) places.learn(peer, urls)
    store.add(
      set.onDidLearnRendezvous(({ peer, urls }) => {
        places.learn(peer, urls)
        this.#learned.fire({ peer, urls })
      }),
    )
    let meeting = this.#meet(set, membership)
    store.defer(() => meeting.dispose())
    store.add(
      onDidChangeSecrets(() => {
        if (store.isDisposed) return
        meeting.dispose()
        meeting = this.#meet(set, membership)
      }),
    )
    this.#opened = { set, store }
    return set
  }

  /**
   * Links come up to every device of a contact that can be reached, beside the workspace's, until `leaveContact` or `close`.
   * Nothing of the workspace is carried there: whoever listens to these links says what is.
   */
  meetContact(membership: ContactMembership): RtcLinkSet {
    const { clock, random, logger } = this.#options
    const store = new DisposableStore()
    const pool = this.pool.circle()
    store.defer(() => this.pool.leave(pool))
    const set = this.#createSet(membership, store)
    store.add(useAll(pool, membership.places, logger))
    const places = store.add(new LearnedPlaces(pool, logger, MAX_CONTACT_RENDEZVOUS))
    store.add(set.onDidLearnRendezvous(({ peer, urls }) => places.learn(peer, urls)))
    const { signer, check, meetingSecret } = membership
    const signaling = store.add(new RendezvousSignaling({ signer, check, rendezvousSecret: meetingSecret, pool, clock, random }))
    store.add(set.addSignaling(signaling))
    store.add(signaling.onDidMeetTwin(() => this.#twin.fire()))
    this.#contacts.set(set, { membership, store })
    this.#tellLan(...this.#lanSecrets)
    logger.debug('a contact can be met', { contacts: this.#contacts.size })
    return set
  }

  /** Their links close. */
  leaveContact(set: RtcLinkSet): void {
    const contact = this.#contacts.get(set)
    if (!contact) return
    this.#contacts.delete(set)
    contact.store.dispose()
    if (!this.#owned.isDisposed) this.#tellLan(...this.#lanSecrets)
  }

  /** Device keys are locked: links close, the LAN no longer knows us. */
  close(): void {
    for (const set of [...this.#contacts.keys()]) this.leaveContact(set)
    if (this.#opened === undefined) return
    const { store } = this.#opened
    this.#opened = undefined
    store.dispose()
    this.#tellLan(undefined)
  }

  /** Waits for a device that types the code. @param meetingNumber  the code's public part */
  offerPairing(meetingNumber: string): PairingOffer {
    const store = new DisposableStore()
    if (this.#lan !== undefined) store.add(this.#lan.pair(meetingNumber, 'offer'))
    const offer = store.add(offerPairing(this.#pairing(meetingNumber)))
    return { onDidMeet: offer.onDidMeet, dispose: () => store.dispose() }
  }

  /**
   * Looks for the device that shows the code.
   *
   * @param rendezvousUrl  also look there
   * @param places  there, too: a link names some that may be of another network, or none that this device can use
   * @throws LinkError `link/timeout`, RendezvousError `rendezvous/bad-url`
   */
  async joinPairing(
    meetingNumber: string,
    options: { rendezvousUrl?: string | undefined; places?: readonly string[]; signal?: AbortSignal } = {},
  ): Promise<PairingPipe> {
    const store = new DisposableStore()
    try {
      if (options.rendezvousUrl !== undefined) store.add(this.pool.use(options.rendezvousUrl))
      store.add(useAll(this.pool, options.places ?? [], this.#options.logger))
      if (this.#lan !== undefined) store.add(this.#lan.pair(meetingNumber, 'join'))
      return await joinPairing({ ...this.#pairing(meetingNumber), ...(options.signal === undefined ? {} : { signal: options.signal }) })
    } finally {
      store.dispose()
    }
  }

  /** What all sets of links have in common. */
  #createSet(identity: LinkIdentity & { readonly onDidChangeMembers: Event<void> }, store: DisposableStore): RtcLinkSet {
    const { platform, clock, random, logger, rtcOptions, own } = this.#options
    const { signer, check, head, scope, onDidChangeMembers } = identity
    const set = store.add(
      new RtcLinkSet({
        signer,
        check,
        head,
        scope,
        rtc: platform.rtc,
        rtcOptions,
        clock,
        random,
        logger,
        onDidChangeNetwork: platform.onDidChangeNetwork,
        onDidChangeMembers,
        ownRendezvousUrls: () => own?.urls() ?? [],
        ...(platform.changeNote === undefined ? {} : { changeNote: platform.changeNote }),
      }),
    )
    store.add(set.onDidCut(() => this.pool.hurry()))
    return set
  }

  /** At the places that the secrets of now say; links stay when these change. */
  #meet(set: RtcLinkSet, { signer, check, secrets }: LinksMembership): DisposableStore {
    const { clock, random } = this.#options
    const store = new DisposableStore()
    const now = secrets()
    const followed: Uint8Array[] = []
    const meetBy = (rendezvousSecret: Uint8Array) => {
      const admission = now.admission && { admission: now.admission }
      const options = { signer, check, rendezvousSecret, pool: this.pool, clock, random, ...admission }
      const signaling = store.add(new RendezvousSignaling(options))
      store.add(signaling.onDidMeetTwin(() => this.#twin.fire()))
      store.add(signaling.onDidMove((sealed) => follow(now.openDirections(sealed))))
      store.add(set.addSignaling(signaling))
    }
    /** Only somewhere more to look: who is met there proves itself as everywhere. */
    const follow = (secret: Uint8Array | undefined) => {
      const known = [now.rendezvousSecret, ...now.leftSecrets, ...followed]
      if (secret?.length !== RENDEZVOUS_SECRET_BYTES || followed.length >= MAX_FOLLOWED) return
      if (store.isDisposed || known.some((other) => equalBytes(other, secret))) return
      this.#options.logger.info('the other devices meet elsewhere now: looking there, too')
      followed.push(secret)
      meetBy(secret)
      this.#tellLan(now.rendezvousSecret, [...now.leftSecrets, ...followed])
    }
    meetBy(now.rendezvousSecret)
    // Whoever comes back by the root's word looks where all have been at some time; the others tell it from there.
    const first = now.admission?.own() ? now.leftSecrets.at(-1) : undefined
    if (first) meetBy(first)
    const leftSecrets = now.leftSecrets.filter((secret) => secret !== first)
    if (leftSecrets.length > 0) store.add(new LeftTopics({ ...now, leftSecrets, pool: this.pool, clock, random }))
    this.#tellLan(now.rendezvousSecret, now.leftSecrets)
    return store
  }

  #pairing(meetingNumber: string) {
    const { platform, rtcOptions, clock, random, logger } = this.#options
    return { meetingNumber, pool: this.pool, rtc: platform.rtc, rtcOptions: rtcOptions(), clock, random, logger }
  }

  #tellLan(rendezvousSecret: Uint8Array | undefined, otherSecrets: readonly Uint8Array[] = []): void {
    const { platform, clock, logger, own } = this.#options
    this.#lanSecrets = [rendezvousSecret, otherSecrets]
    if (platform.lan === undefined || this.#owned.isDisposed) return
    const contactSecrets = [...this.#contacts.values()].map(({ membership }) => membership.meetingSecret)
    const secrets = { rendezvousSecret, otherSecrets, contactSecrets }
    if (this.#lan !== undefined) this.#lan.take(secrets)
    else this.#lan = new LanMeeting({ lan: platform.lan, pool: this.pool, ...secrets, ownPort: own?.port, clock, logger })
  }

  dispose(): void {
    this.close()
    this.#owned.dispose()
  }
}
