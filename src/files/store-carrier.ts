import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { carryOut, encodeEntry } from './journal-entry.ts'
import type { PendingChanges, PendingKey } from './pending-changes.ts'
import type { StoreBehind } from './store-behind.ts'
import type { StoreJournal } from './store-journal.ts'

/** What was changed is carried behind when nothing was for this long: files that come and go at once never get there. */
const QUIET_MS = 2_000
/** Or after this long, whatever goes on: a start after a kill reads what was not carried. */
const LONGEST_MS = 60_000
/** Or when there is as much as this: memory, and the time a start after a kill takes. */
const MANY = 30_000
const MANY_BYTES = 64 * 1024 * 1024
/** A stretch of carrying, and the pause after it: others have the loop in between. */
const STRETCH_MS = 10
const PAUSE_MS = 5
/** The pause while somebody asks: a program that lists folders is not to wait for what has time. */
const ASKED_PAUSE_MS = 250
/** Things carried between two looks at the clock. */
const AT_ONCE = 16
/**
 * Things that come to the disk in one piece, over several stretches. Ids are random, so each thing is on a page of its own while they are few: with one
 * piece for each stretch, twenty times as much was written.
 */
const BATCH = 16_384

export interface StoreCarrierOptions {
  readonly pending: PendingChanges
  readonly behind: StoreBehind
  readonly journal: StoreJournal
  readonly clock: Clock
  readonly log: Logger
}

/** What is being carried, how far, and what to forget then. */
interface Carrying {
  readonly forget: () => void
  readonly keys: readonly PendingKey[]
  /** Before this all lies behind. */
  at: number
  /** What those from there on were when they were carried, in the batch that goes on. */
  states: unknown[]
  /** Batches that had come to nothing when that one was begun: if it is one more, it is that one. */
  undone: number
}

/**
 * Carries what is pending to the store behind in quiet moments, each thing once however often it was changed, and lets go of the
 * journal when that lies on the disk. Disposing carries what is left, when it is little.
 */
export class StoreCarrier implements Disposable {
  readonly #options: StoreCarrierOptions
  #carrying: Carrying | undefined
  #timer: Disposable | undefined
  /** Somebody asked since the last stretch. */
  #isAsked = false
  #firstMs = 0
  #lastMs = 0
  #isDisposed = false

  constructor(options: StoreCarrierOptions) {
    this.#options = options
  }

  /** All that the journal held lies behind, but for the tail. @throws StoreError */
  startAnew(): void {
    const { behind } = this.#options
    const forget = this.#turn()
    behind.transaction(() => behind.cutTail(behind.tail().length))
    this.#forgetSynced(forget)
  }

  /** A program waits for an answer: what has time goes slower. */
  noteAsked(): void {
    this.#isAsked = true
  }

  /** A transaction is in the journal. */
  noteChanged(): void {
    const { clock, pending } = this.#options
    this.#lastMs = clock.monotonicMs()
    if (this.#isDisposed) return
    if (!this.#timer) {
      this.#firstMs = this.#lastMs
      this.#timer = clock.after(QUIET_MS, () => this.#look())
    }
    // Nobody gave the loop a moment: whoever changes so much does its part.
    if (pending.nodes.size > 2 * MANY) this.#tryCarry()
  }

  /** @throws StoreError; what is not carried stays pending and in the journal */
  carryAll(): void {
    while (!this.#options.pending.isEmpty || this.#carrying) this.#carry(Number.POSITIVE_INFINITY)
  }

  /** All there is lies behind and on the disk itself, and the journal holds nothing; but for what comes meanwhile. @throws StoreError */
  async settle(): Promise<void> {
    this.carryAll()
    const forget = this.#turn()
    const { journal, behind } = this.#options
    await journal.sync()
    await behind.sync()
    forget()
  }

  dispose(): void {
    this.#timer?.dispose()
    this.#timer = undefined
    if (this.#isDisposed) return
    this.#isDisposed = true
    try {
      // More than that the next start reads from the journal: who locks does not wait.
      if (this.#options.pending.nodes.size < MANY / 10) this.carryAll()
      else if (this.#carrying) this.#endBatch(this.#carrying)
    } catch (error) {
      this.#options.log.warn('changes of files stay in the journal', { error: errorMessage(error) })
    }
  }

  get #isMuch(): boolean {
    return this.#options.pending.nodes.size > MANY || this.#options.journal.bytes > MANY_BYTES
  }

  #look(): void {
    const { clock, pending } = this.#options
    this.#timer = undefined
    const nowMs = clock.monotonicMs()
    // What was begun waits, too, while somebody unpacks an archive: it would take a tenth of the time that takes.
    const quietMs = this.#carrying ? QUIET_MS / 4 : QUIET_MS / 2
    const isDue = nowMs - this.#lastMs >= quietMs || nowMs - this.#firstMs >= LONGEST_MS || this.#isMuch
    const isDone = isDue ? this.#tryCarry() : true
    if (this.#isDisposed || !(this.#carrying || !pending.isEmpty)) return
    const pauseMs = this.#isAsked && !this.#isMuch ? ASKED_PAUSE_MS : PAUSE_MS
    this.#isAsked = false
    this.#timer = clock.after(isDue && isDone ? pauseMs : QUIET_MS, () => this.#look())
  }

  /** @returns false: it could not be done; it is tried again */
  #tryCarry(): boolean {
    try {
      this.#carry(STRETCH_MS)
      return true
    } catch (error) {
      this.#options.log.warn('changes of files stay in the journal for now', { error: errorMessage(error) })
      return false
    }
  }

  #carry(forMs: number): void {
    const { clock, pending, behind } = this.#options
    const carrying = (this.#carrying ??= {
      forget: this.#turn(),
      keys: [...pending.keys()],
      at: 0,
      states: [],
      undone: behind.undoneBatches,
    })
    this.#forgetUndone(carrying)
    const { keys, at, states } = carrying
    const end = Math.min(keys.length, at + BATCH)
    const endMs = clock.monotonicMs() + forMs
    const isTime = (done: number): boolean => done === 0 || done % AT_ONCE !== 0 || clock.monotonicMs() < endMs
    const before = states.length
    try {
      behind.beginBatch()
      while (at + states.length < end && isTime(states.length - before)) {
        const key = keys[at + states.length] as PendingKey
        carryOut(pending.entryOf([key], { isWhole: false, ops: [] }), behind)
        states.push(pending.stateOf(key))
      }
    } catch (error) {
      carrying.states = []
      behind.undoBatch()
      throw error
    }
    if (at + states.length === end) this.#endBatch(carrying)
    if (carrying.at < keys.length) return
    this.#carrying = undefined
    this.#firstMs = clock.monotonicMs()
    this.#forgetSynced(carrying.forget)
  }

  /** What was carried so far lies behind for good. */
  #endBatch(carrying: Carrying): void {
    const { pending, behind } = this.#options
    this.#forgetUndone(carrying)
    const { keys, at, states } = carrying
    carrying.states = []
    behind.endBatch()
    for (const [n, state] of states.entries()) pending.dropIf(keys[at + n] as PendingKey, state)
    carrying.at = at + states.length
  }

  /** Whoever syncs or changes the store ends the batch, too, and on a full disk nothing of it happened: it is carried again. */
  #forgetUndone(carrying: Carrying): void {
    const { undoneBatches } = this.#options.behind
    if (carrying.undone !== undoneBatches) carrying.states = []
    carrying.undone = undoneBatches
  }

  /** A new part of the journal, which begins with what is never carried. */
  #turn(): () => void {
    const { journal, pending } = this.#options
    const forget = journal.turn()
    const entry = pending.entryOf([], { isWhole: true, ops: pending.tail })
    if (pending.tail.length > 0) journal.append(encodeEntry(entry))
    return forget
  }

  /**
   * The journal is let go of when what it holds lies on the disk itself. What was carried may be newer than that, and half of a
   * change whose other half is in the journal only: so that comes first.
   */
  #forgetSynced(forget: () => void): void {
    const { journal, behind, log } = this.#options
    const sync = async (): Promise<void> => {
      await journal.sync()
      await behind.sync()
      forget()
    }
    sync().catch((error: unknown) => {
      if (!this.#isDisposed) log.warn('the journal of files is kept for now', { error: errorMessage(error) })
    })
  }
}
