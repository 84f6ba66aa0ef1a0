import { fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DisplayId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { DeviceList } from '../../identity/device-list.ts'
import type { GrantCheck } from '../../identity/grant-check.ts'
import { ProgramReleases } from '../../identity/programs/program-releases.ts'
import type { SeatClaims } from '../../identity/seat-claims.ts'
import type { Event } from '../../base/emitter.ts'
import { createClient } from '../../rpc/client.ts'
import { LaneTransport } from '../../rpc/lane-transport.ts'
import { serve } from '../../rpc/serve.ts'
import { Wire } from '../../rpc/wire.ts'
import type { LaneName, Link } from '../../sync/lane.ts'
import type { StartId } from '../../sync/client-ids.ts'
import type { CopiedFolders } from './copied-folders.ts'
import type { LastScreens } from '../desk/last-screens.ts'
import { peerContract, peerFilesContract, peerJobsContract, peerPortsContract, peerTerminalContract } from './peer-contract.ts'
import {
  type PeerServices,
  peerFilesHandlers,
  peerPortsHandlers,
  peerTasksHandlers,
  peerTerminalHandlers,
  peerTtyHandlers,
} from './peer-handlers.ts'
import { peerJobsHandlers } from '../jobs/peer-jobs.ts'
import type { AuthorityReport } from '../../identity/authority/authority-log.ts'
import { HeadsHeard } from '../../identity/authority/heads-heard.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { ContactLogs } from '../../identity/contacts/contact-logs.ts'
import { AuthorityExchange } from '../trust/authority-exchange.ts'
import type { DatasetKeyring } from '../../identity/dataset-keyring.ts'
import { ContactLogShare } from '../contacts/contact-log-share.ts'
import { KeyExchange, type KeysHeard } from '../trust/key-exchange.ts'
import type { Peer, Peers } from './peers.ts'
import { PortAccount } from '../jobs/port-account.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import type { Clock } from '../../base/clock.ts'
import { FRESH_CLAIM_MS, LONG_AGO_MS, type SeatService } from '../desk/seat-service.ts'

export interface PeerSessionOptions extends PeerServices {
  readonly devices: DeviceList
  readonly values: KeyValueStore
  readonly keyring: DatasetKeyring
  readonly contactLogs: ContactLogs
  /** Hears which ports are reached. */
  readonly ledger: LedgerRecorder
  /** The workspace's key that counts here. */
  readonly currentKey: () => string
  readonly keysHeard: KeysHeard
  /** Something of the authority log that the person should hear. */
  readonly report: (report: AuthorityReport) => void
  readonly claims: SeatClaims
  readonly seat: SeatService
  readonly grants: GrantCheck
  readonly peers: Peers
  readonly copies: CopiedFolders
  readonly lastScreens: LastScreens
  /** Screens of this device's own terminals, for the peer to keep. */
  readonly onDidChangeScreen: Event<{ readonly terminalId: string; readonly screen: string; readonly atMs: number }>
  readonly version: string
  readonly clock: Clock
  readonly log: Logger
}

/**
 * What two linked devices say to each other besides documents: device list, seat, and calls to each other's terminals,
 * tasks and files. Lives as long as the link. A peer that breaks a contract loses its link and nothing else.
 */
export class PeerSession implements Disposable {
  readonly #options: PeerSessionOptions
  readonly #link: Link
  readonly #owned = new DisposableStore()
  readonly #peer: Peer
  readonly #authority: AuthorityExchange
  readonly #keys: KeyExchange
  readonly #contacts: ContactLogShare
  /** Lists and claims from this peer are taken one after another. */
  #last: Promise<void> = Promise.resolve()

  constructor(link: Link, options: PeerSessionOptions) {
    this.#link = link
    this.#options = options
    const { devices, values, report } = options
    this.#authority = new AuthorityExchange({ devices, heard: new HeadsHeard(values), peer: link.peer, report })
    this.#authority.hearProved(link.peerHead)
    const { keyring, currentKey, keysHeard } = options
    this.#keys = new KeyExchange({ keyring, heard: keysHeard, peer: link.peer, current: currentKey })
    const wires = {
      control: this.#wire('control'),
      tty: this.#wire('tty'),
      ports: this.#wire('ports'),
      jobs: this.#wire('jobs'),
      files: this.#wire('files'),
    }
    const portAccount = this.#owned.add(new PortAccount(options.ledger, options.clock))
    const controlClient = createClient(peerContract, wires.control)
    this.#contacts = this.#owned.add(new ContactLogShare(options.contactLogs, controlClient, options.log))
    const ask = { ...options, device: link.peer, portAccount }
    this.#serve(wires, ask)
    this.#peer = {
      device: link.peer,
      control: controlClient,
      tty: createClient(peerTerminalContract, wires.tty),
      ports: createClient(peerPortsContract, wires.ports),
      jobs: createClient(peerJobsContract, wires.jobs),
      files: createClient(peerFilesContract, wires.files),
    }
    this.#listen()
    this.#owned.add(link.onDidClose(() => this.dispose()))
  }

  /**
   * Exchanges lists and the seat. Call once, when the session is known to whoever owns it.
   *
   * @returns the peer's clock minus this device's in ms, where the peer says what its clock shows
   */
  async meet(): Promise<number | undefined> {
    const { devices, version, peers, clock, log } = this.#options
    const askedMs = clock.nowMs()
    const answer = await this.#peer.control.meet({ devices: toBase64Url(devices.encodeStatements()), version, nowMs: askedMs })
    const answeredMs = clock.nowMs()
    await this.#takeDevices(answer.devices)
    await this.#authority.pull(this.#peer.control)
    await this.#keys.pull(this.#peer.control)
    this.#contacts.pullAll()
    this.#takeDisplays(answer.displays)
    if (answer.claim !== undefined) {
      await this.#takeClaim(answer.claim, { ageMs: answer.claimAgeMs, afterCut: answer.claimAgeMs >= FRESH_CLAIM_MS })
    }
    if (this.#owned.isDisposed) return undefined
    this.#owned.add(peers.add(this.#peer))
    this.#options.copies.tell(this.#peer)
    log.info('met a peer', { peer: this.#link.peer, version: answer.version })
    return answer.nowMs === undefined ? undefined : answer.nowMs - (askedMs + answeredMs) / 2
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #wire(lane: LaneName): Wire {
    const fault = (reason: string) =>
      this.#link.closeForFault(reason, `device ${this.#link.peer} broke the protocol of the ${lane} lane (${reason})`)
    const wire = new Wire(new LaneTransport(this.#link.lane(lane), fault))
    return this.#owned.add(wire)
  }

  #serve(
    wires: Record<'control' | 'tty' | 'ports' | 'jobs' | 'files', Wire>,
    ask: PeerSessionOptions & { device: Link['peer']; portAccount: PortAccount },
  ): void {
    const { devices, claims, seat, version, clock, log } = this.#options
    const allow = () => !this.#owned.isDisposed
    const options = { allow, onBug: (error: unknown, name: string) => log.error('a call of a peer failed', { name, error }) }
    const deviceChanges = this.#mapped(devices.onDidChange, () => ({ devices: toBase64Url(devices.encodeStatements()) }))
    const control = serve(
      peerContract,
      {
        meet: async (input) => {
          await this.#takeDevices(input.devices)
          return {
            devices: toBase64Url(devices.encodeStatements()),
            ...(claims.current ? { claim: toBase64Url(claims.encode()) } : {}),
            claimAgeMs: Math.min(seat.claimAgeMs, LONG_AGO_MS),
            displays: seat.displays.map(({ display, name }) => ({ display, name })),
            version,
            nowMs: clock.nowMs(),
          }
        },
        sayCopied: () => {
          this.#options.copies.pausePeer(this.#link.peer)
          return {}
        },
        settleCopy: ({ starts }) => {
          this.#options.copies.resumePeer(this.#link.peer, starts as StartId[])
          return {}
        },
        onDidChangeDevices: deviceChanges,
        pullAuthority: (input) => this.#authority.answer(input),
        onDidTakeOperations: this.#authority.onDidTake,
        pullContactLog: (input) => this.#contacts.answer(input),
        onDidTakeContactOperations: this.#contacts.onDidTake,
        pullKeys: (input) => this.#keys.answer(input),
        onDidChangeKeys: this.#mapped(this.#options.keyring.onDidChange, () => ({ have: this.#keys.names })),
        onDidClaimSeat: this.#mapped(seat.onDidHearClaim, () => ({ claim: toBase64Url(claims.encode()) })),
        onDidConfirmSeat: this.#mapped(seat.onDidConfirm, ({ session, claimId }) => ({ display: session.id, claimId })),
        onDidChangeDisplays: this.#mapped(seat.onDidChangeDisplays, (displays) => displays.map(({ display, name }) => ({ display, name }))),
        ...peerTerminalHandlers(ask),
        ...peerTasksHandlers(ask),
      },
      wires.control,
      options,
    )
    this.#owned.add(control)
    this.#owned.add(serve(peerTerminalContract, peerTtyHandlers(ask), wires.tty, options))
    this.#owned.add(serve(peerPortsContract, peerPortsHandlers(ask), wires.ports, options))
    const releases = new ProgramReleases(this.#options.values)
    this.#owned.add(serve(peerJobsContract, peerJobsHandlers({ ...ask, idsOf: (program) => releases.idsOf(program) }), wires.jobs, options))
    const files = { ...peerFilesHandlers(ask), onDidChangeScreen: this.#options.onDidChangeScreen }
    this.#owned.add(serve(peerFilesContract, files, wires.files, options))
  }

  #listen(): void {
    const { control, files } = this.#peer
    this.#owned.add(control.onDidChangeDevices(({ devices }) => this.#inTurn(() => this.#takeDevices(devices))))
    this.#owned.add(
      control.onDidTakeOperations((news) =>
        this.#inTurn(async () => {
          if (this.#authority.take(news)) await this.#authority.pull(control)
        }),
      ),
    )
    this.#owned.add(
      control.onDidChangeKeys((news) =>
        this.#inTurn(async () => {
          if (this.#keys.take(news)) await this.#keys.pull(control)
        }),
      ),
    )
    this.#owned.add(control.onDidTakeContactOperations((news) => this.#contacts.take(news)))
    this.#owned.add(control.onDidClaimSeat(({ claim }) => this.#inTurn(() => this.#takeClaim(claim, { ageMs: 0, afterCut: false }))))
    this.#owned.add(control.onDidChangeDisplays((displays) => this.#takeDisplays(displays)))
    this.#owned.add(
      control.onDidConfirmSeat(({ display, claimId }) => this.#options.claims.confirm(this.#link.peer, display as DisplayId, claimId)),
    )
    this.#owned.add(
      files.onDidChangeScreen(({ terminalId, screen, atMs }) => {
        this.#inTurn(async () => this.#options.lastScreens.keep(this.#link.peer, terminalId, screen, atMs))
      }),
    )
  }

  async #takeDevices(encoded: string): Promise<void> {
    await this.#options.devices.merge(fromBase64Url(encoded))
  }

  async #takeClaim(encoded: string, heard: { ageMs: number; afterCut: boolean }): Promise<void> {
    const news = this.#claimsIn(encoded)
    // What another device claimed and this peer passes on was made while that one could not tell us itself.
    const isOwn = news.every(({ device }) => device === this.#link.peer)
    if (news.length > 0) this.#options.seat.hear(news, { ...heard, afterCut: heard.afterCut || !isOwn })
  }

  /** The seat may still be at a device that was removed meanwhile: that claim counts for nothing, and keeps nobody from meeting. */
  #claimsIn(encoded: string): ReturnType<SeatClaims['take']> {
    try {
      return this.#options.claims.take(fromBase64Url(encoded))
    } catch (error) {
      if (errorCode(error) !== 'seat/refused') throw error
      this.#options.log.info('a seat claim is not taken', { peer: this.#link.peer, why: errorMessage(error) })
      return []
    }
  }

  #takeDisplays(displays: readonly { display: string; name: string }[]): void {
    const open = displays.map(({ display, name }) => ({ display: display as DisplayId, name }))
    this.#options.claims.reportOpenDisplays(this.#link.peer, open)
  }

  /** One after another; what a peer sent that cannot be used is its fault, and closes its link. */
  #inTurn(take: () => Promise<void>): void {
    this.#last = this.#last.then(async () => {
      if (this.#owned.isDisposed) return
      try {
        await take()
      } catch (error) {
        this.#options.log.warn('something a peer said cannot be used', {
          peer: this.#link.peer,
          code: errorCode(error),
          why: errorMessage(error),
        })
        if (/malformed/.test(errorCode(error))) this.#link.closeForFault(errorCode(error), errorMessage(error))
      }
    })
  }

  #mapped<From, To>(source: Event<From>, map: (value: From) => To): Event<To> {
    return (listener) => {
      const mapped = new Emitter<To>()
      const inner = mapped.event(listener)
      const outer = source((value) => mapped.fire(map(value)))
      return {
        dispose() {
          outer.dispose()
          inner.dispose()
        },
      }
    }
  }
}
