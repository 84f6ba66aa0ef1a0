import { type Clock, sleep } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { RandomSource } from '../../base/random.ts'
import { MISSING } from '../../files/fingerprint.ts'
import { forecast, pathsOf } from '../../jobs/workflow/forecast.ts'
import { missingInputs, planWorkflow, sourceInputs, type WorkflowPlan } from '../../jobs/workflow/plan-workflow.ts'
import { WorkflowBook, workflowIdOf } from '../../jobs/workflow/workflow-book.ts'
import type { Fingerprints } from '../../jobs/workflow/step-key.ts'
import type { WorkflowInfo, WorkflowRow, workflowContract } from '../../jobs/workflow/workflow-contract.ts'
import { WorkflowError, type WorkflowProblem } from '../../jobs/workflow/workflow-error.ts'
import type { WorkflowRecord } from '../../jobs/workflow/workflow-record.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import type { FilesClient, HostClient, ProcessConnection } from '../device-parts.ts'
import type { EnginesService } from '../engines/engines-service.ts'
import type { JobsService } from '../jobs/jobs-service.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import { WorkflowFiles } from './workflow-files.ts'
import { WorkflowRun } from './workflow-run.ts'
import { nameOf, workflowInfoOf, workOf } from './workflow-view.ts'

/** Workflows go on so long after the desk is open: its jobs have been taken up by then. */
const RESUME_AFTER_MS = 400

export interface WorkflowServiceOptions {
  readonly host: ProcessConnection<HostClient>
  readonly files: ProcessConnection<FilesClient>
  readonly jobs: JobsService
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
  /** This device's id. @throws DeviceError `device/locked` */
  self(): string
  rows(): readonly DeviceRow[]
  readonly engines: Pick<EnginesService, 'named'>
}

interface OpenWorkflows {
  readonly scope: DisposableStore
  readonly signal: AbortSignal
  readonly book: WorkflowBook
  readonly runs: Map<string, WorkflowRun>
  /** What steps of before left behind is gone, or could not be removed: none begins sooner, since it may have the same folder. */
  swept: Promise<void>
}

/** Workflows of this device while a desk is open: looked at, run, kept, and taken up again after a restart (rules WF1-WF12). */
export class WorkflowService implements Disposable {
  readonly #options: WorkflowServiceOptions
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<WorkflowInfo>())
  readonly #forgotten = this.#owned.add(new Emitter<{ workflow: string }>())
  #desk: OpenDesk | undefined
  #resuming: Disposable | undefined
  #open: OpenWorkflows | undefined

  constructor(options: WorkflowServiceOptions) {
    this.#options = options
  }

  /** The desk has just been opened: what was running goes on, a moment later. */
  follow(desk: OpenDesk): void {
    this.close()
    this.#desk = desk
    this.#resuming = this.#options.clock.after(RESUME_AFTER_MS, () => {
      try {
        this.#require()
      } catch (error) {
        this.#options.log.error('workflows could not be taken up again', { error: errorMessage(error) })
      }
    })
  }

  /** The desk closes: jobs go on, and their workflows are taken up again when it opens. */
  close(): void {
    this.#resuming?.dispose()
    this.#open?.scope.dispose()
    this.#open = this.#desk = undefined
  }

  handlers(): Handlers<typeof workflowContract> {
    return {
      checkWorkflow: ({ source, text }) => this.#check(source, text),
      runWorkflow: ({ source, text }) => this.#run(source, text),
      rerunWorkflow: ({ workflow }) => {
        const { source, text } = this.#require().book.require(workflow)
        return this.#run(source, text)
      },
      listWorkflows: () => this.#list(),
      readWorkflow: ({ workflow }) => {
        const { book, runs } = this.#require()
        return runs.get(workflow)?.info ?? keptInfo(workflow, book.require(workflow), book)
      },
      cancelWorkflow: async ({ workflow }) => {
        const { book, runs } = this.#require()
        book.require(workflow)
        await runs.get(workflow)?.cancel()
        return {}
      },
      forgetWorkflow: async ({ workflow }) => {
        const { book, signal } = this.#require()
        if (book.require(workflow).state === 'running') throw new WorkflowError('workflow/runs-already', 'it runs; cancel it first')
        const { text } = book.require(workflow)
        book.forget(workflow)
        await this.#dropFolders(workflow, text, signal)
        this.#forgotten.fire({ workflow })
        return {}
      },
      onDidChangeWorkflow: this.#changed.event,
      onDidForgetWorkflow: this.#forgotten.event,
    }
  }

  dispose(): void {
    this.close()
    this.#owned.dispose()
  }

  async #list(): Promise<WorkflowRow[]> {
    const { book, runs, signal } = this.#require()
    const rows: WorkflowRow[] = []
    for (const [workflow] of book.all) {
      // Those of an earlier version are counted now, each up to a thousand steps: others get their turn in between.
      if (!runs.has(workflow) && book.find(workflow)?.counts === undefined) await sleep(this.#options.clock, 0, signal)
      const record = book.find(workflow)
      if (!record) continue // forgotten meanwhile
      const { name, source, state, startedAtMs, endedAtMs } = record
      const counts = runs.get(workflow)?.counts ?? book.counts(workflow)
      rows.push({ workflow, name, source, state, startedAtMs, ...(endedAtMs !== undefined && { endedAtMs }), counts })
    }
    return rows
  }

  async #check(source: string, text: string): Promise<{ problems: WorkflowProblem[]; info?: WorkflowInfo }> {
    const { book, runs, signal } = this.#require()
    const { plan, problems } = planWorkflow(text)
    if (!plan) return { problems: [...problems] }
    const workflow = workflowIdOf(source)
    const running = runs.get(workflow)
    if (running?.text === text && running.info.state === 'running') return { problems: [], info: running.info }
    const now = await this.#filesOf(plan, signal).fingerprints(pathsOf(plan))
    const missing = missingInputs(plan, isIn(now))
    if (missing.length > 0) return { problems: missing }
    const said = forecast(workflow, plan, now, book)
    const info = workflowInfoOf(
      workflow,
      { name: nameOf(source, plan), source },
      plan,
      ({ step }) => said.get(step) ?? { state: 'waiting' },
    )
    return { problems: [], info }
  }

  async #run(source: string, text: string): Promise<WorkflowInfo> {
    const open = this.#require()
    const { book, runs, signal } = open
    const { plan, problems } = planWorkflow(text)
    if (!plan) throw WorkflowError.of(problems as [WorkflowProblem])
    const workflow = workflowIdOf(source)
    const sources = sourceInputs(plan).map(({ path }) => path)
    const [first, ...more] = missingInputs(plan, isIn(await this.#filesOf(plan, signal).fingerprints(sources)))
    if (first) throw WorkflowError.of([first, ...more])
    await open.swept
    signal.throwIfAborted() // locked meanwhile
    const before = runs.get(workflow)
    if (before?.info.state === 'running') {
      if (before.text === text) return before.info
      throw new WorkflowError('workflow/runs-already', 'it runs as its file was before; wait for its end, or cancel it first')
    }
    const record: WorkflowRecord = {
      ...{ format: 1, name: nameOf(source, plan), source, text, steps: plan.steps.length },
      ...{ state: 'running', isCancelled: false, startedAtMs: this.#options.clock.nowMs() },
    }
    book.begin(workflow, record)
    const run = this.#add(open, workflow, record, plan)
    await run.begin()
    return run.info
  }

  #add({ scope, signal, book, runs }: OpenWorkflows, workflow: string, record: WorkflowRecord, plan: WorkflowPlan): WorkflowRun {
    const { host, jobs, clock, random, log, self, rows, engines } = this.#options
    runs.get(workflow)?.dispose()
    const run = new WorkflowRun(workflow, record, plan, {
      ...{ book, jobs, clock, random, log },
      files: this.#filesOf(plan, signal),
      cores: async () => (await (await host.client()).readFacts({ device: self(), tools: [] })).cores,
      readProject: async (folder) => (await host.client()).readProject({ folder }),
      deviceNamed: (name) => engines.named(name) ?? deviceNamed(rows(), name),
    })
    runs.set(workflow, run)
    scope.defer(() => run.dispose())
    run.onDidChange((info) => {
      this.#changed.fire(info)
      if (info.state === 'running' || runs.get(workflow) !== run) return
      runs.delete(workflow) // what it was is kept
      queueMicrotask(() => run.dispose())
    })
    return run
  }

  /** Once for each open desk: the folders of steps that no workflow names which goes on. Never rejects. */
  async #sweep({ runs, signal }: OpenWorkflows): Promise<void> {
    const named = new Set([...runs].flatMap(([workflow, { plan }]) => plan.steps.map(({ step }) => workOf(workflow, step))))
    try {
      const files = await this.#options.files.client()
      const { works } = await files.listWork({}, { signal })
      for (const work of works) if (!named.has(work)) await files.dropWork({ work }, { signal })
    } catch (error) {
      if (!signal.aborted) this.#options.log.warn('what steps left behind could not be removed', { why: errorMessage(error) })
    }
  }

  /** Those of its steps, which are there only if this device was killed at the wrong moment. */
  async #dropFolders(workflow: string, text: string, signal: AbortSignal): Promise<void> {
    const { plan } = planWorkflow(text)
    if (!plan) return
    const files = this.#filesOf(plan, signal)
    for (const { step } of plan.steps) {
      if (signal.aborted || this.#open?.runs.has(workflow)) return // begun again meanwhile
      await files.drop(workOf(workflow, step)).catch((error: unknown) => {
        this.#options.log.warn('the folder of a step could not be removed', { step, why: errorMessage(error) })
      })
    }
  }

  #filesOf(plan: WorkflowPlan, signal: AbortSignal): WorkflowFiles {
    return new WorkflowFiles(this.#options.files, this.#options.clock, plan, signal)
  }

  /** The history is read when it is first asked for; then what ran goes on. @throws DeviceError `device/locked` */
  #require(): OpenWorkflows {
    const { desk, log } = this.#options
    const { values } = this.#desk ?? desk()
    if (this.#open) return this.#open
    const aborting = new AbortController()
    const scope = new DisposableStore()
    scope.defer(() => aborting.abort())
    const open: OpenWorkflows = {
      scope,
      signal: aborting.signal,
      book: new WorkflowBook(values, log),
      runs: new Map(),
      swept: Promise.resolve(),
    }
    this.#open = open
    for (const [workflow, record] of open.book.all) {
      if (record.state !== 'running') continue
      const { plan } = planWorkflow(record.text)
      if (plan) {
        this.#add(open, workflow, record, plan)
          .resume()
          .catch((error: unknown) => log.error('a workflow could not be taken up again', { workflow, error: errorMessage(error) }))
      } else open.book.put(workflow, { ...record, state: 'failed' }) // a version that read it otherwise
    }
    open.swept = this.#sweep(open)
    return open
  }
}

function isIn(now: Fingerprints): (path: string) => boolean {
  const digests = new Map(now)
  return (path) => digests.get(path) !== MISSING
}

/** @throws WorkflowError `workflow/malformed`  an earlier version read its file otherwise */
function keptInfo(workflow: string, record: WorkflowRecord, book: WorkflowBook): WorkflowInfo {
  const { plan } = planWorkflow(record.text)
  if (!plan)
    throw new WorkflowError('workflow/malformed', 'this version reads its file otherwise; run the file again, and it says what is wrong')
  const places = new Map(plan.steps.map(({ step }, n) => [step, n]))
  return workflowInfoOf(workflow, record, plan, ({ step }) => {
    const kept = book.step(workflow, places.get(step) ?? -1)
    if (!kept) return { state: 'waiting' }
    const { state, why, deviceJob, device, startedAtMs, endedAtMs, error } = kept
    return { state, why, deviceJob, device, startedAtMs, endedAtMs, error }
  })
}

/** @throws WorkflowError `workflow/no-device` */
function deviceNamed(rows: readonly DeviceRow[], name: string): string {
  const found = rows.filter((row) => row.name === name || row.deviceId === name)
  if (found.length === 1 && found[0]) return found[0].deviceId
  const known = rows.map((row) => row.name).join(', ')
  throw new WorkflowError(
    'workflow/no-device',
    found.length === 0 ? `none of your devices is called "${name.slice(0, 64)}" (${known})` : `more than one device is called "${name}"`,
  )
}
