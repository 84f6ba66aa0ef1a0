import * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import { type LedgerAnchor, ledgerAnchor } from '../ledger-contract.ts'

const ANCHORS = 'anchors'
const STATE = 'anchor-state'
const DAY_MS = 86_400_000

/** Sent, and not yet known to be kept. */
const pendingAnchor = z.object({ anchor: ledgerAnchor, lastValidHeight: z.number().int().nonnegative() })
export type PendingAnchor = z.infer<typeof pendingAnchor>
const spending = z.object({ day: z.number().int(), lamports: z.number().int().nonnegative() })

/** What a device keeps of its anchors, beside its ledger: those that stand, one that was sent, and what this day has cost. */
export class AnchorStore {
  readonly #values: KeyValueStore
  #all: readonly LedgerAnchor[] | undefined

  constructor(values: KeyValueStore) {
    this.#values = values
  }

  /** Oldest first; what cannot be read is left out. */
  get all(): readonly LedgerAnchor[] {
    this.#all ??= this.#values
      .entries(ANCHORS)
      .flatMap(([, bytes]) => parsed(ledgerAnchor, bytes) ?? [])
      .sort((a, b) => a.receipt.count - b.receipt.count)
    return this.#all
  }

  get last(): LedgerAnchor | undefined {
    return this.all.at(-1)
  }

  /** @throws StoreError */
  add(anchor: LedgerAnchor): void {
    this.#values.put(ANCHORS, anchor.signature, json(anchor))
    this.#all = undefined
    this.pending = undefined
  }

  get pending(): PendingAnchor | undefined {
    return parsed(pendingAnchor, this.#values.get(STATE, 'pending'))
  }

  set pending(pending: PendingAnchor | undefined) {
    if (pending) this.#values.put(STATE, 'pending', json(pending))
    else this.#values.delete(STATE, 'pending')
  }

  spentOn(nowMs: number): number {
    const spent = parsed(spending, this.#values.get(STATE, 'spent'))
    return spent?.day === Math.floor(nowMs / DAY_MS) ? spent.lamports : 0
  }

  /** Counted before it is spent, and never given back: a crash in between costs a part of the day's cap. @throws StoreError */
  spend(nowMs: number, lamports: number): void {
    const day = Math.floor(nowMs / DAY_MS)
    this.#values.put(STATE, 'spent', json({ day, lamports: this.spentOn(nowMs) + lamports }))
  }
}

const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value))

function parsed<T>(schema: z.ZodType<T>, bytes: Uint8Array | undefined): T | undefined {
  if (!bytes) return undefined
  try {
    return schema.safeParse(JSON.parse(fromUtf8(bytes))).data
  } catch {
    return undefined // damaged: as if it were not there
  }
}
