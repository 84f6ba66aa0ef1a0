import type { KeyValueStore } from '../base/key-value-store.ts'
import type { Logger } from '../base/logger.ts'
import { JobError } from './job-error.ts'
import { JobOutputBook } from './job-output-book.ts'
import { decodeJobRecord, encodeJobRecord, isOver, type JobRecord } from './job-record.ts'
import { MAX_JOBS } from './jobs-contract.ts'

const SPACE = 'jobs'

/**
 * Every job this device was asked for, running and over, with what it wrote (rules JB50-JB51). Output lies in a store of its own; that
 * of jobs from before there was one, beside their records. Owns neither.
 */
export class JobBook {
  readonly #store: KeyValueStore
  readonly #outputStore: KeyValueStore
  readonly #records = new Map<string, JobRecord>()
  /** Found at the start: an output of these may lie beside the records. */
  readonly #before: ReadonlySet<string>
  readonly #outputs = new Map<string, JobOutputBook>()

  constructor(store: KeyValueStore, outputStore: KeyValueStore, logger: Logger) {
    this.#store = store
    this.#outputStore = outputStore
    for (const [job, bytes] of store.entries(SPACE)) {
      const record = decodeJobRecord(bytes)
      if (record && record.info.job === job) this.#records.set(job, record)
      else logger.warn('a job of the history cannot be read and is left out', { job })
    }
    this.#before = new Set(this.#records.keys())
  }

  /** Newest first. */
  get all(): readonly JobRecord[] {
    return [...this.#records.values()].sort((a, b) => b.info.askedAtMs - a.info.askedAtMs)
  }

  find(job: string): JobRecord | undefined {
    return this.#records.get(job)
  }

  /** @throws JobError `job/unknown` */
  require(job: string): JobRecord {
    const record = this.#records.get(job)
    if (record) return record
    throw new JobError('job/unknown', `there is no job ${job.slice(0, 8)} on this device; "elsewhere jobs" lists them`)
  }

  /** Kept when it returns. @throws JobError as `admit` */
  put(record: JobRecord): void {
    this.admit(record)
    this.#store.put(SPACE, record.info.job, encodeJobRecord(record))
    if (isOver(record.info)) this.#outputs.get(record.info.job)?.rest()
  }

  /**
   * Known, and not kept yet: what it says is found again from what is kept, or nothing was done about it. The oldest that is over
   * makes room for a new one.
   *
   * @throws JobError `job/too-many`  none of them is over
   */
  admit(record: JobRecord): void {
    const { job } = record.info
    if (!this.#records.has(job) && this.#records.size >= MAX_JOBS) {
      const oldest = this.all.findLast(({ info }) => isOver(info))
      if (!oldest) throw new JobError('job/too-many', `${MAX_JOBS} jobs run or wait; cancel some first`)
      this.forget(oldest.info.job)
    }
    this.#records.set(job, record)
  }

  output(job: string): JobOutputBook {
    let output = this.#outputs.get(job)
    if (!output) {
      const store = this.#before.has(job) && JobOutputBook.isIn(this.#store, job) ? this.#store : this.#outputStore
      this.#outputs.set(job, (output = new JobOutputBook(store, job)))
    }
    return output
  }

  forget(job: string): void {
    this.output(job).forget()
    this.#outputs.delete(job)
    this.#records.delete(job)
    this.#store.delete(SPACE, job)
  }
}

/** Of all jobs that are not over, as they are kept in `store`: attempts that have not ended, with the device or engine of each. */
export function runningAttempts(store: KeyValueStore): ReadonlyMap<string, string> {
  const records = store.entries(SPACE).flatMap(([, bytes]) => decodeJobRecord(bytes) ?? [])
  return new Map(
    records
      .flatMap(({ info }) => (isOver(info) ? [] : info.attempts))
      .flatMap(({ attempt, device, endedAtMs }) => (endedAtMs === undefined ? [[attempt, device] as const] : [])),
  )
}
