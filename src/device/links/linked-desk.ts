import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DeviceId } from '../../base/ids.ts'
import { LogGrantCheck } from '../../identity/log-grant-check.ts'
import type { SeatClaims } from '../../identity/seat-claims.ts'
import type { Vault } from '../../identity/vault.ts'
import type { Link } from '../../sync/lane.ts'
import { authorityNotice } from '../trust/authority-notice.ts'
import { CLOCK_NOTICE, clockNotice } from './clock-notice.ts'
import type { CopiedFolders } from './copied-folders.ts'
import type { DeviceParts } from '../device-parts.ts'
import type { DirectFiles } from '../files/direct-files.ts'
import { KeysHeard } from '../trust/key-exchange.ts'
import type { LastScreens } from '../desk/last-screens.ts'
import { StoredLinkBoard } from './link-board.ts'
import { recordLink } from './link-record.ts'
import type { LinksService } from './links-service.ts'
import type { LocalTerminals } from '../desk/local-terminals.ts'
import type { MeetingService } from './meeting-service.ts'
import type { Notices, StandingNotice } from '../notices.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import { PeerSession } from './peer-session.ts'
import { isRemoved } from '../trust/own-removal.ts'
import type { Peers } from './peers.ts'
import type { SeatService } from '../desk/seat-service.ts'

/** Epochs back that a device which was away is waited for. Each costs three topics at every rendezvous; one further back pairs anew. */
const MAX_LEFT = 4

export interface LinkedDeskOptions {
  readonly parts: DeviceParts
  readonly vault: Vault
  readonly desk: OpenDesk
  readonly claims: SeatClaims
  readonly lastScreens: LastScreens
  readonly copies: CopiedFolders
  readonly meeting: MeetingService
  readonly links: LinksService
  readonly notices: Notices
  readonly peers: Peers
  readonly seat: SeatService
  readonly terminals: LocalTerminals
  readonly direct: DirectFiles
}

/**
 * Lets an open desk be linked: links come up in the background and each gets its documents and a peer session. Never on the
 * way of an unlock. Disposing closes all links.
 */
export function linkDesk(options: LinkedDeskOptions): Disposable {
  const { parts, vault, desk, meeting, links, notices, terminals, copies, peers } = options
  const { datasetKeys, box } = vault.keys
  const { crypto } = parts
  const self = desk.context.signer.device
  const log = parts.log.child('links')
  const owned = new DisposableStore()
  const board = new StoredLinkBoard(desk.values, parts.clock, () => meeting.links?.set)
  const heard = owned.add(new KeysHeard(desk.values))
  const screens = owned.add(new Emitter<{ terminalId: string; screen: string; atMs: number }>())
  const clocks = new Map<DeviceId, StandingNotice>()
  const grants = owned.add(new LogGrantCheck({ devices: desk.devices, self, clock: parts.clock }))

  const take = (link: Link, all: DisposableStore) => {
    log.info('linked', { peer: link.peer })
    board.see(link.peer)
    const scope = all.add(new DisposableStore())
    scope.add(recordLink(desk.ledger, link, parts.clock))
    scope.add(link.onDidClose(() => all.release(scope))) // nothing of a link outlives it
    scope.add(desk.sync.attach(link))
    const session = scope.add(
      new PeerSession(link, {
        ...options,
        devices: desk.devices,
        values: desk.values,
        keyring: desk.keyring,
        contactLogs: desk.contactLogs,
        ledger: desk.ledger,
        currentKey: () => datasetKeys.current,
        keysHeard: heard,
        report: (report) => notices.put(authorityNotice(report, desk.devices)),
        grants,
        host: parts.host,
        files: parts.files,
        onDidChangeScreen: screens.event,
        version: parts.version,
        clock: parts.clock,
        log,
      }),
    )
    void session
      .meet()
      .then((clockOffsetMs) => {
        const name = desk.devices.devices.get(link.peer)?.name ?? link.peer.slice(0, 12)
        const notice = clockOffsetMs === undefined ? undefined : clockNotice(name, clockOffsetMs)
        clocks.delete(link.peer)
        if (notice) clocks.set(link.peer, notice)
        const last = [...clocks.values()].at(-1) // one peer's good clock says nothing about another's
        if (last) notices.put(last)
        else notices.takeBack(CLOCK_NOTICE)
        links.tell()
      })
      .then(tellAllScreens)
      .catch((error) => log.warn('meeting a peer failed', { peer: link.peer, code: errorCode(error), why: errorMessage(error) }))
    links.tell()
  }
  let current: DisposableStore | undefined
  owned.add(
    meeting.onDidOpen((set) => {
      current?.dispose()
      const scope = (current = new DisposableStore())
      scope.add(set.onDidLink((link) => take(link, scope)))
      scope.add(
        set.onDidUnlink(({ peer, reason }) => {
          log.info('unlinked', { peer, reason })
          if (desk.devices.isMember(peer)) board.see(peer)
          links.tell()
        }),
      )
      const { onDidLearnRendezvous } = set
      scope.add(onDidLearnRendezvous(({ peer, urls }) => board.keepRendezvous(peer, urls)))
      for (const link of set.links.values()) take(link, scope)
    }),
  )
  owned.defer(() => {
    meeting.close()
    current?.dispose()
  })
  owned.add(links.use(board))
  owned.add(terminals.onDidChangeScreen(({ terminalId }) => void tellScreen(terminalId)))
  /** A device that was away when a terminal changed last has no screen of it yet, or an old one. */
  const tellAllScreens = async () => {
    for (const { terminalId } of await terminals.list()) await tellScreen(terminalId)
  }
  const tellScreen = async (terminalId: string) => {
    if (!screens.hasListeners) return
    try {
      screens.fire({ terminalId, screen: await terminals.screen(terminalId), atMs: parts.clock.nowMs() })
    } catch (error) {
      log.debug('the screen of a terminal could not be told', { terminalId, why: errorMessage(error) })
    }
  }
  owned.add(meeting.onDidMeetTwin(() => copies.handleTwin(peers.all)))
  owned.add(copies.onDidPauseSelf(() => meeting.close()))
  if (copies.isSelfPaused || isRemoved(desk.devices, self)) return owned
  const behind = () => desk.devices.members.map(({ device }) => device).filter((id) => id !== self && !heard.has(id, datasetKeys.current))
  /** Out of a recovery kit, and linked with nobody yet. All others were let in by a device that the rest know. */
  const isNew = () => vault.holdsPerson && heard.isEmpty
  const admission = {
    own: () => (isNew() ? desk.devices.admissionOf(self) : undefined),
    take: (shown: Uint8Array) => desk.devices.takeAdmission(shown),
  }
  /** A kit may be of any time: where all have met at first is never given up, once keys have changed. */
  const leftSecrets = () => {
    const left = datasetKeys.leftRendezvousSecrets
    const awaited = behind().length > 0 ? left.slice(0, MAX_LEFT) : []
    const first = left.at(-1)
    return first && awaited.length < left.length ? [...awaited, first] : awaited
  }
  const directionsFor = (device: DeviceId) => {
    const record = desk.devices.isMember(device) ? desk.devices.devices.get(device) : undefined
    return record && crypto.sealTo(record.boxKey, datasetKeys.rendezvousSecret)
  }
  meeting.open({
    signer: desk.context.signer,
    check: desk.context.check,
    head: () => desk.devices.head,
    secrets: () => ({
      rendezvousSecret: datasetKeys.rendezvousSecret,
      leftSecrets: leftSecrets(),
      behind,
      admission,
      directionsFor,
      openDirections: (sealed) => box.open(sealed),
    }),
    onDidChangeSecrets: (listener) => {
      const both = new DisposableStore()
      both.add(desk.keyring.onDidChange(listener))
      const isOver = () => datasetKeys.leftRendezvousSecrets.length > 0 && behind().length === 0
      let wasNew = isNew()
      const handleHeard = () => {
        if (wasNew || isOver()) queueMicrotask(() => listener()) // known now, or nobody is waited for any more
        wasNew = false
      }
      both.add(heard.onDidHear(handleHeard))
      return both
    },
    // After the peers have been told: a device that was removed hears why before its link ends.
    onDidChangeMembers: (listener) => desk.devices.onDidChange(() => queueMicrotask(() => listener())),
    known: board.knownRendezvous,
  })
  return owned
}
