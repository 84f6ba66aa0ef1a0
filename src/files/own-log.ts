import type { Clock } from '../base/clock.ts'
import { type Disposable } from '../base/disposable.ts'
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { hasRoom } from '../base/store-error.ts'
import { coverHeads, isCovered } from './covered-heads.ts'
import type { DatasetStore, LogHead } from './dataset-store.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { MAX_HELD_LOGS, MAX_OWN_LOGS } from './log-limits.ts'
import { type LogId, type Op, type OpBody, type OpId, ROOT_NODE } from './op.ts'
import { MAX_DEPS, MAX_SEGMENT_OPS, NO_SEGMENT, type Segment, type SegmentCodec, type SegmentSigner } from './op-segment.ts'

/** How long an op may wait for others before its segment is signed. */
const SEGMENT_DELAY_MS = 200
/** What could not be signed and kept (the disk is full) is tried again this much later. */
const RETRY_MS = 5_000
/** The inline pieces of this many ops are what a segment may hold at most. */
const MAX_SEGMENT_TEXT = 4 * 1024 * 1024
const OWN = 'own'

/** The log that this start of this device is writing. */
interface OwnStart {
  readonly start: string
  readonly log: LogId
  seq: number
  hash: string
  /** Ops in segments. */
  ops: number
}

export interface OwnLogOptions {
  readonly store: DatasetStore
  readonly codec: SegmentCodec
  readonly crypto: FilesCrypto
  readonly signer: SegmentSigner
  readonly deviceName: () => string
  readonly clock: Clock
  readonly logger: Logger
  /** Of a dataset that nobody else hears of: ops have ids and stamps, and nothing is kept or signed. */
  readonly isLocal?: boolean
  /** Told of each segment in the transaction that keeps it. */
  readonly book?: (segment: Segment, isOwn: boolean) => void
  /** That transaction failed: the segment is not there. */
  readonly unbook?: (hash: string) => void
  /** A segment was signed: it can be offered. */
  readonly onDidCut: (log: LogId, seq: number) => void
}

/**
 * What this device writes: each op is kept at once (`append`, inside the caller's transaction), and signed with others in a
 * segment of at most 1,000 or 200 ms later. A start of the process is a log of its own, so that a crash is not a fork; ops
 * that a killed process had kept and not signed are signed when it is back.
 */
export class OwnLog implements Disposable {
  readonly #options: OwnLogOptions
  readonly #news = new Map<LogId, number>()
  #own: OwnStart
  #pending: Op[] = []
  #pendingText = 0
  #stamp = 0
  #timer: Disposable | undefined
  #isDisposed = false
  /** The start of this log, while it is not kept. */
  #unkept: string | undefined

  /** @throws StoreError; not for a full disk */
  constructor(options: OwnLogOptions) {
    this.#options = options
    const { store } = options
    for (const head of store.heads()) {
      if (!isCovered(head, store)) this.#news.set(head.log, head.seq)
      this.#stamp = Math.max(this.#stamp, head.stamp)
    }
    const stamp = store.value(OWN, 'stamp')
    if (stamp) this.#stamp = Math.max(this.#stamp, Number(fromUtf8(stamp)))
    const left = store.tail()
    const saved = store.value(OWN, 'start')
    if (left.length > 0 && saved) {
      const { start } = JSON.parse(fromUtf8(saved)) as { start: string }
      const log = options.codec.logOf(options.signer.device, start)
      const head = store.head(log)
      this.#own = { start, log, seq: head?.seq ?? 0, hash: head?.hash ?? NO_SEGMENT, ops: head?.ops ?? 0 }
      this.#news.delete(log)
      this.#pending = left
      for (const { stamp } of left) this.#stamp = Math.max(this.#stamp, stamp)
      // On a full disk what is left waits, and what is written when there is room follows on it in that log.
      if (!hasRoom(() => this.flush())) {
        this.#flushIn(RETRY_MS)
        return
      }
      this.#news.set(log, this.#own.seq)
    }
    this.#own = this.#begin()
  }

  get log(): LogId {
    return this.#own.log
  }

  /** What was seen of another log; what is written from now on comes after it. */
  see(head: Pick<LogHead, 'log' | 'seq' | 'stamp'>): void {
    this.#news.set(head.log, head.seq)
    this.#stamp = Math.max(this.#stamp, head.stamp)
  }

  /** These are named by a segment that was seen: whatever comes after that comes after them. */
  cover(deps: Segment['deps']): void {
    for (const [log, seq] of deps) if ((this.#news.get(log) ?? seq + 1) <= seq) this.#news.delete(log)
  }

  /** Keeps ops; call it in the transaction that carries them out. */
  append(bodies: readonly OpBody[]): Op[] {
    const { store, clock } = this.#options
    if (this.#unkept) keepStart(store, this.#unkept)
    return bodies.map((body) => {
      this.#stamp = Math.max(Math.floor(clock.nowMs() * 1000), this.#stamp + 1)
      const op: Op = { id: `${this.#own.log}.${this.#own.ops + this.#pending.length}` as OpId, stamp: this.#stamp, body }
      if (this.#options.isLocal) {
        this.#own.ops++
        store.putValue(OWN, 'stamp', utf8(String(this.#stamp)))
        return op
      }
      store.putTail(op)
      this.#pending.push(op)
      this.#pendingText += 'content' in body && body.content.kind === 'file' ? 100 + 80 * body.content.manifest.pieces.length : 300
      return op
    })
  }

  /** The transaction of `append` is done: signs what is ripe, and the rest soon. Never throws: the ops are kept. */
  settle(): void {
    this.#unkept = undefined
    if (this.#pending.length >= MAX_SEGMENT_OPS || this.#pendingText >= MAX_SEGMENT_TEXT) this.#tryFlush()
    else this.#flushIn(SEGMENT_DELAY_MS)
  }

  /** The transaction of `append` failed: none of it happened. */
  rollBack(ops: readonly Op[]): void {
    const gone = new Set(ops)
    this.#pending = this.#pending.filter((op) => !gone.has(op))
  }

  /** Is it kept, and not yet signed? Then nobody else can have heard of it. */
  isUnsigned(op: OpId): boolean {
    const dot = op.indexOf('.')
    return op.slice(0, dot) === this.#own.log && Number(op.slice(dot + 1)) >= this.#own.ops
  }

  /** Signs all that is kept. @throws StoreError */
  flush(): void {
    this.#timer?.dispose()
    this.#timer = undefined
    while (this.#pending.length > 0) this.#cut(this.#pending.slice(0, this.#ripe()))
  }

  /** What cannot be signed any more the next start signs. */
  dispose(): void {
    this.#isDisposed = true
    this.#tryFlush()
  }

  #flushIn(ms: number): void {
    if (this.#pending.length > 0 && !this.#isDisposed) this.#timer ??= this.#options.clock.after(ms, () => this.#tryFlush())
  }

  #tryFlush(): void {
    try {
      this.flush()
    } catch (error) {
      this.#options.logger.warn('changes of files cannot be signed yet; others see them later', { error: errorMessage(error) })
      this.#flushIn(RETRY_MS)
    }
  }

  #ripe(): number {
    let text = 0
    for (let n = 0; n < Math.min(MAX_SEGMENT_OPS, this.#pending.length); n++) {
      const { body } = this.#pending[n] as Op
      text += 'content' in body && body.content.kind === 'file' ? 100 + 80 * body.content.manifest.pieces.length : 300
      if (body.kind === 'xattr') text += body.value?.length ?? 0
      if (text > MAX_SEGMENT_TEXT && n > 0) return n
    }
    return Math.min(MAX_SEGMENT_OPS, this.#pending.length)
  }

  #cut(ops: readonly Op[]): void {
    this.#gatherNews()
    this.#sign(this.#own, [...this.#news], ops, () => this.#options.store.cutTail(ops.length))
    this.#pending = this.#pending.slice(ops.length)
    this.#pendingText = 0
    this.#news.clear()
    this.#options.onDidCut(this.#own.log, this.#own.seq)
  }

  /**
   * More logs are news than one segment can name (rule OL7): segments of a log of its own, with an op that changes nothing, name them, and
   * are named in their place.
   */
  #gatherNews(): void {
    if (this.#news.size <= MAX_DEPS) return
    const of = this.#newStart()
    while (this.#news.size > MAX_DEPS) {
      const deps = [...this.#news].filter(([log]) => log !== of.log).slice(0, MAX_DEPS)
      const op: Op = { id: `${of.log}.${of.ops}` as OpId, stamp: ++this.#stamp, body: { kind: 'attributes', node: ROOT_NODE } }
      this.#sign(of, deps, [op])
      for (const [log] of deps) this.#news.delete(log)
      this.#news.set(of.log, of.seq)
      this.#options.onDidCut(of.log, of.seq)
    }
  }

  /** Signs and keeps one segment. `also`: what goes into the same transaction. @throws StoreError */
  #sign(of: OwnStart, deps: Segment['deps'], ops: readonly Op[], also?: () => void): void {
    const { store, codec, signer, deviceName, book, unbook } = this.#options
    const seq = of.seq + 1
    const content = { start: of.start, seq, prev: of.hash, deps, first: of.ops, deviceName: deviceName().slice(0, 80), ops }
    const { bytes, hash } = codec.encode(content, signer)
    const { log, start } = of
    const head = { log, device: signer.device, start, seq, hash, ops: of.ops + ops.length, stamp: (ops.at(-1) as Op).stamp }
    try {
      store.transaction(() => {
        store.putSegment({ log, seq, bytes }, head)
        coverHeads(store, deps, head)
        also?.()
        book?.({ ...content, log, device: signer.device, hash, epoch: codec.epoch }, true)
      })
    } catch (error) {
      unbook?.(hash)
      throw error
    }
    of.seq = seq
    of.hash = hash
    of.ops = head.ops
  }

  #begin(): OwnStart {
    const { store } = this.#options
    const own = this.#lastOwn() ?? this.#newStart()
    this.#news.delete(own.log)
    // On a full disk it is kept with the first op of it: those that are kept are always of the start that is kept.
    if (!hasRoom(() => store.transaction(() => keepStart(store, own.start)))) this.#unkept = own.start
    return own
  }

  #newStart(): OwnStart {
    const { codec, signer, crypto } = this.#options
    const start = toHex(crypto.randomBytes(8))
    return { start, log: codec.logOf(signer.device, start), seq: 0, hash: NO_SEGMENT, ops: 0 }
  }

  /** Where it goes on, when there are so many logs that others would not follow one more; one of which the end is here. */
  #lastOwn(): OwnStart | undefined {
    const { store, signer, codec, logger } = this.#options
    const heads = store.heads()
    const own = heads.filter(({ device }) => device === signer.device)
    if (own.length < MAX_OWN_LOGS && heads.length < MAX_HELD_LOGS) return undefined
    const last = own.sort((a, b) => b.stamp - a.stamp).find((head) => store.segment(head.log, head.seq))
    if (!last) return undefined
    logger.warn('there are as many logs of files as are followed: this start goes on in the last of this device', { logs: heads.length })
    const { log, seq, hash, ops } = last
    return { start: codec.headOf(store.segment(log, seq) as Uint8Array).start, log, seq, hash, ops }
  }
}

const keepStart = (store: DatasetStore, start: string): void => store.putValue(OWN, 'start', utf8(JSON.stringify({ start })))
