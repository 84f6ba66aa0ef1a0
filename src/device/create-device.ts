import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { deviceHostLabel } from '../base/ids.ts'
import { passphraseBytes } from '../identity/passphrase.ts'
import { SeatClaims } from '../identity/seat-claims.ts'
import { Vault } from '../identity/vault.ts'
import type { Transport } from '../rpc/channel.ts'
import type { Handlers, Need } from '../rpc/contract.ts'
import { serve } from '../rpc/serve.ts'
import { Wire } from '../rpc/wire.ts'
import { controlContract } from './control-contract.ts'
import { debugText } from './debug-text.ts'
import { DeskService } from './desk-service.ts'
import { DeviceError } from './device-error.ts'
import type { DeviceParts } from './device-parts.ts'
import { displayContract } from './display-contract.ts'
import { DisplaySession } from './display-session.ts'
import { DoorService } from './door-service.ts'
import { FilesService } from './files-service.ts'
import { LastScreens } from './last-screens.ts'
import { LinksService } from './links-service.ts'
import { LocalTerminals } from './local-terminals.ts'
import { Notices } from './notices.ts'
import { openDesk, type OpenDesk } from './open-desk.ts'
import { PairingService } from './pairing-service.ts'
import { Peers } from './peers.ts'
import { SeatService } from './seat-service.ts'
import { SettingsService } from './settings-service.ts'
import { TasksService } from './tasks-service.ts'
import { TerminalService } from './terminal-service.ts'

/** One device: everything joined. Knows all rooms and decides nothing itself. */
export interface Device extends Disposable {
  /** Host labels its desk is served at: the device id's, once there is one. */
  readonly label: string | undefined
  readonly notices: Notices
  /** A display has connected; it finds the door. */
  acceptDisplay(transport: Transport): void
  /** The command line or the supervisor has connected over the 0600 socket. */
  acceptControl(transport: Transport, door: ControlDoor): void
}

/** What the entry point knows and a device does not. */
export interface ControlDoor {
  readonly pid: number
  origin(): string
  oneTimeUrl(): string
}

/**
 * Builds a device out of its rooms and the platform's parts (style guide R4).
 *
 * @throws IdentityError `vault/damaged`, `vault/newer`
 */
export async function createDevice(parts: DeviceParts): Promise<Device> {
  const { clock, log, crypto, random } = parts
  const owned = new DisposableStore()
  const vault = owned.add(await Vault.load({ crypto, store: parts.vaultStore, clock, logger: log.child('identity') }))
  const notices = owned.add(new Notices(clock))
  const settings = owned.add(new SettingsService(parts.settingsStore, parts.hostName))
  const sessions = new Set<DisplaySession>()
  const peers = owned.add(new Peers())
  const seat = owned.add(new SeatService(clock, log.child('seat')))
  const pairing = owned.add(new PairingService())
  const local = owned.add(new LocalTerminals(parts.host))

  let open: { readonly desk: OpenDesk; readonly lastScreens: LastScreens; readonly owned: DisposableStore } | undefined
  let opening: Promise<void> | undefined
  const requireOpen = () => {
    if (open) return open
    throw new DeviceError('device/locked', 'this device is locked; unlock it with your passphrase first')
  }
  const desk = () => requireOpen().desk
  const self = () => desk().context.signer.device

  const links = owned.add(new LinksService({ crypto, pairing, desk, renameSelf: async (name) => void (await deskService.rename(name)) }))
  const terminals = owned.add(new TerminalService({ local, peers, self, lastScreens: () => requireOpen().lastScreens }))
  const files = new FilesService({ local: parts.files, peers, self })
  const tasks = new TasksService({ local: parts.host, peers, self })

  const openNow = async () => {
    const scope = new DisposableStore()
    try {
      const opened = scope.add(await openDesk(parts, vault, notices))
      const { signer, check } = opened.context
      const person = vault.keys.person
      const claims = scope.add(SeatClaims.open({ crypto, clock, person, list: check, store: opened.values }))
      const nameOf = (device: string) => opened.devices.members.find((record) => record.device === device)?.name ?? device.slice(0, 12)
      scope.add(seat.use({ claims, signer, nameOf }))
      scope.add(opened.devices.onDidChange(() => links.tell()))
      open = { desk: opened, lastScreens: new LastScreens(opened.values), owned: scope }
      log.info('the desk is open', { documents: opened.documents.all().length, devices: opened.devices.members.length })
    } catch (error) {
      scope.dispose()
      vault.lockDevice()
      throw error
    }
  }
  const openIfNeeded = async () => {
    if (!open) await (opening ??= openNow().finally(() => (opening = undefined)))
  }
  const close = () => {
    const closing = open
    open = undefined
    for (const session of sessions) session.lock()
    closing?.owned.dispose()
  }
  const lockDevice = (): string[] => {
    const stopped = ['Your windows stay as they are on your other devices; this one shows them again when you unlock it.']
    const linked = peers.all.length
    if (linked > 0)
      stopped.push(`${linked === 1 ? 'The link to 1 device' : `The links to ${linked} devices`} closed: changes wait until you unlock.`)
    stopped.push('Programs in terminals go on.')
    close()
    vault.lockDevice()
    return stopped
  }

  const door: DoorService = owned.add(
    new DoorService({
      vault,
      notices,
      settings,
      version: parts.version,
      seat: () => seat.state,
      openDesk: openIfNeeded,
      claimSeat: (session, how) => void seat.claim(session, how).catch((error) => log.error('the seat could not be claimed', { error })),
    }),
  )
  owned.add(seat.onDidChange(() => door.tell()))
  const text = () => debugText({ vault, notices, links, version: parts.version, sessions, desk: () => open?.desk })
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
    lockDevice,
    debugText: async () => text(),
  })
  owned.defer(close)

  if (vault.phase === 'sealed' && (await vault.startUnattended().catch(reportUnattended(log, notices)))) await openIfNeeded()

  const handlersOf = (session: DisplaySession) => ({
    ...door.handlers(session),
    ...deskService.handlers(session),
    ...links.handlers(),
    ...terminals.handlers(session),
    ...files.handlers(),
    ...tasks.handlers(),
  })
  const onBug = (error: unknown, name: string) => log.error('a call failed in a way nobody foresaw', { name, error })

  return {
    get label() {
      return vault.label && deviceHostLabel(vault.label.deviceId)
    },
    notices,
    acceptDisplay(transport) {
      const session = new DisplaySession(new Wire(transport), random)
      sessions.add(session)
      session.owned.defer(() => sessions.delete(session))
      const allow = (need: Need) => need.startsWith('door:') || (need.startsWith('desk:') && session.isUnlocked && open !== undefined)
      session.owned.add(serve(displayContract, handlersOf(session), session.wire, { allow, onBug }))
    },
    acceptControl(transport, controlDoor) {
      const session = new DisplaySession(new Wire(transport), random)
      const allow = (need: Need) =>
        need.startsWith('local:') || need.startsWith('door:') || (need.startsWith('desk:') && open !== undefined)
      const handlers = { ...handlersOf(session), ...controlHandlers(controlDoor) }
      session.owned.add(serve({ ...displayContract, ...controlContract }, handlers, session.wire, { allow, onBug }))
    },
    dispose() {
      for (const session of [...sessions]) session.dispose()
      owned.dispose()
    },
  }

  function controlHandlers(controlDoor: ControlDoor): Handlers<typeof controlContract> {
    return {
      status: () => ({
        pid: controlDoor.pid,
        phase: vault.phase === 'none' ? 'first-run' : vault.phase,
        ...(vault.label ? { deviceId: vault.label.deviceId, personName: vault.label.personName } : {}),
        deviceName: vault.label?.deviceName ?? settings.current.deviceName,
        origin: controlDoor.origin(),
        displays: [...sessions].map(({ name, isUnlocked }) => ({ name, unlocked: isUnlocked })),
        links: peers.all.length,
        version: parts.version,
      }),
      openEntrance: () => ({ url: controlDoor.oneTimeUrl() }),
      unlockDevice: async ({ passphrase }) => {
        const display = `control-${random.bytes(8).join('')}`
        await vault.unlock(display, passphraseBytes(passphrase))
        await openIfNeeded()
        vault.lockDisplay(display)
        door.tell()
        return {}
      },
      createDevice: async ({ personName, deviceName, passphrase, unattended }) => {
        const display = `control-${random.bytes(8).join('')}`
        await vault.create({ display, personName, deviceName, passphrase: passphraseBytes(passphrase), unattended })
        settings.change({ deviceName, unattended })
        await openIfNeeded()
        vault.lockDisplay(display)
        return { deviceId: self() }
      },
    }
  }
}

/** A device that can't open by itself waits for its passphrase; the door says why. */
const reportUnattended =
  (log: DeviceParts['log'], notices: Notices) =>
  (error: unknown): false => {
    log.error('could not open unattended', { error })
    notices.put({
      code: 'vault/unattended-failed',
      severity: 'error',
      message: 'This device could not open by itself after the start; unlock it once.',
    })
    return false
  }
