import { fromUtf8, toBase64Url } from '../../base/bytes.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import type { DeviceId } from '../../base/ids.ts'
import { type Crypto, SIGNATURE_BYTES } from '../../identity/crypto.ts'
import { IdentityError } from '../../identity/identity-error.ts'
import { LEDGER_PAGE, type LedgerRow, type ledgerContract } from '../../identity/ledger-contract.ts'
import type { AnchorNetwork } from '../../identity/ledger/anchor-network.ts'
import { type AnchorFinding, auditAnchors, auditOnNetwork } from '../../identity/ledger/audit-anchors.ts'
import { readReceipt } from '../../identity/ledger/ledger-receipt.ts'
import { ledgerSentence } from '../../identity/ledger/ledger-words.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

/** A turn of the loop: links, displays and timers go on while a long ledger is checked. */
const letOthersRun = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

export interface LedgerServiceOptions {
  readonly crypto: Crypto
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
  /** Where anchors are asked for; undefined while that is off. */
  network(): Promise<AnchorNetwork | undefined>
  walletAddress(): Promise<string>
}

/** The ledger as displays and the command line see it: entries in sentences, the check, and what goes to others. */
export class LedgerService implements Disposable {
  readonly #options: LedgerServiceOptions
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<{ count: number }>())
  #scope: Disposable | undefined

  constructor(options: LedgerServiceOptions) {
    this.#options = options
  }

  /** The desk has just been opened: follows its ledger until it closes. */
  follow({ ledger }: OpenDesk): void {
    this.#scope?.dispose()
    this.#scope = ledger.onDidChange((count) => this.#changed.fire({ count }))
  }

  handlers(): Handlers<typeof ledgerContract> {
    return {
      listLedger: ({ before, limit = LEDGER_PAGE }) => {
        const { ledger } = this.#options.desk()
        const end = Math.min(before ?? ledger.count, ledger.count)
        const start = Math.max(0, end - limit)
        return { count: ledger.count, rows: Array.from({ length: end - start }, (_, n) => this.#row(end - 1 - n)) }
      },
      onDidChangeLedger: this.#changed.event,
      verifyLedger: async ({ receipt, online = false }, { signal }) => {
        const { ledger, context, anchors } = this.#options.desk()
        const witness = receipt === undefined ? [] : [readReceipt(this.#options.crypto, receipt)]
        if (witness.some(({ device }) => device !== context.signer.device)) {
          throw new IdentityError(
            'ledger/foreign',
            'that receipt is of another device; check it there, or with docs/verify.mjs and an export of it',
          )
        }
        const { all } = anchors
        const finding =
          (await ledger.verifyAtRest([...witness, ...all.map((anchor) => anchor.receipt)], letOthersRun, signal)) ??
          auditAnchors(this.#options.crypto, all) ??
          (online ? await this.#askNetwork(signal) : undefined)
        return { count: ledger.count, anchors: all.length, ...(finding && { finding }) }
      },
      ledgerReceipt: () => this.#options.desk().ledger.receipt(),
      proveLedger: ({ seq }) => {
        const { ledger, anchors } = this.#options.desk()
        const anchor = anchors.last && seq < anchors.last.receipt.count ? anchors.last : undefined
        const receipt = anchor?.receipt ?? ledger.receipt()
        const path = ledger.prove(seq, receipt.count).map(({ side, hash }) => ({ side, hash: toBase64Url(hash) }))
        return { receipt, path, ...(anchor && { anchor }) }
      },
    }
  }

  dispose(): void {
    this.#scope?.dispose()
    this.#owned.dispose()
  }

  async #askNetwork(signal: AbortSignal): Promise<AnchorFinding | undefined> {
    const { anchors } = this.#options.desk()
    const network = await this.#options.network()
    if (!network) throw new IdentityError('anchor/off', 'anchoring is off, so there is no network to ask; verify without it, or turn it on')
    return auditOnNetwork(network, await this.#options.walletAddress(), anchors, signal)
  }

  #row(seq: number): LedgerRow {
    const { ledger, devices, contacts, contactLogs, context } = this.#options.desk()
    const ofContact = (id: string) => {
      const known = contacts?.all.find(({ person }) => person === id || contactLogs.of(person)?.state.devices.has(id as DeviceId))
      if (!known) return undefined
      const device = contactLogs.of(known.person)?.state.devices.get(id as DeviceId)
      return device ? `${device.name} of ${known.name}` : known.name
    }
    const { bytes, body } = ledger.recordAt(seq)
    const nameOf = (id: string) => {
      if (id === devices.person) return 'your person key'
      const name = devices.devices.get(id as DeviceId)?.name ?? ofContact(id) ?? `${id.slice(0, 12)}…`
      return id === context.signer.device ? `${name} (this device)` : name
    }
    return {
      seq: body.seq,
      atMs: body.atMs,
      kind: body.event.kind,
      sentence: ledgerSentence(body.event, nameOf),
      body: fromUtf8(bytes.subarray(SIGNATURE_BYTES)),
      sig: toBase64Url(bytes.subarray(0, SIGNATURE_BYTES)),
    }
  }
}
