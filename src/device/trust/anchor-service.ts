import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { IdentityError } from '../../identity/identity-error.ts'
import type { AnchorNetwork } from '../../identity/ledger/anchor-network.ts'
import type { LedgerAnchor } from '../../identity/ledger/anchor.ts'
import type { AnchorSettings, AnchorState, anchorContract } from '../../identity/ledger-contract.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { Notices } from '../notices.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import type { SettingsService } from '../settings-service.ts'
import type { WalletService } from './wallet-service.ts'

/** How often it is looked whether an anchor is due. */
const LOOK_EVERY_MS = 10 * 60_000
/** After one that could not be made. */
const RETRY_MS = 3_600_000
const HOUR_MS = 3_600_000
const NOTICE = 'ledger/not-anchored'

/** Public servers of the networks that have a name, and what their first block's hash begins with (CAIP-2). */
const NETWORKS = {
  devnet: { url: 'https://api.devnet.solana.com', genesisPrefix: 'EtWTRABZaYq6iMfeYKouRu166VU2xqa1' },
  'mainnet-beta': { url: 'https://api.mainnet-beta.solana.com', genesisPrefix: '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp' },
  custom: { url: '', genesisPrefix: '' },
} as const

export interface AnchorServiceOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly settings: SettingsService
  readonly notices: Notices
  readonly wallet: WalletService
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
  isDeskOpen(): boolean
  /** Loads what speaks with the network; nothing is sent by that. */
  openNetwork(url: string): Promise<AnchorNetwork>
}

/**
 * Anchors this device's ledger when its owner turned that on: now and then by itself, or when asked. Each device by itself,
 * from its own wallet. Every use of the wallet goes through its adapter.
 */
export class AnchorService implements Disposable {
  readonly #options: AnchorServiceOptions
  readonly #owned = new DisposableStore()
  readonly #stop = new AbortController()
  #notBeforeMs = 0
  #lastError: { readonly code: string; readonly message: string; readonly atMs: number } | undefined

  constructor(options: AnchorServiceOptions) {
    this.#options = options
    this.#owned.add(options.clock.every(LOOK_EVERY_MS, () => void this.#anchorIfDue()))
    this.#owned.defer(() => this.#stop.abort(new Error('the device ends')))
  }

  handlers(): Handlers<typeof anchorContract> {
    return {
      readAnchor: async ({ balance }) => {
        const state = await this.#state()
        if (!balance || state.settings.network === 'off') return state
        try {
          const network = await this.network()
          return { ...state, balanceLamports: await network?.balance(state.address) }
        } catch (error) {
          return { ...state, balanceError: errorMessage(error).slice(0, 400) }
        }
      },
      anchorLedger: async (_, { signal }) => {
        await this.#anchor(signal)
        return this.#state()
      },
      listAnchors: () => ({ anchors: this.#options.desk().anchors.all.slice(-1_000) }),
    }
  }

  /** Undefined while anchoring is off. */
  async network(): Promise<AnchorNetwork | undefined> {
    const { network, rpcUrl } = this.#settings
    return network === 'off' ? undefined : this.#options.openNetwork(rpcUrl || NETWORKS[network].url)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  get #settings(): AnchorSettings {
    return this.#options.settings.current.anchor
  }

  async #anchor(signal?: AbortSignal): Promise<LedgerAnchor> {
    const { wallet, desk, clock, notices } = this.#options
    const { network: name, dailyLamports } = this.#settings
    const network = await this.network()
    if (!network || name === 'off') {
      throw new IdentityError('anchor/off', 'anchoring is off; turn it on in Settings, or with "elsewhere ledger anchor --network devnet"')
    }
    const certificate = await wallet.certificate()
    const sign = async (message: Uint8Array) => wallet.signTransaction(message)
    const ending = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    try {
      const terms = { network, genesisPrefix: NETWORKS[name].genesisPrefix, dailyLamports }
      const anchor = await desk().anchorer.anchor({ certificate, sign }, terms, ending)
      this.#lastError = undefined
      notices.takeBack(NOTICE)
      return anchor
    } catch (error) {
      this.#lastError = { code: errorCode(error), message: errorMessage(error).slice(0, 400), atMs: clock.nowMs() }
      throw error
    }
  }

  async #anchorIfDue(): Promise<void> {
    const { clock, log, notices, isDeskOpen, desk } = this.#options
    if (this.#settings.network === 'off' || !isDeskOpen() || clock.monotonicMs() < this.#notBeforeMs) return
    const { anchors, anchorer } = desk()
    // Also when the last one lies as far ahead: the clock was wrong then.
    const sinceMs = Math.abs(clock.nowMs() - (anchors.last?.atMs ?? 0))
    const isDue = anchorer.uncovered > 0 && sinceMs >= this.#settings.everyHours * HOUR_MS
    if (!isDue && !anchors.pending) return
    try {
      await this.#anchor()
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.#notBeforeMs = clock.monotonicMs() + RETRY_MS
      log.warn('the ledger could not be anchored; tried again in an hour', { code: errorCode(error), why: errorMessage(error) })
      notices.put({ code: NOTICE, severity: 'warn', message: `The ledger could not be anchored: ${errorMessage(error)}` })
    }
  }

  async #state(): Promise<AnchorState> {
    const { desk, clock, wallet } = this.#options
    const { anchors, anchorer } = desk()
    const { last } = anchors
    return {
      settings: this.#settings,
      address: (await wallet.certificate()).address,
      spentTodayLamports: anchors.spentOn(clock.nowMs()),
      uncovered: anchorer.uncovered,
      isPending: anchors.pending !== undefined,
      count: anchors.all.length,
      ...(last && {
        last: {
          signature: last.signature,
          count: last.receipt.count,
          atMs: last.atMs,
          slot: last.slot,
          feeLamports: last.feeLamports,
          network: last.network,
        },
      }),
      ...(this.#lastError && { lastError: this.#lastError }),
    }
  }
}
