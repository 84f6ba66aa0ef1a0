import { toHex, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { Logger } from '../../base/logger.ts'
import { sha256 } from '../../base/sha256.ts'
import { planWorkflow } from './plan-workflow.ts'
import { countSteps, MAX_WORKFLOWS, type StepCounts } from './workflow-contract.ts'
import { WorkflowError } from './workflow-error.ts'
import {
  decodeRecord,
  encodeRecord,
  type MemoryRecord,
  memoryRecord,
  type ResultRecord,
  resultRecord,
  type StepRecord,
  stepRecord,
  type WorkflowRecord,
  workflowRecord,
} from './workflow-record.ts'

const WORKFLOWS = 'workflows'
const STEPS = 'workflow-steps'
const RESULTS = 'workflow-results'
const MEMORIES = 'workflow-memories'
/** Results kept, those written last; one is a few hundred bytes. */
const MAX_RESULTS = 20_000
/** They are counted once in so many. */
const COUNTED_EACH = 1_000

/** The name of the workflow whose file lies there. */
export const workflowIdOf = (source: string): string => toHex(sha256(utf8(`elsewhere/workflow/1/${source}`))).slice(0, 32)

/** Workflows of this device with their last runs, and what came of every step (rule WF8): kept when a call returns. Does not own the store. */
export class WorkflowBook {
  readonly #store: KeyValueStore
  readonly #records = new Map<string, WorkflowRecord>()
  /** The first is counted: a device that is restarted often puts few each time. */
  #putResults = COUNTED_EACH - 1

  constructor(store: KeyValueStore, logger: Logger) {
    this.#store = store
    for (const [id, bytes] of store.entries(WORKFLOWS)) {
      const record = decodeRecord(workflowRecord, bytes)
      if (record) this.#records.set(id, record)
      else logger.warn('a workflow of the history cannot be read and is left out', { workflow: id })
    }
  }

  /** Last begun first. */
  get all(): readonly (readonly [workflow: string, record: WorkflowRecord])[] {
    return [...this.#records].sort(([, a], [, b]) => b.startedAtMs - a.startedAtMs)
  }

  find(workflow: string): WorkflowRecord | undefined {
    return this.#records.get(workflow)
  }

  /** @throws WorkflowError `workflow/unknown` */
  require(workflow: string): WorkflowRecord {
    const record = this.#records.get(workflow)
    if (record) return record
    throw new WorkflowError('workflow/unknown', 'there is no such workflow on this device; "elsewhere workflow list" lists them')
  }

  /**
   * A run begins: what was kept of the steps of the one before goes; first, so that no crash leaves it to this one.
   *
   * @throws WorkflowError `workflow/too-many`  all of them run
   */
  begin(workflow: string, record: WorkflowRecord): void {
    if (!this.#records.has(workflow) && this.#records.size >= MAX_WORKFLOWS) {
      const oldest = this.all.findLast(([, { state }]) => state !== 'running')
      if (!oldest) throw new WorkflowError('workflow/too-many', `${MAX_WORKFLOWS} workflows run; cancel some first`)
      this.forget(oldest[0])
    }
    this.#forgetSteps(workflow, record.text)
    this.put(workflow, record)
  }

  put(workflow: string, record: WorkflowRecord): void {
    this.#records.set(workflow, record)
    this.#store.put(WORKFLOWS, workflow, encodeRecord(record))
  }

  forget(workflow: string): void {
    this.#forgetSteps(workflow)
    this.#records.delete(workflow)
    this.#store.delete(WORKFLOWS, workflow)
  }

  /** How the steps of its last run stand: of one that has ended, they are counted once and kept. @throws WorkflowError `workflow/unknown` */
  counts(workflow: string): StepCounts {
    const record = this.require(workflow)
    if (record.counts) return record.counts
    const steps = Array.from({ length: record.steps }, (_, n) => ({ state: this.step(workflow, n)?.state ?? 'waiting' }))
    const counts = countSteps(steps)
    if (record.state !== 'running') this.put(workflow, { ...record, counts })
    return counts
  }

  step(workflow: string, n: number): StepRecord | undefined {
    return decodeRecord(stepRecord, this.#store.get(STEPS, `${workflow}/${n}`))
  }

  putStep(workflow: string, n: number, record: StepRecord): void {
    this.#store.put(STEPS, `${workflow}/${n}`, encodeRecord(record))
  }

  result(key: string): ResultRecord | undefined {
    return decodeRecord(resultRecord, this.#store.get(RESULTS, key))
  }

  putResult(key: string, record: ResultRecord): void {
    this.#store.put(RESULTS, key, encodeRecord(record))
    if (++this.#putResults % COUNTED_EACH === 0) this.#dropOldResults()
  }

  memory(workflow: string, step: string): MemoryRecord | undefined {
    return decodeRecord(memoryRecord, this.#store.get(MEMORIES, memoryKey(workflow, step)))
  }

  putMemory(workflow: string, step: string, record: MemoryRecord): void {
    this.#store.put(MEMORIES, memoryKey(workflow, step), encodeRecord(record))
  }

  /** How they stood, and what is remembered of those that are not in `next`. */
  #forgetSteps(workflow: string, next = ''): void {
    const before = this.#records.get(workflow)
    for (let n = 0; n < (before?.steps ?? 0); n++) this.#store.delete(STEPS, `${workflow}/${n}`)
    if (!before || before.text === next) return
    const stay = new Set(planWorkflow(next).plan?.steps.map(({ step }) => step))
    for (const { step } of planWorkflow(before.text).plan?.steps ?? [])
      if (!stay.has(step)) this.#store.delete(MEMORIES, memoryKey(workflow, step))
  }

  #dropOldResults(): void {
    const all = this.#store.entries(RESULTS).map(([key, bytes]) => [key, decodeRecord(resultRecord, bytes)?.atMs ?? 0] as const)
    const newestFirst = all.toSorted(([, a], [, b]) => b - a)
    for (const [key] of newestFirst.slice(MAX_RESULTS)) this.#store.delete(RESULTS, key)
  }
}

const memoryKey = (workflow: string, step: string): string => `${workflow}/${toHex(sha256(utf8(step))).slice(0, 32)}`
