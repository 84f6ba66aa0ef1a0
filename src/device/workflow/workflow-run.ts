import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { RandomSource } from '../../base/random.ts'
import { isEngine } from '../../jobs/engines/engines-contract.ts'
import { newJobId } from '../../jobs/job-ids.ts'
import { isOver } from '../../jobs/job-record.ts'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import type { ProjectContext } from '../../jobs/placement-contract.ts'
import { isStepOver, nextSteps } from '../../jobs/workflow/next-steps.ts'
import type { PlannedStep, WorkflowPlan } from '../../jobs/workflow/plan-workflow.ts'
import { lineDigest, stepKey, whyItRuns } from '../../jobs/workflow/step-key.ts'
import type { WorkflowBook } from '../../jobs/workflow/workflow-book.ts'
import { countSteps, type StepCounts, type StepInfo, type WorkflowInfo } from '../../jobs/workflow/workflow-contract.ts'
import type { StepRecord, WorkflowRecord } from '../../jobs/workflow/workflow-record.ts'
import type { JobsService, StartRequest } from '../jobs/jobs-service.ts'
import { WorkflowInputs } from './workflow-inputs.ts'
import type { WorkflowFiles } from './workflow-files.ts'
import { workflowInfoOf, workOf } from './workflow-view.ts'

/** Changes are told at most so often for each hundred steps begun: the whole graph goes with them, some 40 kB for each hundred. */
const TELL_MS = 100
/** A step whose device is lost is begun so often, at most. */
const MAX_TRIES = 4

export interface WorkflowRunParts {
  readonly book: WorkflowBook
  readonly files: WorkflowFiles
  readonly jobs: Pick<JobsService, 'startAs' | 'infoOf' | 'cancel' | 'onDidChangeJob'>
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** Steps at once where the file does not say. */
  cores(): Promise<number>
  /** What a folder says of the aliases typed in it. */
  readProject(folder: string): Promise<ProjectContext>
  /** @throws WorkflowError `workflow/no-device` */
  deviceNamed(name: string): string
}

const WAITING: StepRecord = { format: 1, state: 'waiting' }

/**
 * One run of a workflow, to its end (rules WF5-WF12). Each step's state is kept before what it says is done: after a crash nothing runs
 * twice that was begun, and nothing is left out. Owns neither the jobs nor the book.
 */
export class WorkflowRun implements Disposable {
  readonly workflow: string
  readonly plan: WorkflowPlan
  readonly #parts: WorkflowRunParts
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<WorkflowInfo>())
  readonly onDidChange = this.#changed.event
  readonly #steps = new Map<
    string,
    { readonly step: PlannedStep; readonly n: number; record: StepRecord; progress: number | undefined; lost: number }
  >()
  readonly #inputs: WorkflowInputs
  readonly #byDeviceJob = new Map<string, string>()
  #record: WorkflowRecord
  #parallel = 1
  #telling: Disposable | undefined

  constructor(workflow: string, record: WorkflowRecord, plan: WorkflowPlan, parts: WorkflowRunParts) {
    this.workflow = workflow
    this.plan = plan
    this.#record = record
    this.#parts = parts
    for (const [n, step] of plan.steps.entries()) {
      this.#steps.set(step.step, { step, n, record: WAITING, progress: undefined, lost: 0 })
    }
    this.#inputs = new WorkflowInputs(plan, parts, (step) => this.#of(step).record.key ?? '')
    this.#owned.defer(() => this.#telling?.dispose())
    this.#owned.add(parts.jobs.onDidChangeJob((info) => this.#handleJob(info)))
  }

  get text(): string {
    return this.#record.text
  }

  get info(): WorkflowInfo {
    return workflowInfoOf(this.workflow, this.#record, this.plan, (step) => this.#infoOf(step))
  }

  get counts(): StepCounts {
    return countSteps([...this.#steps.values()].map(({ record }) => record))
  }

  /** As if begun now; resolves when the first steps are on their way. */
  async begin(): Promise<void> {
    await this.#readParallel()
    this.#advance()
  }

  /** From what is kept: the device was locked, or started again. */
  async resume(): Promise<void> {
    const { book, jobs } = this.#parts
    for (const [name, entry] of this.#steps) {
      const kept = book.step(this.workflow, entry.n)
      if (!kept) continue
      // What was being prepared had no job yet: it waits again. What has a job is that job, if it was begun.
      const isLost = !isStepOver(kept.state) && (kept.deviceJob === undefined || jobs.infoOf(kept.deviceJob) === undefined)
      if (isLost) {
        if (this.#record.isCancelled) void this.#drop(entry.step) // nothing empties it any more
        continue
      }
      entry.record = kept
      if (isStepOver(kept.state) && kept.deviceJob !== undefined) void this.#drop(entry.step) // it may have been killed just before
      if (kept.state === 'running' && kept.deviceJob !== undefined) this.#byDeviceJob.set(kept.deviceJob, name)
    }
    await this.#readParallel()
    for (const job of [...this.#byDeviceJob.keys()]) {
      const info = jobs.infoOf(job)
      if (info) this.#handleJob(info)
      if (info && !isOver(info) && this.#record.isCancelled) void this.#cancelJob(job)
    }
    this.#advance()
  }

  async cancel(): Promise<void> {
    if (this.#record.state !== 'running' || this.#record.isCancelled) return
    this.#put({ ...this.#record, isCancelled: true })
    await Promise.all([...this.#byDeviceJob.keys()].map((job) => this.#cancelJob(job)))
    this.#advance()
  }

  dispose(): void {
    this.#owned.dispose()
  }

  async #readParallel(): Promise<void> {
    this.#parallel = this.plan.parallel ?? (await this.#parts.cores().catch(() => 1))
  }

  /** All inputs change state, and then this says what is done about it. */
  #advance(): void {
    if (this.#owned.isDisposed || this.#record.state !== 'running') return
    const next = nextSteps(this.plan, (step) => this.#of(step).record.state, this.#parallel, this.#record.isCancelled)
    for (const { step, because } of next.skip) this.#set(step, { ...WAITING, state: 'skipped', why: `${because} did not come to its end` })
    for (const step of next.start) {
      this.#set(step, { ...WAITING, state: 'preparing' })
      void this.#run(this.#of(step).step).finally(() => this.#advance())
    }
    if (next.end) this.#end(next.end)
    else if (next.skip.length > 0) this.#advance()
  }

  #end(state: 'done' | 'failed' | 'cancelled'): void {
    for (const [name, { record }] of this.#steps) if (record.state === 'waiting') this.#set(name, { ...WAITING, state: 'cancelled' })
    this.#put({ ...this.#record, state, endedAtMs: this.#parts.clock.nowMs(), counts: this.counts })
    this.#tellNow()
  }

  /** From waiting to a job of its own, or to what it was already. Never rejects. */
  async #run(step: PlannedStep): Promise<void> {
    const { book, clock, random } = this.#parts
    try {
      const before = await this.#inputs.ingredients(step)
      const key = stepKey(this.plan, step, before)
      if (await this.#inputs.holds(step, key)) {
        return this.#set(step.step, { ...WAITING, state: 'unchanged', key, why: 'as it was', endedAtMs: clock.nowMs() })
      }
      const { folder, now } = await this.#inputs.layOut(step, before, workOf(this.workflow, step.step))
      if (this.#owned.isDisposed) return
      if (this.#record.isCancelled) {
        await this.#drop(step)
        return this.#set(step.step, { ...WAITING, state: 'cancelled' })
      }
      const job = newJobId(random)
      const record: StepRecord = {
        ...{ format: 1, state: 'running', key: stepKey(this.plan, step, now), startedAtMs: clock.nowMs(), deviceJob: job },
        inputs: [...now.inputs] as StepRecord['inputs'],
        needs: [...now.needs] as StepRecord['needs'],
        why: whyItRuns(step, now, book.memory(this.workflow, step.step)).slice(0, 400),
      }
      const request = await this.#requestFor(step, folder)
      // Kept first: whatever happens now, it is known by which name it may have been begun.
      this.#byDeviceJob.set(job, step.step)
      this.#set(step.step, record)
      await this.#parts.jobs.startAs({ job, workflow: { workflow: this.workflow, step: step.step } }, request, new AbortController().signal)
      if (this.#record.isCancelled) void this.#cancelJob(job)
    } catch (error) {
      await this.#drop(step)
      this.#fail(step, errorCode(error), errorMessage(error))
    }
  }

  async #requestFor({ commandLine, on, network, again }: PlannedStep, folder: string): Promise<StartRequest> {
    const where = on === 'best' || on === 'here' ? on : { device: this.#parts.deviceNamed(on) }
    const context = await this.#parts.readProject(folder)
    return { commandLine, folder, context, network, input: false, policy: { where, whenLost: again ? 'again' : 'wait' } }
  }

  #handleJob(info: JobInfo): void {
    const name = this.#byDeviceJob.get(info.job)
    const entry = name === undefined ? undefined : this.#steps.get(name)
    if (!entry || entry.record.state !== 'running') return
    if (!isOver(info)) {
      entry.progress = info.progress?.fraction
      if (info.device !== undefined && info.device !== entry.record.device) entry.record = { ...entry.record, device: info.device }
      return this.#tellSoon()
    }
    this.#byDeviceJob.delete(info.job)
    entry.progress = undefined
    const device = info.device ?? entry.record.device
    entry.record = { ...entry.record, state: 'collecting', ...(device !== undefined && { device }) }
    this.#tellSoon()
    void (info.state === 'done' ? this.#collect(entry.step) : this.#giveUp(entry.step, info)).finally(() => this.#advance())
  }

  /** Its job did not end well. Never rejects. */
  async #giveUp(step: PlannedStep, info: JobInfo): Promise<void> {
    await this.#drop(step)
    // This device stopped between keeping it and beginning it: nothing has run.
    if (info.error?.code === 'job/lost' && info.attempts.length === 0) return this.#set(step.step, WAITING)
    const entry = this.#of(step.step)
    const { record } = entry
    if (this.#mayTryAgain(step, info) && ++entry.lost < MAX_TRIES) return this.#set(step.step, WAITING)
    if (!this.#record.isCancelled || info.state !== 'cancelled')
      return this.#fail(step, info.error?.code ?? 'workflow/job-failed', failureWords(info))
    this.#set(step.step, { ...record, state: 'cancelled', endedAtMs: this.#parts.clock.nowMs() })
  }

  /** In a folder laid out anew: what the lost attempt left there is not what the step begins with (rule WF11). */
  #mayTryAgain(step: PlannedStep, { error, effects, device = '' }: JobInfo): boolean {
    // What an engine has forgotten may go on there.
    return step.again && error?.code === 'job/lost' && effects === 'files-only' && !this.#record.isCancelled && !isEngine(device)
  }

  /** Its job ended well. Never rejects; kept as running until the dataset has what it put out. */
  async #collect(step: PlannedStep): Promise<void> {
    const { book, clock, files } = this.#parts
    const { record, n } = this.#of(step.step)
    const { key = '', inputs = [], needs = [] } = record
    const done: StepRecord = { ...record, state: 'done', endedAtMs: clock.nowMs() }
    try {
      const outputs = await files.takeIn(
        workOf(this.workflow, step.step),
        step.outputs.map(({ path }) => path),
      )
      if (this.#owned.isDisposed) return
      book.putResult(key, { format: 1, outputs: outputs.map(([path, digest]) => [path, digest]), atMs: clock.nowMs() })
      book.putMemory(this.workflow, step.step, { format: 1, line: lineDigest(step), inputs, needs })
      book.putStep(this.workflow, n, done)
    } catch (error) {
      await this.#drop(step)
      return this.#fail(step, errorCode(error), errorMessage(error))
    }
    // It is over only then: the next run has the same folder.
    await this.#drop(step)
    this.#set(step.step, done)
  }

  #fail({ step }: PlannedStep, code: string, message: string): void {
    if (this.#owned.isDisposed) return // locked meanwhile: it is taken up again
    const { record } = this.#of(step)
    if (record.deviceJob !== undefined) this.#byDeviceJob.delete(record.deviceJob)
    const error = { code: code.slice(0, 64), message: message.slice(0, 1_000) }
    this.#set(step, { ...record, state: 'failed', endedAtMs: this.#parts.clock.nowMs(), error })
  }

  async #cancelJob(job: string): Promise<void> {
    await this.#parts.jobs.cancel(job).catch((error: unknown) => {
      this.#parts.log.debug('a job of a workflow had ended before it was cancelled', { job, why: errorMessage(error) })
    })
  }

  async #drop({ step }: PlannedStep): Promise<void> {
    if (this.#owned.isDisposed) return // locked meanwhile: it is taken up again
    await this.#parts.files.drop(workOf(this.workflow, step)).catch((error: unknown) => {
      this.#parts.log.warn('the folder of a step could not be removed', { step, why: errorMessage(error) })
    })
  }

  #of(step: string) {
    const entry = this.#steps.get(step)
    if (!entry) throw new RangeError(`no step ${step}`)
    return entry
  }

  #set(step: string, record: StepRecord): void {
    if (this.#owned.isDisposed) return
    const entry = this.#of(step)
    entry.record = record
    // What is only being prepared waits, after a crash.
    if (record.state !== 'preparing') this.#parts.book.putStep(this.workflow, entry.n, record)
    this.#tellSoon()
  }

  #put(record: WorkflowRecord): void {
    this.#record = record
    this.#parts.book.put(this.workflow, record)
    this.#tellSoon()
  }

  #tellSoon(): void {
    this.#telling ??= this.#parts.clock.after(TELL_MS * Math.max(1, Math.ceil(this.plan.steps.length / 100)), () => this.#tellNow())
  }

  #tellNow(): void {
    this.#telling?.dispose()
    this.#telling = undefined
    this.#changed.fire(this.info)
  }

  #infoOf(step: PlannedStep): Partial<StepInfo> & Pick<StepInfo, 'state'> {
    const { record, progress } = this.#of(step.step)
    const { state, why, deviceJob, device, startedAtMs, endedAtMs, error } = record
    return { state, why, deviceJob, device, startedAtMs, endedAtMs, error, progress }
  }
}

function failureWords({ error, exit, lastLine, state }: JobInfo): string {
  if (error) return error.message
  if (state === 'cancelled') return 'its job was cancelled'
  const how = exit?.signal === undefined ? `it ended with code ${exit?.code ?? '?'}` : `it was ended by ${exit.signal}`
  return lastLine === '' ? how : `${how}: ${lastLine}`
}
