import type { Clock } from '../../base/clock.ts'
import { defined } from '../../base/defined.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import type { JobBook } from '../../jobs/job-book.ts'
import type { JobOutputBook } from '../../jobs/job-output-book.ts'
import { OutputReader } from '../../jobs/job-progress.ts'
import { isOver, type JobRecord } from '../../jobs/job-record.ts'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import type { OutputPiece } from '../../jobs/output-log.ts'

/** A change is told at most so often while only output comes. */
const TELL_MS = 200
/** What is told and not kept waits so long for more: of a job that ends within a frame its end is told, and no step before. */
const SOON_MS = 16

type Change = { readonly [K in keyof JobInfo]?: JobInfo[K] | undefined }

/**
 * What is known of one job, kept as it changes and told: its record, its output, and how far it is (rules JB50-JB52). Decides
 * nothing. Owns neither the book nor its output.
 */
export class JobAccount implements Disposable {
  readonly #book: JobBook
  readonly #clock: Clock
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<JobInfo>())
  readonly #grown = this.#owned.add(new Emitter<void>())
  readonly #reader = new OutputReader()
  /** How long the same line took before. */
  readonly #expectedMs: number | undefined
  #record: JobRecord
  #telling: Disposable | undefined
  #saying: Disposable | undefined

  readonly onDidChange = this.#changed.event
  /** There is more output, or it is over. */
  readonly onDidGrow = this.#grown.event

  constructor(record: JobRecord, book: JobBook, clock: Clock, expectedMs: number | undefined) {
    this.#record = record
    this.#book = book
    this.#clock = clock
    this.#expectedMs = expectedMs
    this.#owned.defer(() => this.#telling?.dispose())
    this.#owned.defer(() => this.#saying?.dispose())
  }

  get record(): JobRecord {
    return this.#record
  }

  get info(): JobInfo {
    return this.#record.info
  }

  get isOver(): boolean {
    return isOver(this.info)
  }

  get output(): JobOutputBook {
    return this.#book.output(this.info.job)
  }

  /** Takes output over; nothing of it is kept yet. */
  take(piece: OutputPiece): void {
    this.#reader.read(this.output.append(piece))
    this.#telling ??= this.#clock.after(TELL_MS, () => {
      this.#telling = undefined
      if (!this.isOver) this.tell({})
    })
  }

  /** Keeps what was taken, and says how far. @throws StoreError */
  keepOutput(): number {
    this.output.flush()
    this.#grown.fire()
    return this.output.end
  }

  /** Kept when it returns, and told. An undefined field is taken away. */
  change(change: Change): void {
    this.#take(change)
    this.#book.put(this.#record)
    this.#say()
  }

  /** Known at once, told soon, and not kept: its device would say it again. */
  tell(change: Change): void {
    this.#take(change)
    this.#book.admit(this.#record)
    this.#saying ??= this.#clock.after(SOON_MS, () => this.#say())
  }

  #say(): void {
    this.#saying?.dispose()
    this.#saying = undefined
    const { info } = this
    this.#changed.fire(info)
    if (isOver(info)) this.#grown.fire()
  }

  #take(change: Change): void {
    const { output } = this
    const all: Change = {
      ...this.info,
      outputBytes: output.end,
      droppedBytes: output.droppedBytes,
      lastLine: this.#reader.lastLine || this.info.lastLine,
      ...change,
    }
    const info = defined({ ...all, progress: isOver(all as JobInfo) ? undefined : this.#progress() }) as JobInfo
    this.#record = { ...this.#record, info }
  }

  /** The newest attempt has ended, if it had not yet; `ended` says why when not by itself. Told and kept with the next change. */
  endAttempt(ended: string | undefined): void {
    const attempts = [...this.info.attempts]
    const last = attempts.pop()
    if (!last || last.endedAtMs !== undefined) return
    this.#take({
      attempts: [...attempts, { ...last, endedAtMs: this.#clock.nowMs(), ...(ended !== undefined && { ended: ended.slice(0, 32) }) }],
    })
    this.#book.admit(this.#record)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #progress(): JobInfo['progress'] {
    if (this.#reader.fraction !== undefined) return { fraction: this.#reader.fraction, from: 'output' }
    const startedAtMs = this.info.attempts.at(-1)?.startedAtMs
    if (this.#expectedMs === undefined || startedAtMs === undefined) return undefined
    const passed = Math.max(0, this.#clock.nowMs() - startedAtMs) / this.#expectedMs
    return { fraction: Math.min(0.95, passed), from: 'history' }
  }
}
