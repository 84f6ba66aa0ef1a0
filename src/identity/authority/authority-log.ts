import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import { Emitter, type Event } from '../../base/emitter.ts'
import type { PersonId } from '../../base/ids.ts'
import { StoreError } from '../../base/store-error.ts'
import type { Crypto } from '../crypto.ts'
import { IdentityError } from '../identity-error.ts'
import { emptyState, type AuthorityState } from './authority-state.ts'
import type { AuthorityStore, StoredOperation } from './authority-store.ts'
import { foldAuthority, type VoidReason } from './fold-authority.ts'
import type { Operation, OperationBody, OperationId, OperationSigner, SignerId } from './operation.ts'
import { decodeOperation, genesisOf, MAX_PREVS, parse, signOperation } from './operation-codec.ts'
import { decodeState, encodeState } from './state-codec.ts'
import { WaitingOperations } from './waiting-operations.ts'

/** A fold of so many takes a hundredth of a second: how far a checkpoint is behind at most, in usual use. */
const CHECKPOINT_EVERY = 512
/** Checkpoints kept, for what comes late. Behind the oldest, the whole log is folded. */
const MAX_CHECKPOINTS = 8
/** A person's log grows by a few lines a day; beyond this somebody floods it, and what comes is refused. */
export const MAX_OPERATIONS = 250_000

/** What a log noticed and a person should hear (rules ID64, ID67). */
export type AuthorityReport =
  /** One signer used a number twice: its folder was copied, its key stolen, or a backup put back. */
  | { readonly kind: 'fork'; readonly signer: SignerId; readonly operation: OperationId }
  /** Others hold operations of this very device that it does not know: its own store was set back. */
  | { readonly kind: 'own-rollback'; readonly operation: OperationId }
  /** A device says it knows fewer operations than it once did. */
  | { readonly kind: 'rollback'; readonly device: SignerId; readonly before: number; readonly now: number }

export interface AuthorityLogOptions {
  readonly crypto: Crypto
  readonly store: AuthorityStore
  readonly clock: Clock
  readonly person: PersonId
  /** This device: its own operations come from here only. */
  readonly self?: SignerId
  /** Default 512. Any number gives the same states. */
  readonly checkpointEvery?: number
}

/** What a device asks another for: all that these landmarks do not cover, but for the first so many. */
export interface AuthorityQuestion {
  readonly have: readonly OperationId[]
  readonly skip: number
}

/** What became of operations that somebody sent. */
export interface Received {
  readonly taken: readonly Operation[]
  /** Refused for good, by name; the rest was taken. */
  readonly refused: readonly IdentityError[]
  /** What they rest on and is not here: to be asked for. */
  readonly missing: readonly OperationId[]
}

/**
 * One device's copy of a person's authority log: takes in operations, keeps them, and knows what they say.
 *
 * Invariant: everything stored was checked (form, signature), rests on stored operations, and was signed by the root or by
 * a device that the log names; `state` is the fold of all of it. Owns no keys and no store.
 */
export class AuthorityLog implements Disposable {
  readonly person: PersonId
  readonly #crypto: Crypto
  readonly #store: AuthorityStore
  readonly #clock: Clock
  readonly #self: SignerId | undefined
  readonly #checkpointEvery: number
  readonly #onDidChange = new Emitter<AuthorityState>()
  readonly #onDidReport = new Emitter<AuthorityReport>()
  readonly #onDidTake = new Emitter<readonly Operation[]>()
  readonly #waiting = new WaitingOperations()
  /** In force, but the disk would not take them: written with the next ones. */
  #unsaved: readonly Operation[] = []
  #state: AuthorityState
  #sinceCheckpoint = 0

  private constructor(options: AuthorityLogOptions) {
    this.person = options.person
    this.#crypto = options.crypto
    this.#store = options.store
    this.#clock = options.clock
    this.#self = options.self
    this.#checkpointEvery = options.checkpointEvery ?? CHECKPOINT_EVERY
    this.#state = emptyState(options.person)
  }

  /** What is stored, from the newest checkpoint on. @throws IdentityError `authority/malformed`, StoreError */
  static open(options: AuthorityLogOptions): AuthorityLog {
    const log = new AuthorityLog(options)
    log.#state = log.#fold()
    return log
  }

  get state(): AuthorityState {
    return this.#state
  }

  /** Has anything been said? A log without a genesis says nothing. */
  get isEmpty(): boolean {
    return this.#state.count === 0
  }

  /** Fires after the state changed in memory and on disk. */
  get onDidChange(): Event<AuthorityState> {
    return this.#onDidChange.event
  }

  /** Operations new here, made or heard; before `onDidChange`. */
  get onDidTake(): Event<readonly Operation[]> {
    return this.#onDidTake.event
  }

  get onDidReport(): Event<AuthorityReport> {
    return this.#onDidReport.event
  }

  has(id: OperationId): boolean {
    return this.#store.has(id) || this.#unsaved.some((operation) => operation.id === id)
  }

  /** One operation, in force or void. */
  find(id: OperationId): Operation | undefined {
    const bytes = this.#unsaved.find((operation) => operation.id === id)?.bytes ?? this.#store.find(id)
    return bytes && parse(this.#crypto, bytes)
  }

  /** All operations, in an order they can be taken in. */
  all(): readonly StoredOperation[] {
    return this.#read(0)
  }

  /**
   * Signs and keeps one operation after everything known here; the root's first one brings genesis with it.
   *
   * @returns why it has no effect, or undefined when it has; it is kept either way (a vote waits for its second)
   * @throws IdentityError `authority/refused` (the log does not name the signer), `authority/malformed`, `authority/too-many`,
   *   `identity/key-wiped`; StoreError
   */
  append(body: OperationBody, signer: OperationSigner): VoidReason | undefined {
    return this.appendAll([body], signer)[0]
  }

  /** As `append`, for what belongs together: one after another, all of them kept or none. @returns for each, why it has no effect */
  appendAll(bodies: readonly OperationBody[], signer: OperationSigner): readonly (VoidReason | undefined)[] {
    const { by } = signer
    let seq = this.#state.seqs.get(by) ?? 0
    let prevs = [...this.#state.heads.keys()].slice(0, MAX_PREVS)
    const operations: Operation[] = []
    if (this.isEmpty && by === this.person) {
      const { by: _, ...genesis } = genesisOf(this.person)
      const first = signOperation(this.#crypto, genesis, signer)
      operations.push(first)
      seq = first.seq
      prevs = [first.id]
    }
    const named = new Set<SignerId>([this.person, ...this.#state.devices.keys()])
    const said = bodies.map((body) => {
      const why = this.#whyNot({ by, body, prevs }, named, operations.length)
      if (why) throw why
      const operation = signOperation(this.#crypto, { seq: ++seq, atMs: this.#clock.nowMs(), prevs, body }, signer)
      operations.push(operation)
      prevs = [operation.id]
      return operation.id
    })
    const voided = this.#keep(operations)
    return said.map((id) => voided.get(id))
  }

  /**
   * Takes in what a peer sent, in any order. What rests on operations not here waits for them, within bounds.
   *
   * @throws StoreError  in force, but not durable
   */
  receive(encoded: readonly Uint8Array[]): Received {
    const refused: IdentityError[] = []
    for (const bytes of encoded) {
      try {
        const operation = decodeOperation(this.#crypto, bytes)
        if (!this.has(operation.id)) this.#waiting.add(operation)
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
        refused.push(error)
      }
    }
    const taken: Operation[] = []
    const takenIds = new Set<OperationId>()
    const isHere = (id: OperationId): boolean => takenIds.has(id) || this.has(id)
    const named = new Set<SignerId>([this.person, ...this.#state.devices.keys()])
    for (let next = this.#waiting.takeReady(isHere); next; next = this.#waiting.takeReady(isHere)) {
      const why = this.#whyNot(next, named, taken.length)
      if (why) {
        refused.push(why)
        continue
      }
      if ('entry' in next.body) named.add(next.body.entry.device)
      takenIds.add(next.id)
      taken.push(next)
    }
    if (taken.length > 0) this.#keep(taken)
    for (const operation of taken) {
      if (operation.by === this.#self) this.#onDidReport.fire({ kind: 'own-rollback', operation: operation.id })
    }
    return { taken, refused, missing: this.#waiting.missing(isHere) }
  }

  /**
   * Operations the asker may not have, in an order it can take them in, at most about `maxBytes` of them. `have`: its
   * landmarks; `skip`: how many it was given already for these. Reads no further back than the newest checkpoint it knows.
   */
  missingFor({ have, skip }: AuthorityQuestion, maxBytes: number): Operation[] {
    for (const { count, state } of this.#store.checkpoints()) {
      const from = this.#readCheckpoint(count, state)
      const missing = from && this.#missingBehind(count, [...from.heads.keys()], have)
      if (missing) return firstBytes(missing.slice(skip), maxBytes)
    }
    return firstBytes((this.#missingBehind(0, [], have) ?? []).slice(skip), maxBytes)
  }

  /** Ids that tell a peer what is known here: the heads, then ever bigger steps back. */
  landmarks(): OperationId[] {
    const { count } = this.#state
    const steps: (OperationId | undefined)[] = [...this.#state.heads.keys()].slice(0, MAX_PREVS)
    for (let back = 1; back <= count; back *= 2) steps.push(this.#store.idAt(count - back) ?? this.#unsaved.at(-back)?.id)
    return [...new Set(steps.filter((id) => id !== undefined))]
  }

  dispose(): void {
    this.#onDidTake.dispose()
    this.#onDidChange.dispose()
    this.#onDidReport.dispose()
  }

  /** Undefined when the asker does not know all of `heads`, which end what lies before the `after`-th. */
  #missingBehind(after: number, heads: readonly OperationId[], have: readonly OperationId[]): Operation[] | undefined {
    const newer = this.#read(after).map(({ bytes }) => parse(this.#crypto, bytes))
    const byId = new Map(newer.map((operation) => [operation.id, operation]))
    const known = new Set<OperationId>()
    const open = have.filter((id) => byId.has(id) || this.has(id))
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (known.has(next)) continue
      known.add(next)
      open.push(...(byId.get(next)?.prevs ?? []))
    }
    if (!heads.every((head) => known.has(head))) return undefined
    return newer.filter(({ id }) => !known.has(id))
  }

  #whyNot(
    { by, body, prevs }: Pick<Operation, 'by' | 'body' | 'prevs'>,
    named: ReadonlySet<SignerId>,
    extra: number,
  ): IdentityError | undefined {
    if (prevs.length === 0 && by !== this.person) {
      return new IdentityError('authority/refused', "this is another person's authority log; it is not taken in")
    }
    if (!named.has(by)) {
      return new IdentityError(
        'authority/refused',
        `${by.slice(0, 12)}… is named nowhere in this person's log; what it says (${body.kind}) is left out`,
      )
    }
    if (this.#state.count + extra < MAX_OPERATIONS) return undefined
    return new IdentityError('authority/too-many', `this log holds ${MAX_OPERATIONS} operations; no more are taken in`)
  }

  /** Stores, folds, tells. `operations` rest on what is stored and on each other, in order. */
  #keep(operations: readonly Operation[]): ReadonlyMap<OperationId, VoidReason> {
    const before = this.#state
    const isNew = new Set(operations.map(({ id }) => id))
    const failure = this.#save(operations)
    let voided: ReadonlyMap<OperationId, VoidReason> = new Map()
    if (hasSeenAll(operations, before)) {
      const isBelow = (id: OperationId) => !isNew.has(id) && this.has(id)
      const folded = foldAuthority(this.person, operations, { from: before, isBelow })
      this.#state = folded.state
      voided = folded.voided
    } else {
      this.#state = this.#fold()
    }
    this.#sinceCheckpoint += operations.length
    if (this.#sinceCheckpoint >= this.#checkpointEvery && !failure) this.#checkpoint()
    for (const [signer, operation] of this.#state.forks) {
      if (!before.forks.has(signer)) this.#onDidReport.fire({ kind: 'fork', signer, operation })
    }
    this.#onDidTake.fire(operations)
    this.#onDidChange.fire(this.#state)
    if (failure) throw failure.error
    return voided
  }

  /** What is said is in force at once, also when the disk is full: a removal must not wait for space. */
  #save(operations: readonly Operation[]): { readonly error: unknown } | undefined {
    const unsaved = [...this.#unsaved, ...operations]
    try {
      this.#store.append(unsaved)
      this.#unsaved = []
      return undefined
    } catch (error) {
      this.#unsaved = unsaved
      return { error }
    }
  }

  #read(after: number): readonly StoredOperation[] {
    return [...this.#store.read(after), ...this.#unsaved]
  }

  /** From the newest checkpoint that all behind it had seen; those in between are dropped: something came late (rule ID59). */
  #fold(): AuthorityState {
    for (const { count, state } of this.#store.checkpoints()) {
      const from = this.#readCheckpoint(count, state)
      if (from) {
        const newer = this.#read(count).map(({ bytes }) => parse(this.#crypto, bytes))
        if (hasSeenAll(newer, from)) {
          const isNewer = new Set(newer.map(({ id }) => id))
          this.#sinceCheckpoint = newer.length
          return foldAuthority(this.person, newer, { from, isBelow: (id) => !isNewer.has(id) && this.has(id) }).state
        }
      }
      this.#tryCheckpoint(() => this.#store.dropCheckpoint(count))
    }
    const all = this.#read(0).map(({ bytes }) => parse(this.#crypto, bytes))
    this.#sinceCheckpoint = all.length
    return foldAuthority(this.person, all).state
  }

  /** Undefined when it is of another version, damaged, or covers more than is stored: then it is of no use. */
  #readCheckpoint(count: number, bytes: Uint8Array): AuthorityState | undefined {
    if (count > this.#store.count) return undefined
    try {
      const state = decodeState(bytes)
      return state.count === count && state.person === this.person ? state : undefined
    } catch (error) {
      if (error instanceof IdentityError) return undefined
      throw error
    }
  }

  #checkpoint(): void {
    this.#tryCheckpoint(() => {
      this.#store.putCheckpoint({ count: this.#store.count, state: encodeState(this.#state) })
      this.#sinceCheckpoint = 0
      for (const { count } of this.#store.checkpoints().slice(MAX_CHECKPOINTS)) this.#store.dropCheckpoint(count)
    })
  }

  /** Checkpoints only save time: one that cannot be written or dropped keeps nothing from being in force (rules ID66, ID70). */
  #tryCheckpoint(change: () => void): void {
    try {
      change()
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
    }
  }
}

/** Has every operation, directly or through the others, named all heads of `base`? Then `base` is a place to go on from. */
function hasSeenAll(operations: readonly Operation[], base: AuthorityState): boolean {
  const full = new Set<OperationId>()
  for (const { id, prevs } of operations) {
    const named = prevs.filter((prev) => base.heads.has(prev)).length
    if (named < base.heads.size && !prevs.some((prev) => full.has(prev))) return false
    full.add(id)
  }
  return true
}

/** From the front, at least one. */
function firstBytes(operations: readonly Operation[], maxBytes: number): Operation[] {
  let bytes = 0
  const end = operations.findIndex((operation) => (bytes += operation.bytes.length) > maxBytes)
  return operations.slice(0, end < 0 ? operations.length : Math.max(1, end))
}
