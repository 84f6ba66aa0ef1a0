import * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import { type LedgerAnchor, ledgerAnchor } from '../ledger-contract.ts'

const ANCHORS = 'anchors'
const GIVEN_UP = 'anchors-given-up'
const STATE = 'anchor-state'
const DAY_MS = 86_400_000

/** Sent, and not yet known to be kept. */
const pendingAnchor = z.object({ anchor: ledgerAnchor, lastValidHeight: z.number().int().nonnegative() })
export type PendingAnchor = z.infer<typeof pendingAnchor>

/** What a device keeps of its anchors, beside its ledger: those that stand, one that was sent, and those that were given up. */
export class AnchorStore {
  readonly #values: KeyValueStore
  #all: readonly LedgerAnchor[] | undefined

  constructor(values: KeyValueStore) {
    this.#values = values
  }

  /** Oldest first; what cannot be read is left out. */
  get all(): readonly LedgerAnchor[] {
    this.#all ??= this.#read(ANCHORS).sort((a, b) => a.receipt.count - b.receipt.count)
    return this.#all
  }

  /** All that ever went to a network by its signature, kept or not: none of them is a surprise there. */
  get sent(): ReadonlyMap<string, LedgerAnchor> {
    const { pending } = this
    const sent = [...this.#read(GIVEN_UP), ...(pending ? [pending.anchor] : []), ...this.all]
    return new Map(sent.map((anchor) => [anchor.signature, anchor]))
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

  /** The one that was sent is waited for no more. @throws StoreError */
  giveUp(): void {
    const { pending } = this
    if (pending) this.#values.put(GIVEN_UP, pending.anchor.signature, json(pending.anchor))
    this.pending = undefined
  }

  /** What was sent on this day (UTC) has cost, kept or not; also when the clock has gone back to it. */
  spentOn(nowMs: number): number {
    const day = dayOf(nowMs)
    return [...this.sent.values()].reduce((sum, { atMs, feeLamports }) => (dayOf(atMs) === day ? sum + feeLamports : sum), 0)
  }

  #read(space: string): LedgerAnchor[] {
    return this.#values.entries(space).flatMap(([, bytes]) => parsed(ledgerAnchor, bytes) ?? [])
  }
}

const dayOf = (atMs: number): number => Math.floor(atMs / DAY_MS)
const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value))

function parsed<T>(schema: z.ZodType<T>, bytes: Uint8Array | undefined): T | undefined {
  if (!bytes) return undefined
  try {
    return schema.safeParse(JSON.parse(fromUtf8(bytes))).data
  } catch {
    return undefined // damaged: as if it were not there
  }
}
