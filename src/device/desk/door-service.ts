import { fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import { type Disposable, toDisposable } from '../../base/disposable.ts'
import { Emitter, type Event } from '../../base/emitter.ts'
import { hasControlCharacter } from '../../identity/device-statement.ts'
import { passphraseBytes } from '../../identity/passphrase.ts'
import type { Vault } from '../../identity/vault.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { passkeyContract } from '../trust/passkey-contract.ts'
import type { recoveryContract, RestoreInput } from '../trust/recovery-contract.ts'
import type { doorContract, DoorState, SeatState } from './desk-contract.ts'
import type { DisplaySession } from './display-session.ts'
import type { walletSignInContract } from '../trust/wallet-sign-in-contract.ts'
import type { OwnWay, WalletSignIns } from '../trust/wallet-sign-ins.ts'
import type { Notices } from '../notices.ts'
import type { ReturningDisplays } from './returning-displays.ts'
import type { SealedState } from './desk-keeper.ts'
import type { SettingsService } from '../settings-service.ts'

export interface DoorOptions {
  readonly vault: Vault
  readonly notices: Notices
  readonly settings: SettingsService
  readonly version: string
  readonly returning: ReturningDisplays
  readonly wallets: WalletSignIns
  seat(): SeatState | undefined
  isDeskOpen(): boolean
  /** Why the keys are closed, while they are. */
  sealed(): SealedState
  /** The device keys have just been opened: the desk must be there before the call answers. */
  openDesk(): Promise<void>
  /** Makes the vault out of a recovery kit and counts the display as unlocked. */
  restore(input: RestoreInput, display: string): Promise<void>
  /** An unlocked display sits down. */
  claimSeat(session: DisplaySession, how: 'move' | 'beside'): void
}

/**
 * What any display may ask, locked or not: look at the door, make the vault, unlock (flow A). Nothing here touches the
 * network. Knows both locks: the device's (vault) and each display's (session).
 */
export class DoorService implements Disposable {
  readonly #options: DoorOptions
  readonly #changed = new Emitter<void>()
  readonly #subscriptions: Disposable[]
  /** Displays that are back sooner than the desk they go on with, and the wallet that had opened each. */
  readonly #resuming = new Map<DisplaySession, string | undefined>()

  constructor(options: DoorOptions) {
    this.#options = options
    const tell = () => {
      if (options.vault.phase === 'sealed') this.#resuming.clear() // nobody goes on without keys
      this.#changed.fire()
    }
    this.#subscriptions = [
      options.vault.onDidChange(tell),
      options.notices.onDidChange(tell),
      options.settings.onDidChange(tell),
      options.wallets.onDidChange(tell),
    ]
  }

  /** Something that every door shows has changed. */
  readonly onDidChange: Event<void> = (listener) => this.#changed.event(listener)

  /** Call when the seat changed. */
  tell(): void {
    this.#changed.fire()
  }

  /** Call when the desk was opened: displays that wait for it go on. */
  handleDeskOpened(): void {
    for (const [session, wallet] of this.#resuming) void this.#resume(session, wallet)
    this.#resuming.clear()
    this.tell()
  }

  state(session: DisplaySession): DoorState {
    const { vault, notices, settings, version } = this.#options
    const { label } = vault
    const seat = this.#options.seat()
    return {
      phase:
        vault.phase === 'none' ? 'first-run' : vault.phase === 'sealed' ? 'sealed' : session.isUnlocked ? 'unlocked' : 'display-locked',
      ...(vault.phase === 'sealed' && sealedState(this.#options.sealed())),
      ...(label ? { deviceId: label.deviceId, personName: label.personName } : {}),
      deviceName: label?.deviceName ?? settings.current.deviceName,
      ...(seat ? { seat } : {}),
      ...(session.handedOverTo === undefined ? {} : { handedOverTo: session.handedOverTo }),
      version,
      notices: notices.standing,
      unattended: vault.unattended,
      walletSignIn: this.#options.wallets.isPossible,
      ...(vault.passkey && {
        passkey: { credentialId: toBase64Url(vault.passkey.credentialId), salt: toBase64Url(vault.passkey.salt) },
      }),
    }
  }

  handlers(
    session: DisplaySession,
  ): Handlers<typeof doorContract & typeof passkeyContract & typeof walletSignInContract & Pick<typeof recoveryContract, 'restoreVault'>> {
    const { vault, settings } = this.#options
    return {
      hello: ({ displayName }) => {
        session.name = plainName(displayName)
        this.#welcome(session)
        return this.state(session)
      },
      createVault: async ({ personName, deviceName, passphrase, unattended }) => {
        await vault.create({ display: session.id, personName, deviceName, passphrase: passphraseBytes(passphrase), unattended })
        settings.change({ deviceName, unattended })
        await this.#enter(session, 'move', 'passphrase')
        return this.state(session)
      },
      restoreVault: async (input) => {
        await this.#options.restore(input, session.id)
        await this.#enter(session, 'move', 'passphrase')
        return this.state(session)
      },
      unlock: async ({ passphrase, how }) => {
        await vault.unlock(session.id, passphraseBytes(passphrase))
        await this.#enter(session, how, 'passphrase')
        return this.state(session)
      },
      unlockByPasskey: async ({ answer, how }) => {
        await vault.unlockByPasskey(session.id, fromBase64Url(answer))
        await this.#enter(session, how, 'passkey')
        return this.state(session)
      },
      ...this.#options.wallets.handlers(session),
      signInByWallet: ({ answer, how }) => {
        this.#options.wallets.take(session, answer)
        session.unlock() // the display only: whatever of the vault is sealed stays so
        this.#options.claimSeat(session, how)
        return this.state(session)
      },
      setPasskey: async ({ passphrase, credentialId, salt, answer }) => {
        const question = { credentialId: fromBase64Url(credentialId), salt: fromBase64Url(salt) }
        await vault.setPasskey(passphraseBytes(passphrase), question, fromBase64Url(answer))
        return {}
      },
      forgetPasskey: async () => {
        await vault.forgetPasskey()
        return {}
      },
      openDevice: async ({ opener }) => {
        await vault.openBy(fromBase64Url(opener))
        await this.#options.openDesk()
        return this.state(session)
      },
      onDidChangeDoor: (listener) => this.#watch(session, () => listener(this.state(session))),
    }
  }

  /** A display that was sent away a moment ago: says where its desk went, or goes on unlocked. */
  #welcome(session: DisplaySession): void {
    const before = this.#options.returning.welcome(session.entrance)
    if (before?.handedOverTo !== undefined) session.handedOverTo = before.handedOverTo
    if (!before?.resumes) return
    if (this.#options.isDeskOpen()) return void this.#resume(session, before.wallet)
    this.#resuming.set(session, before.wallet) // a page reloads faster than a desk is joined
    session.owned.defer(() => this.#resuming.delete(session))
  }

  async #resume(session: DisplaySession, wallet: string | undefined): Promise<void> {
    if (wallet !== undefined && (!(await this.#options.wallets.resume(session, wallet)) || session.wire.closeReason !== undefined)) return
    session.unlock()
    this.#options.claimSeat(session, 'beside') // the device that showed the code is in front of the same person
  }

  async #enter(session: DisplaySession, how: 'move' | 'beside', way: OwnWay): Promise<void> {
    await this.#options.openDesk()
    if (session.wire.closeReason !== undefined) return this.#options.vault.lockDisplay(session.id) // it left meanwhile
    session.unlock()
    session.hold(toDisposable(() => this.#options.vault.lockDisplay(session.id))) // also when the seat moves on: person keys go at once
    this.#options.claimSeat(session, how)
    void this.#options.wallets.signOwn(session, way)
  }

  #watch(session: DisplaySession, tell: () => void): Disposable {
    const [everywhere, here] = [this.#changed.event(tell), session.onDidChange(tell)]
    return {
      dispose() {
        everywhere.dispose()
        here.dispose()
      },
    }
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose()
    this.#changed.dispose()
  }
}

const sealedState = ({ because, stopped }: SealedState) => ({ sealedBecause: because, stopped: [...stopped] })

/** What a display calls itself goes to other displays and into signed claims, which peers refuse with such characters in them. */
const plainName = (name: string): string => [...name].filter((character) => !hasControlCharacter(character)).join('') || 'a display'
