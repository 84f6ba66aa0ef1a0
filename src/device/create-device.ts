import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { deviceHostLabel } from '../base/ids.ts'
import { offerSha256 } from '../base/sha256.ts'
import { Vault } from '../identity/vault.ts'
import type { Transport } from '../rpc/channel.ts'
import type { Handlers, Need } from '../rpc/contract.ts'
import { serve } from '../rpc/serve.ts'
import { Wire } from '../rpc/wire.ts'
import { controlContract } from './control-contract.ts'
import { AnchorService } from './trust/anchor-service.ts'
import { AutoLock } from './desk/auto-lock.ts'
import { type ControlDoor, ControlService } from './control-service.ts'
import { BehaviourService } from './jobs/behaviour-service.ts'
import { ContactsService } from './contacts/contacts-service.ts'
import { BucketService } from './files/bucket-service.ts'
import { DatasetListService } from './files/dataset-list-service.ts'
import { DatasetService } from './files/dataset-service.ts'
import { debugText } from './debug-text.ts'
import { DeskKeeper } from './desk/desk-keeper.ts'
import { DeskService } from './desk/desk-service.ts'
import type { DeviceParts } from './device-parts.ts'
import { type DisplayContract, displayContract } from './display-contract.ts'
import { DisplaySession } from './desk/display-session.ts'
import { EnginesService } from './engines/engines-service.ts'
import { DoorService } from './desk/door-service.ts'
import { GrantsService } from './trust/grants-service.ts'
import { GuestJobs } from './jobs/guest-jobs.ts'
import type { Archive } from './files/archive/archive.ts'
import { type FileView, FileViews } from './files/file-views.ts'
import { DirectFiles } from './files/direct-files.ts'
import { FileLinks } from './files/file-links.ts'
import { FilesService } from './files/files-service.ts'
import { JobsService } from './jobs/jobs-service.ts'
import { LedgerService } from './trust/ledger-service.ts'
import { LinksService } from './links/links-service.ts'
import { LocalTerminals } from './desk/local-terminals.ts'
import { MeetingService } from './links/meeting-service.ts'
import { Notices } from './notices.ts'
import { PairingService } from './trust/pairing-service.ts'
import { Peers } from './links/peers.ts'
import { PlacementService } from './jobs/placement-service.ts'
import { RecoveryService } from './trust/recovery-service.ts'
import { releaseHandlers } from './trust/release-handlers.ts'
import { ReturningDisplays } from './desk/returning-displays.ts'
import { SeatService } from './desk/seat-service.ts'
import { SettingsService } from './settings-service.ts'
import { ShellService } from './jobs/shell-service.ts'
import { TasksService } from './desk/tasks-service.ts'
import { TerminalService } from './desk/terminal-service.ts'
import { WorkflowService } from './workflow/workflow-service.ts'
import { WalletService } from './trust/wallet-service.ts'
import { WalletSignIns } from './trust/wallet-sign-ins.ts'

/** One device: everything joined. Knows all rooms and decides nothing itself. */
export interface Device extends Disposable {
  /** Host label its desk is served at: the device id's, once there is one. */
  readonly label: string | undefined
  /** Its keys are closed: somebody may come and unlock it. */
  readonly isSealed: boolean
  readonly notices: Notices
  /** A display has connected; it finds the door. `entrance` names the cookie it came with, `host` where its page was served. */
  acceptDisplay(transport: Transport, entrance?: string, host?: string): void
  /** A file that a display looks at, by the path of its address; undefined: not this cookie's, closed, or the display is locked. */
  findView(path: string, entrance: string): FileView | Archive | undefined
  /** The command line or the supervisor has connected over the 0600 socket. */
  acceptControl(transport: Transport, door: ControlDoor): void
}

/**
 * Builds a device out of its rooms and the platform's parts (style guide R4).
 *
 * @throws IdentityError `vault/damaged`, `vault/newer`
 */
export async function createDevice(parts: DeviceParts): Promise<Device> {
  const { clock, log, crypto, random, version } = parts
  offerSha256((bytes) => crypto.sha256(bytes))
  const owned = new DisposableStore()
  const sessions = new Set<DisplaySession>()
  const returning = new ReturningDisplays(clock)

  const vault = owned.add(
    await Vault.load({
      crypto,
      store: parts.vaultStore,
      clock,
      logger: log.child('identity'),
      ...(parts.argon2 && { argon2: parts.argon2 }),
    }),
  )
  const notices = owned.add(new Notices(clock))
  const settings = owned.add(new SettingsService(parts.settingsStore, parts.hostName))
  const peers = owned.add(new Peers())
  const seat = owned.add(new SeatService(clock, log.child('seat'), returning))
  const terminals = owned.add(new LocalTerminals(parts.host, log.child('terminals')))
  const meeting = owned.add(new MeetingService({ parts, settings, notices, clock, random, log: log.child('links') }))

  const desk = () => keeper.require().desk
  const self = () => keeper.self()
  const introduction = () => ({
    device: self(),
    boxKey: vault.keys.box.publicKey,
    name: vault.label?.deviceName ?? parts.hostName,
    platform: parts.platform,
    personName: vault.label?.personName ?? '',
  })
  const personKey = () => (vault.isPersonOpen ? vault.personKey : undefined)
  const pairingParts = { crypto, clock, log: log.child('identity'), meeting, desk }
  const pairing: PairingService = owned.add(
    new PairingService({
      ...pairingParts,
      self: introduction,
      deed: {
        admit: async (device) => {
          const { devices, context } = desk()
          devices.add(device, context.signer, personKey())
          const { person, datasetKeys } = vault.keys
          const personName = vault.label?.personName ?? ''
          return { person, personName, deviceList: devices.encode(), datasetKeys: datasetKeys.encode() }
        },
        adopt: (grant) => keeper.adopt(grant),
      },
    }),
  )
  const contacts: ContactsService = owned.add(
    new ContactsService({
      sockets: parts.portSockets,
      files: parts.files,
      host: parts.host,
      terminals,
      ...pairingParts,
      introduction,
      personKey,
      ports: { listensOn: (port) => jobs.listensOn(port), connectPort: (port, signal) => jobs.connectPort(port, signal) },
    }),
  )
  const direct: DirectFiles = owned.add(
    new DirectFiles({
      local: parts.files,
      settings,
      peers,
      clock,
      log: log.child('files'),
      statsOf: (device) => links.statsOf(device),
      rtcOptions: () => meeting.rtcOptions,
    }),
  )
  const links: LinksService = owned.add(
    new LinksService({
      crypto,
      pairing,
      desk,
      personKey,
      renameSelf: (name) => deskService.rename(name),
      directFilesOf: (device) => direct.wayNow(device),
    }),
  )
  owned.add(direct.onDidChange(() => links.tell()))
  const grants = owned.add(new GrantsService({ clock, desk, personKey }))
  const wallet = owned.add(new WalletService(vault))
  const anchors: AnchorService = owned.add(
    new AnchorService({
      clock,
      log: log.child('identity'),
      settings,
      notices,
      wallet,
      desk,
      isDeskOpen: () => keeper.current !== undefined,
      openNetwork: (url) => parts.openAnchorNetwork(url),
    }),
  )
  const ledger = owned.add(
    new LedgerService({ crypto, desk, network: () => anchors.network(), walletAddress: async () => (await wallet.certificate()).address }),
  )
  const keepDisplays = () => {
    for (const session of sessions)
      if (session.isUnlocked) returning.expect(session.entrance, { resumes: true, wallet: walletSignIns.openedBy(session) })
  }
  const keeper: DeskKeeper = owned.add(
    new DeskKeeper({ parts, vault, notices, meeting, links, peers, seat, terminals, direct, keepDisplays }),
  )
  owned.add(
    keeper.onWillClose(() => {
      for (const session of sessions) session.lock()
    }),
  )
  const buckets = new BucketService({
    vault,
    vaultStore: parts.vaultStore,
    local: parts.files,
    log: log.child('files'),
    requireOpen: () => keeper.require(),
    reopen: () => datasets.reopen(),
  })
  const bucket = () => buckets.access()
  const datasetList = owned.add(
    new DatasetListService({ vaultStore: parts.vaultStore, crypto, local: parts.files, desk, log: log.child('files') }),
  )
  const listed = () => datasetList.encode()
  owned.add(keeper.onDidOpen((opened) => datasetList.follow(opened.desk, vault.keys)))
  owned.add(keeper.onWillClose(() => datasetList.close()))
  const recovery = new RecoveryService({
    ...{ vault, vaultStore: parts.vaultStore, crypto, clock, platform: parts.platform, settings, meeting, bucket, datasets: listed, desk },
    log: log.child('identity'),
  })
  const lockDisplay = (session: DisplaySession) => {
    vault.lockDisplay(session.id)
    session.lock()
  }
  const walletSignIns: WalletSignIns = owned.add(
    new WalletSignIns({
      ...{ crypto, clock, vault, vaultStore: parts.vaultStore, wallet, lockDisplay },
      log: log.child('identity'),
      desk: () => keeper.current?.desk,
    }),
  )
  const door = owned.add(
    new DoorService({
      vault,
      notices,
      settings,
      version,
      returning,
      wallets: walletSignIns,
      seat: () => seat.state,
      isDeskOpen: () => keeper.current !== undefined,
      sealed: () => keeper.sealed,
      openDesk: () => keeper.open(),
      restore: (input, display) => recovery.restore(input, display),
      claimSeat: (session, how) => void seat.claim(session, how).catch((error) => log.error('the seat could not be claimed', { error })),
    }),
  )
  owned.add(seat.onDidChange(() => door.tell()))
  owned.add(keeper.onDidOpen(() => void walletSignIns.follow())) // first: displays that go on ask it
  owned.add(keeper.onDidOpen(() => door.handleDeskOpened()))
  owned.add(keeper.onWillClose(() => walletSignIns.close()))
  owned.add(keeper.onDidOpen((opened) => grants.follow(opened.desk)))
  owned.add(keeper.onDidOpen((opened) => contacts.follow(opened.desk)))
  owned.add(keeper.onWillClose(() => contacts.close()))
  owned.add(keeper.onDidOpen((opened) => ledger.follow(opened.desk)))

  const autoLock = owned.add(
    new AutoLock({
      clock,
      settings,
      lock: (session) => {
        log.info('a display was not touched for a while: locked', { display: session.name })
        lockDisplay(session)
      },
    }),
  )

  owned.add(
    parts.onDidWake(() => {
      if (!settings.current.lockAfterSleep || vault.phase !== 'open') return
      log.info('the machine slept: locked')
      keeper.lock('slept')
    }),
  )

  const text = () => debugText({ vault, notices, links, version, sessions, desk: () => keeper.current?.desk })
  const deskService: DeskService = new DeskService({
    vault,
    door,
    seat,
    notices,
    settings,
    clock,
    fetch: parts.fetch,
    log,
    desk,
    touchOwner: () => jobs.touchOwner(),
    lockDevice: () => keeper.lock(),
    debugText: async () => text(),
  })
  const terminalService = owned.add(
    new TerminalService({ local: terminals, peers, contacts, self, lastScreens: () => keeper.require().lastScreens }),
  )
  const lastTexts = () => keeper.require().lastTexts
  const files = new FilesService({ local: parts.files, peers, self, lastTexts, clock, logger: log.child('files') })
  const views = new FileViews({ local: parts.files, homeOf: (device) => files.homeOf(device), random, clock })
  const datasets: DatasetService = owned.add(
    new DatasetService({
      local: parts.files,
      keeper,
      vault,
      settings,
      crypto,
      clock,
      bucket,
      notices,
      list: datasetList,
      log: log.child('files'),
    }),
  )
  owned.add(new FileLinks({ local: parts.files, peers, direct, self: () => keeper.current && self(), clock, log: log.child('files') }))
  const tasks = new TasksService({ local: parts.host, peers, self })
  const behaviours = owned.add(new BehaviourService({ local: parts.host, clock, log: log.child('jobs') }))
  owned.add(keeper.onDidOpen((opened) => behaviours.follow(opened.desk)))
  const engines = owned.add(
    new EnginesService({
      files: parts.files,
      host: parts.host,
      call: parts.engineCall,
      streams: parts.engineStreams,
      clock,
      log: log.child('jobs'),
      desk,
    }),
  )
  owned.add(keeper.onDidOpen((opened) => engines.follow(opened.desk)))
  owned.add(keeper.onWillClose(() => engines.close()))
  const placement: PlacementService = new PlacementService({
    local: parts.host,
    peers,
    clock,
    log: log.child('jobs'),
    self,
    rows: async (only) => links.rows(only),
    behaviours,
    engines,
  })
  const jobs: JobsService = owned.add(
    new JobsService({
      contacts,
      engines,
      ...{ local: parts.host, sockets: parts.portSockets, peers, placement, behaviours, clock, random, log: log.child('jobs'), desk },
    }),
  )
  owned.add(keeper.onDidOpen((opened) => jobs.follow(opened.desk)))
  const guestJobs = owned.add(new GuestJobs({ local: parts.host, clock, log: log.child('jobs') }))
  owned.add(keeper.onWillClose(() => jobs.close()))
  owned.add(keeper.onWillClose(() => behaviours.close()))
  const workflows = owned.add(
    new WorkflowService({
      ...{
        host: parts.host,
        files: parts.files,
        jobs,
        clock,
        random,
        log: log.child('jobs'),
        desk,
        self,
        rows: () => links.rows(),
        engines,
      },
    }),
  )
  owned.add(keeper.onDidOpen((opened) => workflows.follow(opened.desk)))
  owned.add(keeper.onWillClose(() => workflows.close()))
  const shells: ShellService = owned.add(
    new ShellService({
      ...{ door: parts.shellDoor, local: parts.host, placement, behaviours, peers, clock, log: log.child('jobs') },
    }),
  )
  owned.add(keeper.onDidOpen((opened) => shells.follow(opened.desk)))
  owned.add(keeper.onWillClose(() => shells.close()))
  const control = new ControlService({
    shells,
    vault,
    keeper,
    recovery,
    peers,
    pairing,
    settings,
    wallet,
    random,
    version,
    sessions,
    debugText: text,
  })

  await meeting.start()
  if (vault.phase === 'sealed') await openUnattended()

  const handlersOf = (session: DisplaySession): Handlers<DisplayContract> => ({
    ...door.handlers(session),
    ...deskService.handlers(session),
    ...recovery.handlers(),
    ...links.handlers(),
    ...contacts.handlers(),
    ...grants.handlers(),
    ...releaseHandlers(crypto, desk),
    ...ledger.handlers(),
    ...anchors.handlers(),
    ...wallet.handlers(),
    ...terminalService.handlers(session),
    ...files.handlers(),
    ...views.handlers(session),
    programId: async ({ program }, { signal }) => (await parts.host.client()).identifyProgram({ program, folder: '/' }, { signal }),
    ...datasets.handlers(session),
    ...datasetList.handlers(),
    ...buckets.handlers(),
    ...tasks.handlers(),
    ...placement.handlers(),
    ...jobs.handlers(session),
    ...guestJobs.handlers(),
    ...behaviours.handlers(),
    ...workflows.handlers(),
    ...engines.handlers(),
  })
  const onBug = (error: unknown, name: string) => log.error('a call failed in a way nobody foresaw', { name, error })

  return {
    get label() {
      return vault.label && deviceHostLabel(vault.label.deviceId)
    },
    get isSealed() {
      return vault.phase === 'sealed'
    },
    notices,
    acceptDisplay(transport, entrance, host) {
      const session = new DisplaySession(new Wire(transport), random, entrance, host)
      sessions.add(session)
      const tellDisplays = () => jobs.setDisplayOpen([...sessions].some(({ isUnlocked, entrance }) => isUnlocked && entrance !== undefined))
      session.onDidChange(tellDisplays)
      session.owned.defer(() => {
        sessions.delete(session)
        tellDisplays()
      })
      autoLock.watch(session)
      const mayUseDesk = () => session.isUnlocked && keeper.current !== undefined
      const allow = (need: Need) => need.startsWith('door:') || (need.startsWith('desk:') && mayUseDesk())
      session.owned.add(serve(displayContract, handlersOf(session), session.wire, { allow, onBug }))
    },
    findView: (path, entrance) => views.find(path, entrance),
    acceptControl(transport, controlDoor) {
      const session = new DisplaySession(new Wire(transport), random, undefined)
      const allow = () => true // what needs open keys says so itself, in words
      const handlers = { ...handlersOf(session), ...control.handlers(controlDoor, session) }
      session.owned.add(serve({ ...displayContract, ...controlContract }, handlers, session.wire, { allow, onBug }))
    },
    dispose() {
      for (const session of [...sessions]) session.dispose()
      owned.dispose()
    },
  }

  /** A device that cannot open by itself waits for its passphrase; the door says why. */
  async function openUnattended(): Promise<void> {
    try {
      if (await vault.startUnattended()) await keeper.open()
    } catch (error) {
      log.error('could not open unattended', { error })
      const message = 'This device could not open by itself after its start. Unlock it once; its log says what was wrong.'
      notices.put({ code: 'vault/unattended-failed', severity: 'error', message })
    }
  }
}
