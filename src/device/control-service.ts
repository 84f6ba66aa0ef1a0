import { toBase58 } from '../base/base58.ts'
import type { DisplayId } from '../base/ids.ts'
import type { RandomSource } from '../base/random.ts'
import { IdentityError } from '../identity/identity-error.ts'
import { passphraseBytes } from '../identity/passphrase.ts'
import type { Vault } from '../identity/vault.ts'
import type { Handlers } from '../rpc/contract.ts'
import type { controlContract } from './control-contract.ts'
import type { DeskKeeper } from './desk/desk-keeper.ts'
import type { DisplaySession } from './desk/display-session.ts'
import type { PairingService } from './trust/pairing-service.ts'
import type { Peers } from './links/peers.ts'
import type { RecoveryService } from './trust/recovery-service.ts'
import type { SettingsService } from './settings-service.ts'
import type { ShellService } from './jobs/shell-service.ts'
import type { WalletService } from './trust/wallet-service.ts'

/** What the entry point knows and a device does not. */
export interface ControlDoor {
  readonly pid: number
  /** Where displays go; opens nothing by itself. */
  origin(): string
  oneTimeUrl(): string
}

export interface ControlServiceOptions {
  readonly vault: Vault
  readonly keeper: DeskKeeper
  readonly recovery: RecoveryService
  readonly peers: Peers
  readonly pairing: PairingService
  readonly settings: SettingsService
  readonly wallet: WalletService
  readonly shells: ShellService
  readonly random: RandomSource
  readonly version: string
  readonly sessions: ReadonlySet<DisplaySession>
  debugText(): string
}

/** What the command line and the supervisor may ask, over the 0600 socket. */
export class ControlService {
  readonly #options: ControlServiceOptions

  constructor(options: ControlServiceOptions) {
    this.#options = options
  }

  /** `session`: this connection. The root key that it opened goes with it. */
  handlers(door: ControlDoor, session: DisplaySession): Handlers<typeof controlContract> {
    const { vault, keeper, recovery, peers, pairing, settings, version, sessions, wallet } = this.#options
    return {
      ...wallet.controlHandlers(),
      status: () => ({
        pid: door.pid,
        phase: vault.phase === 'none' ? 'first-run' : vault.phase,
        ...(vault.label ? { deviceId: vault.label.deviceId, personName: vault.label.personName } : {}),
        deviceName: vault.label?.deviceName ?? settings.current.deviceName,
        origin: door.origin(),
        displays: [...sessions].map(({ name, isUnlocked }) => ({ name, unlocked: isUnlocked })),
        links: peers.all.length,
        version,
      }),
      serveShells: () => {
        this.#options.shells.serve()
        return {}
      },
      openEntrance: () => ({ url: door.oneTimeUrl() }),
      unlockDevice: async ({ passphrase }) => {
        await this.#asDisplay((display) => vault.unlock(display, passphraseBytes(passphrase)))
        return {}
      },
      createDevice: async ({ personName, deviceName, passphrase, unattended }) => {
        await this.#asDisplay((display) =>
          vault.create({ display, personName, deviceName, passphrase: passphraseBytes(passphrase), unattended }),
        )
        settings.change({ deviceName, unattended })
        return { deviceId: keeper.self() }
      },
      restoreDevice: async (input) => {
        await this.#asDisplay((display) => recovery.restore(input, display))
        const { devices } = keeper.require().desk
        const { deviceId, personName } = vault.label as NonNullable<typeof vault.label>
        const others = devices.members.filter(({ device }) => device !== deviceId).map(({ name }) => name)
        return { deviceId, personName, others }
      },
      openPerson: async ({ passphrase }) => {
        if (!vault.holdsPerson) {
          throw new IdentityError(
            'vault/no-person-key',
            'your person key lies on the device where you first set up Elsewhere; do this there',
          )
        }
        session.owned.defer(() => vault.lockDisplay(session.id))
        await vault.unlock(session.id, passphraseBytes(passphrase))
        await keeper.open()
        return {}
      },
      closePerson: () => {
        vault.lockDisplay(session.id)
        return {}
      },
      readDebug: () => ({ text: this.#options.debugText() }),
      readPairing: () => pairing.state,
    }
  }

  /** Opens the vault as a display that leaves again at once: person keys do not stay, device keys do. */
  async #asDisplay(open: (display: DisplayId) => Promise<void>): Promise<void> {
    const { vault, keeper, random } = this.#options
    const display = toBase58(random.bytes(16)) as DisplayId
    await open(display)
    try {
      await keeper.open()
    } finally {
      vault.lockDisplay(display)
    }
  }
}
