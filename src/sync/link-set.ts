import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import type { Link, LinkSet } from './lane.ts'
import type { LinkIdentity } from './link-attempt.ts'
import { decodeNote, encodeNote, type SignalNote, type Signaling } from './signal-note.ts'
import type { RtcLink } from './link.ts'
import { PeerLinker } from './peer-linker.ts'
import type { RtcOptions, RtcStack } from './rtc-stack.ts'

export interface RtcLinkSetOptions extends LinkIdentity {
  readonly rtc: RtcStack
  /** Read anew for every attempt: settings may change. */
  readonly rtcOptions: () => RtcOptions
  readonly clock: Clock
  readonly random: RandomSource
  readonly logger: Logger
  /** An interface came, went or changed its address, or the machine woke up. */
  readonly onDidChangeNetwork: Event<void>
  /** The device list changed: links to devices that are on it no more close at once. */
  readonly onDidChangeMembers: Event<void>
  /** URLs of this device's own rendezvous, told to linked peers so that they find it again without any other. */
  readonly ownRendezvousUrls?: () => readonly string[]
  /** Tests only: changes what this device tells about itself, so that WebRTC runs through a proxy. */
  readonly changeNote?: (note: SignalNote) => Promise<SignalNote>
}

/**
 * All links of this device: to every member that some signaling way reaches, kept up, remade when they break (SY60).
 * Owns the links, not the signaling ways.
 */
export class RtcLinkSet implements LinkSet, Disposable {
  readonly #options: RtcLinkSetOptions
  readonly #owned = new DisposableStore()
  readonly #peers = new Map<DeviceId, PeerLinker>()
  readonly #ways = new Set<Signaling>()
  readonly #links = new Map<DeviceId, RtcLink>()
  readonly #linked = this.#owned.add(new Emitter<Link>())
  readonly #unlinked = this.#owned.add(new Emitter<{ readonly peer: DeviceId; readonly reason: string }>())
  readonly #learned = this.#owned.add(new Emitter<{ readonly peer: DeviceId; readonly urls: readonly string[] }>())
  readonly #failed = this.#owned.add(new Emitter<{ readonly peer: DeviceId; readonly code: string; readonly message: string }>())
  /** One attempt failed; it is tried again. `link/version` is what a person should know: one of the two must be updated. */
  readonly onDidFail = this.#failed.event
  readonly #wasCut = this.#owned.add(new Emitter<DeviceId>())
  /** A link was ended by the network: other connections may be dead too without knowing it. */
  readonly onDidCut = this.#wasCut.event
  readonly links: ReadonlyMap<DeviceId, Link> = this.#links
  #changing: Promise<void> = Promise.resolve()
  readonly onDidLink = this.#linked.event
  readonly onDidUnlink = this.#unlinked.event
  /** A linked peer said where its rendezvous listens; whoever keeps addresses adds them (SY66). */
  readonly onDidLearnRendezvous = this.#learned.event

  constructor(options: RtcLinkSetOptions) {
    this.#options = options
    this.#owned.add(options.onDidChangeNetwork(() => this.hurry()))
    this.#owned.add(options.onDidChangeMembers(() => this.#checkMembers()))
  }

  /** Uses this way from now on; disposing stops using it, links stay. */
  addSignaling(way: Signaling): Disposable {
    if (this.#owned.isDisposed) return toDisposable(() => {})
    this.#ways.add(way)
    const using = new DisposableStore()
    using.add(way.onDidSeePeer((peer) => this.#peer(peer)?.seen()))
    using.add(way.onDidReceive(({ from, note }) => this.#peer(from)?.receive(note)))
    using.defer(() => this.#ways.delete(way))
    for (const peer of way.peers) this.#peer(peer)?.seen()
    return this.#owned.add(using)
  }

  stateOf(peer: DeviceId): 'linked' | 'connecting' | 'away' {
    return this.#peers.get(peer)?.state ?? 'away'
  }

  /** The network changed: probe every link, knock at every door now. */
  hurry(): void {
    for (const peer of this.#peers.values()) peer.hurry()
  }

  /** The peer's linker; none for this device itself and for whoever is not a member: they get nothing, not even an answer. */
  #peer(peer: DeviceId): PeerLinker | undefined {
    const { signer, check } = this.#options
    if (peer === signer.device || !check.isMember(peer) || this.#owned.isDisposed) return undefined
    let linker = this.#peers.get(peer)
    if (linker === undefined) {
      linker = this.#createLinker(peer)
      this.#peers.set(peer, linker)
    }
    return linker
  }

  #createLinker(peer: DeviceId): PeerLinker {
    const { rtcOptions, ...options } = this.#options
    return new PeerLinker({
      ...options,
      peer,
      get rtcOptions() {
        return rtcOptions()
      },
      isReachable: () => [...this.#ways].some(({ peers }) => peers.has(peer)),
      send: (note) => this.#send(peer, note),
      onDidLink: (link) => this.#link(link),
      onDidFail: (error) => this.#failed.fire({ peer, code: errorCode(error), message: errorMessage(error) }),
      onDidUnlink: (reason, wasCut) => {
        this.#links.delete(peer)
        this.#unlinked.fire({ peer, reason })
        if (wasCut) this.#wasCut.fire(peer)
      },
    })
  }

  #send(peer: DeviceId, note: SignalNote): boolean {
    const { changeNote } = this.#options
    if (changeNote === undefined) return this.#post(peer, note)
    this.#changing = this.#changing.then(async () => void this.#post(peer, await changeNote(note)))
    return true
  }

  #post(peer: DeviceId, note: SignalNote): boolean {
    let isSent = false
    for (const way of this.#ways) isSent = way.send(peer, note) || isSent
    const link = this.#links.get(peer)
    if (link !== undefined) link.sendNote(encodeNote(note))
    return isSent || link !== undefined
  }

  #link(link: RtcLink): void {
    this.#links.set(link.peer, link)
    link.onDidReceiveNote((bytes) => {
      try {
        this.#peer(link.peer)?.receive(decodeNote(bytes))
      } catch (error) {
        link.closeForFault('link/bad-frame', `${link.peer} sent a note that cannot be read (${String(error)})`)
      }
    })
    link.onDidLearnRendezvous((urls) => this.#learned.fire({ peer: link.peer, urls }))
    const urls = this.#options.ownRendezvousUrls?.() ?? []
    if (urls.length > 0) link.tellRendezvous(urls)
    this.#linked.fire(link)
  }

  #checkMembers(): void {
    for (const [peer, linker] of this.#peers) {
      if (this.#options.check.isMember(peer)) continue
      this.#peers.delete(peer)
      linker.close('link/refused', 'the device is not on the device list any more')
    }
    // Somebody who was seen before it became a member is linked to now.
    for (const way of this.#ways) for (const peer of way.peers) if (!this.#links.has(peer)) this.#peer(peer)?.seen()
  }

  dispose(): void {
    for (const linker of this.#peers.values()) linker.dispose()
    this.#peers.clear()
    this.#owned.dispose()
  }
}
