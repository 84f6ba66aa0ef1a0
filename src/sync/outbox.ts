import * as Y from 'yjs'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DocId } from '../base/ids.ts'
import { BatchTimer } from './batch-timer.ts'
import type { CausalState } from './causal-state.ts'
import type { ClientName } from './client-ids.ts'
import { chainKeyOf, hashEnvelope, MAX_DEPS, sealContextOf, signEnvelope, type Envelope, type EnvelopeRef } from './envelope.ts'
import type { SyncContext } from './sync-context.ts'

/** A batch is sealed before it outgrows this; a single larger update goes alone. */
const MAX_BATCH_BYTES = 256 << 10
/** While the disk is full: how often to try again. */
const RETRY_MS = 5_000
const EMPTY_UPDATE = Uint8Array.of(0, 0)

export interface Sealed {
  readonly envelope: Envelope
  readonly bytes: Uint8Array
  readonly position: number
}

/**
 * Changes made on this device on their way into the log: gathered, merged, sealed, signed, appended (rules SY34-SY36).
 *
 * A change that could not be kept (full disk) stays here, in order, and is tried again with the next one or after five
 * seconds. Owns its timers; not the log.
 */
export class Outbox implements Disposable {
  readonly #context: SyncContext
  readonly #docId: DocId
  readonly #causal: CausalState
  readonly #handleSealed: (sealed: Sealed) => void
  readonly #timer: BatchTimer
  readonly #failures = new Emitter<{ readonly code: string; readonly message: string }>()
  #pending: Uint8Array[] = []
  #retry: Disposable | undefined

  constructor(context: SyncContext, docId: DocId, causal: CausalState, handleSealed: (sealed: Sealed) => void) {
    this.#context = context
    this.#docId = docId
    this.#causal = causal
    this.#handleSealed = handleSealed
    this.#timer = new BatchTimer(context.clock, () => this.flush())
  }

  readonly onDidFailToKeep: Event<{ readonly code: string; readonly message: string }> = this.#failures.event

  get pendingBytes(): number {
    return this.#pending.reduce((sum, update) => sum + update.length, 0)
  }

  push(update: Uint8Array, isBackedUp: boolean): void {
    this.#pending.push(update)
    this.#timer.request(isBackedUp)
  }

  /** Seals and logs all that has gathered; true when nothing is left. A failure is told by onDidFailToKeep. */
  flush(): boolean {
    while (this.#pending.length > 0) {
      const batch = this.#nextBatch()
      try {
        this.#mergeHeads()
        const sealed = this.#seal(batch.length === 1 ? (batch[0] as Uint8Array) : Y.mergeUpdates([...batch]))
        this.#pending = this.#pending.slice(batch.length) // before anybody hears of it: they ask what is still waiting
        this.#handleSealed(sealed)
      } catch (error) {
        this.#fail(error)
        return false
      }
    }
    return true
  }

  /** Forgets what was not kept. */
  clear(): void {
    this.#pending = []
  }

  dispose(): void {
    this.#timer.dispose()
    this.#retry?.dispose()
    this.#failures.dispose()
  }

  #nextBatch(): readonly Uint8Array[] {
    let bytes = 0
    const end = this.#pending.findIndex((update, index) => {
      bytes += update.length
      return index > 0 && bytes > MAX_BATCH_BYTES
    })
    return end === -1 ? this.#pending : this.#pending.slice(0, end)
  }

  /** An envelope names at most MAX_DEPS heads; more are first joined by envelopes without content. */
  #mergeHeads(): void {
    while (this.#headsBeside().length > MAX_DEPS) this.#handleSealed(this.#seal(EMPTY_UPDATE))
  }

  #headsBeside(): EnvelopeRef[] {
    return this.#causal.headsBeside(chainKeyOf({ device: this.#context.signer.device, start: this.#context.start }))
  }

  #seal(update: Uint8Array): Sealed {
    const { signer, start, seal, log, clock } = this.#context
    const own = { device: signer.device, start }
    const ref: EnvelopeRef = { ...own, seq: this.#causal.frontier.seqOf(own) + 1 }
    const { bytes, envelope } = signEnvelope(
      {
        doc: this.#docId,
        start,
        seq: ref.seq,
        prevHash: this.#causal.lastHashOf(own),
        epoch: seal.epoch,
        deps: this.#headsBeside().slice(0, MAX_DEPS),
        clients: this.#clientsOf(update),
        update: seal.seal(update, sealContextOf({ doc: this.#docId, ...ref })),
      },
      signer,
    )
    const position = log.append(this.#docId, ref, bytes, clock.nowMs())
    this.#causal.advance(envelope, hashEnvelope(bytes))
    return { envelope, bytes, position }
  }

  #clientsOf(update: Uint8Array): ClientName[] {
    return [...Y.parseUpdateMeta(update).from.keys()].map((clientId) => {
      const issued = this.#context.clientIds.find(clientId)
      if (!issued) throw new Error(`document ${this.#docId} was changed under client id ${clientId}, which was never given out`)
      return { start: issued.start, n: issued.n }
    })
  }

  #fail(error: unknown): void {
    this.#context.logger.error('a change could not be kept and stays in memory', { doc: this.#docId, code: errorCode(error) })
    this.#failures.fire({ code: errorCode(error), message: errorMessage(error) })
    this.#retry ??= this.#context.clock.after(RETRY_MS, () => {
      this.#retry = undefined
      this.flush()
    })
  }
}
