import { concatBytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { PersonId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import { type Crypto, SIGNATURE_BYTES } from '../crypto.ts'
import type { DeviceSigner } from '../device-keys.ts'
import { IdentityError } from '../identity-error.ts'
import { auditInSlices, auditLedger, type LedgerFinding } from './audit-ledger.ts'
import type { LedgerEvent, LedgerRecorder } from './ledger-event.ts'
import { type LedgerReceipt, signReceipt } from './ledger-receipt.ts'
import { type LedgerBody, NO_RECORD, parseBody, signRecord } from './ledger-record.ts'
import type { LedgerHead, LedgerStore } from './ledger-store.ts'
import { MerkleTree, type ProofStep } from './merkle.ts'

/** Entries that wait for a disk with room. More are given up, and how many is written. */
const MAX_WAITING = 1_024
/** After a write that failed: signing all that waits again for each new entry would hold the device up while its disk is full. */
const RETRY_MS = 1_000
/** It is tried again by itself, too, each time after twice as long, up to this: a disk that has room again is found within it. */
const MAX_RETRY_MS = 60_000

export interface LedgerOptions {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly logger: Logger
  readonly signer: DeviceSigner
  readonly person: PersonId
  readonly store: LedgerStore
}

/**
 * The hash-chained, signed record that one device keeps (rules ID100-ID104). Only appends. What cannot be written now is
 * kept in order and written with a later entry, or by itself once that can be done. Owns neither key nor store.
 */
export class Ledger implements LedgerRecorder, Disposable {
  readonly #options: LedgerOptions
  readonly #waiting: { readonly event: LedgerEvent; readonly atMs: number }[] = []
  readonly #changed = new Emitter<number>()
  #lost = 0
  #isWriting = true
  #retryAtMs = 0
  #retryMs = RETRY_MS
  /** While something waits to be written. */
  #retry: Disposable | undefined
  #isDisposed = false

  /** The number of entries, whenever there are more. */
  readonly onDidChange = this.#changed.event

  constructor(options: LedgerOptions) {
    this.#options = options
    if (!options.store.head) this.record({ kind: 'began', person: options.person })
  }

  get count(): number {
    return this.#head.count
  }

  /** Entries that happened and are not written yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  record(event: LedgerEvent): void {
    this.recordAll([event])
  }

  /** All in one write. */
  recordAll(events: readonly LedgerEvent[]): void {
    if (events.length === 0) return
    const atMs = Math.max(0, Math.trunc(this.#options.clock.nowMs()))
    for (const event of events) this.#waiting.push({ event, atMs })
    if (this.#isWriting || this.#options.clock.monotonicMs() >= this.#retryAtMs) this.#write()
    const tooMany = this.#waiting.length - MAX_WAITING
    if (tooMany <= 0) return
    this.#waiting.splice(0, tooMany)
    this.#lost += tooMany
  }

  /** The record at a position, as it was signed. @throws IdentityError `ledger/unknown` */
  recordAt(seq: number): { readonly bytes: Uint8Array; readonly body: LedgerBody } {
    const bytes = this.#options.store.read(seq)
    const body = bytes && parseBody(bytes.subarray(SIGNATURE_BYTES))
    if (bytes && body) return { bytes, body }
    throw new IdentityError(
      'ledger/unknown',
      `the ledger has no readable entry ${seq}; "elsewhere ledger verify" says whether one is missing`,
    )
  }

  /** Checks all of it, and against a receipt of earlier. */
  verify(receipts: readonly LedgerReceipt[] = []): LedgerFinding | undefined {
    const { crypto, signer, store } = this.#options
    return auditLedger(crypto, signer.device, this.#read(this.count), { head: store.head, receipts })
  }

  /** The same of what there is now, with a `rest` every few milliseconds of work. Rejects with the signal's reason. */
  async verifyAtRest(
    receipts: readonly LedgerReceipt[],
    rest: () => Promise<void>,
    signal?: AbortSignal,
  ): Promise<LedgerFinding | undefined> {
    const { crypto, signer, store } = this.#options
    const steps = auditInSlices(crypto, signer.device, this.#read(this.count), { head: store.head, receipts })
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
      await rest()
      signal?.throwIfAborted()
    }
  }

  receipt(): LedgerReceipt {
    const { count } = this
    return signReceipt(this.#options.signer, { count, root: this.#tree(count).root, atMs: this.#options.clock.nowMs() })
  }

  /** The way from one entry to the root over the first `count`. @throws IdentityError `ledger/unknown` */
  prove(seq: number, count: number): readonly ProofStep[] {
    if (seq < count && count <= this.count) return this.#tree(count).proof(seq)
    throw new IdentityError('ledger/unknown', `the ledger has no entry ${seq} among its first ${count}`)
  }

  dispose(): void {
    this.#isDisposed = true
    if (this.#waiting.length > 0) this.#write()
    this.#retry?.dispose()
    this.#changed.dispose()
  }

  get #head(): LedgerHead {
    return this.#options.store.head ?? { count: 0, hash: NO_RECORD }
  }

  /** Each when it is asked for; undefined: it cannot be read. */
  *#read(count: number): Generator<Uint8Array | undefined> {
    for (let seq = 0; seq < count; seq++) {
      try {
        yield this.#options.store.read(seq)
      } catch (error) {
        this.#options.logger.warn('an entry of the ledger cannot be read', { seq, code: errorCode(error), why: errorMessage(error) })
        yield undefined
      }
    }
  }

  #tree(count: number): MerkleTree {
    const { crypto } = this.#options
    const records = [...this.#read(count)]
    if (records.includes(undefined)) {
      throw new IdentityError('ledger/damaged', 'entries of this ledger are missing; "elsewhere ledger verify" says from where on')
    }
    return new MerkleTree((bytes) => crypto.sha256(bytes), records as Uint8Array[])
  }

  #write(): void {
    const { crypto, signer, store, logger, clock } = this.#options
    const lost = this.#lost > 0 ? [{ event: { kind: 'lost', count: this.#lost } as const, atMs: this.#waiting[0]?.atMs ?? 0 }] : []
    try {
      let head = this.#head
      const records: Uint8Array[] = []
      for (const { event, atMs } of [...lost, ...this.#waiting]) {
        const record = signRecord(crypto, signer, { seq: head.count, prev: head.hash, atMs, event })
        records.push(record)
        head = { count: head.count + 1, hash: crypto.sha256(concatBytes(record)) }
      }
      store.append(head.count - records.length, records, head)
    } catch (error) {
      this.#isWriting = false
      this.#retryAtMs = clock.monotonicMs() + RETRY_MS
      this.#tryLater()
      logger.warn('the ledger could not be written; its entries wait', {
        waiting: this.#waiting.length,
        code: errorCode(error),
        why: errorMessage(error),
      })
      return
    }
    this.#waiting.length = 0
    this.#lost = 0
    this.#isWriting = true
    this.#retry?.dispose()
    this.#retry = undefined
    this.#retryMs = RETRY_MS
    this.#changed.fire(this.count)
  }

  #tryLater(): void {
    if (this.#retry || this.#isDisposed) return
    this.#retry = this.#options.clock.after(this.#retryMs, () => {
      this.#retry = undefined
      this.#write()
    })
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS)
  }
}
