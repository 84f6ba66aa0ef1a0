import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { RandomSource } from '../../base/random.ts'
import { Links, type LinkPlatform, type LinksMembership, type OwnRendezvous } from '../../sync/links.ts'
import type { RtcLinkSet } from '../../sync/link-set.ts'
import type { RtcOptions } from '../../sync/rtc-stack.ts'
import type { DeviceSettings } from '../desk/desk-contract.ts'
import type { DeviceParts } from '../device-parts.ts'
import type { Notices } from '../notices.ts'
import type { SettingsService } from '../settings-service.ts'

export interface MeetingServiceOptions {
  readonly parts: DeviceParts
  readonly settings: SettingsService
  readonly notices: Notices
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

/**
 * Where this device can be met, as its settings say: rendezvous of others, its own, and the LAN. Changed settings are taken
 * over at once; when they concern what the links stand on, links come up anew.
 */
export class MeetingService implements Disposable {
  readonly #options: MeetingServiceOptions
  readonly #owned = new DisposableStore()
  readonly #opened = this.#owned.add(new Emitter<RtcLinkSet>())
  #links: { readonly links: Links; readonly scope: DisposableStore; readonly settings: DeviceSettings } | undefined
  #membership: LinksMembership | undefined
  #last: Promise<void> = Promise.resolve()

  readonly #twin = this.#owned.add(new Emitter<void>())
  /** Another process runs with this device's key (SY68). */
  readonly onDidMeetTwin = this.#twin.event
  /** The links are there (anew): listen to them. What came before is closed. */
  readonly onDidOpen = this.#opened.event

  constructor(options: MeetingServiceOptions) {
    this.#options = options
    this.#owned.add(options.settings.onDidChange((settings) => this.#inTurn(() => this.#take(settings))))
  }

  /** Builds what the settings say. Never rejects: what can't be had is a notice. */
  start(): Promise<void> {
    return this.#inTurn(() => this.#take(this.#options.settings.current))
  }

  /** Undefined until started. */
  get links(): Links | undefined {
    return this.#links?.links
  }

  /** What WebRTC may use on this device, now. */
  get rtcOptions(): RtcOptions {
    const { parts, settings } = this.#options
    const bindAddress = parts.bindAddress()
    return { iceServers: settings.current.iceServers, ...(bindAddress === undefined ? {} : { bindAddress }) }
  }

  /** Device keys are open: links come up, until `close`. */
  open(membership: LinksMembership): void {
    this.#membership = membership
    const links = this.#links?.links
    if (links) this.#opened.fire(links.open(membership))
  }

  close(): void {
    this.#membership = undefined
    this.#links?.links.close()
  }

  dispose(): void {
    this.#owned.dispose()
    this.#links?.scope.dispose()
    this.#links = undefined
  }

  async #take(settings: DeviceSettings): Promise<void> {
    const { log } = this.#options
    const before = this.#links?.settings
    const standsOn = ({ mdns, rendezvousPort }: DeviceSettings) => `${mdns} ${rendezvousPort}`
    if (before === undefined || standsOn(before) !== standsOn(settings)) await this.#rebuild(settings)
    if (this.#owned.isDisposed || this.#links === undefined) return
    try {
      this.#links.links.setRendezvousUrls(settings.rendezvousUrls)
      this.#options.notices.takeBack('rendezvous/bad-url')
    } catch (error) {
      log.warn('a rendezvous of the settings cannot be used', { error: errorMessage(error) })
      this.#options.notices.put({ code: 'rendezvous/bad-url', severity: 'warn', message: errorMessage(error) })
    }
  }

  async #rebuild(settings: DeviceSettings): Promise<void> {
    const { parts, clock, random, log } = this.#options
    this.#links?.scope.dispose()
    this.#links = undefined // whoever opens meanwhile gets the new ones
    const scope = new DisposableStore()
    const own = await this.#startRendezvous(settings.rendezvousPort)
    if (own) scope.add(own)
    if (this.#owned.isDisposed) return scope.dispose()
    const platform: LinkPlatform & Disposable = scope.add(parts.createLinkPlatform({ lan: settings.mdns }))
    const links = scope.add(new Links({ platform, rtcOptions: () => this.rtcOptions, own, clock, random, logger: log }))
    scope.add(links.onDidMeetTwin(() => this.#twin.fire()))
    this.#links = { links, scope, settings }
    if (this.#membership) this.#opened.fire(links.open(this.#membership))
  }

  /** The port asked for; any free one when another device of this machine has it: the LAN and linked peers are told which. */
  async #startRendezvous(port: number): Promise<(OwnRendezvous & Disposable) | undefined> {
    if (port === 0) return undefined
    const { parts, log, notices } = this.#options
    try {
      return await parts.startRendezvous(port).catch((error) => {
        if (errorCode(error) !== 'rendezvous/busy-port') throw error
        log.info('the port of the rendezvous is taken; using another', { port })
        return parts.startRendezvous(0)
      })
    } catch (error) {
      log.warn('no rendezvous of our own', { error: errorMessage(error) })
      notices.put({ code: errorCode(error), severity: 'warn', message: `This device runs no rendezvous: ${errorMessage(error)}` })
      return undefined
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(() => (this.#owned.isDisposed ? undefined : work()))
    this.#last = done.catch((error) => this.#options.log.error('the meeting places could not be set up', { error }))
    return this.#last
  }
}
