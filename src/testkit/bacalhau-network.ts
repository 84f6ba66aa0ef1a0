import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { randomUUID } from 'node:crypto'
import { FakeExecution } from './bacalhau-execution.ts'
import { dockerParams, type FakeJobSpec, putJobRequest, wasmParams } from './bacalhau-rules.ts'

/** Numbers of executions' states, as the API gives them. */
export const STATES = { asked: 2, bidAccepted: 5, running: 6, publishing: 7, completed: 9, failed: 10, cancelled: 11 } as const
export const ENDED: ReadonlySet<number> = new Set([STATES.completed, STATES.failed, STATES.cancelled])

export interface FakeJob {
  readonly id: string
  readonly spec: FakeJobSpec
  state: 'Pending' | 'Queued' | 'Running' | 'Completed' | 'Failed' | 'Stopped'
  message: string
  version: number
  readonly executions: FakeExecution[]
}

/** What goes wrong, switched by tests while it runs. */
export interface BacalhauFaults {
  /** Connections are ended without a word. */
  down: boolean
  slowMs: number
  /** Of the link: what goes either way over HTTP, all calls together. Logs are not counted. */
  bytesPerSecond: number | undefined
  /** Instead of each answer. */
  nonsense: string | undefined
  /** A job is taken, and then it says 500, nothing, or what it should once that is over. */
  afterSubmit: '500' | 'nothing' | 'late' | undefined
  /** A log is cut off after so many pieces; each opening of it counts anew. */
  cutLogAfter: number | undefined
  /** What it lists comes twice. */
  twice: boolean
  /** No node takes a job. */
  full: boolean
  /** Results lie where nobody finds them. */
  resultsGone: boolean
  resultsDown: boolean
  /** They are said to lie elsewhere. */
  resultsRedirect: string | undefined
  /** It lists none, or knows nothing of them (404). */
  unpublished: 'none' | '404' | undefined
  /** A log cannot be read any more when the job has ended. */
  logGoneAfterEnd: boolean
  /** A log is closed as if that were all after so many pieces; the next opening of it is whole. */
  closeLogAfter: number | undefined
  /** Published instead of what came of a job. */
  results: Buffer | undefined
}

/** What it says no with. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  readonly hint: string | undefined
  constructor(status: number, code: string, message: string, hint?: string) {
    super(message)
    this.status = status
    this.code = code
    this.hint = hint
  }
}

/** Jobs of a fake orchestrator and its one node: what is taken, how they go on, what runs. No HTTP. */
export class BacalhauNetwork {
  readonly faults: BacalhauFaults = {
    ...{
      down: false,
      slowMs: 0,
      bytesPerSecond: undefined,
      nonsense: undefined,
      afterSubmit: undefined,
      cutLogAfter: undefined,
      twice: false,
      full: false,
    },
    ...{ resultsGone: false, resultsDown: false, results: undefined, resultsRedirect: undefined },
    ...{ unpublished: undefined, logGoneAfterEnd: false, closeLogAfter: undefined },
  }
  /** While images are fetched nothing begins, and it is said to run. */
  isPulling = false
  readonly jobs: FakeJob[] = []
  /** Programs that were really begun. */
  runs = 0
  readonly #engines: readonly string[]
  readonly #folder: string

  /** @param folder  for what it runs, and what it publishes */
  constructor(folder: string, engines: readonly string[]) {
    this.#folder = folder
    this.#engines = engines
  }

  jobNamed(name: string): FakeJob | undefined {
    return this.jobs.find(({ spec }) => spec.Name === name)
  }

  /** The node of what runs is lost: the orchestrator begins it anew. */
  loseNode(job: FakeJob): void {
    const last = job.executions.at(-1)
    if (!last || ENDED.has(last.state)) return
    last.state = STATES.failed
    last.message = 'node is unhealthy'
    last.kill()
    void this.#execute(job)
  }

  forget(job: FakeJob): void {
    this.jobs.splice(this.jobs.indexOf(job), 1)
    for (const execution of job.executions) execution.kill()
  }

  /** @throws Refused */
  find(id: string, namespace: string): FakeJob {
    const found = this.jobs.find(
      (one) => (one.spec.Name === id || one.id === id || (id.length >= 8 && one.id.startsWith(id))) && one.spec.Namespace === namespace,
    )
    if (found) return found
    throw new Refused(404, 'NotFound', `job not found: ${id}`)
  }

  /** A job that is sent. @throws Refused */
  put(body: string): object {
    let value: unknown
    try {
      value = JSON.parse(body)
    } catch {
      throw new Refused(400, 'InternalError', 'Syntax error: this is no JSON')
    }
    const parsed = putJobRequest.safeParse(value)
    const [wrong] = parsed.error?.issues ?? []
    if (!parsed.success) throw new Refused(400, 'InternalError', `${wrong?.path.join('.')}: ${wrong?.message}`)
    const { Job: spec, Force } = parsed.data
    const [task] = spec.Tasks
    if (!task || !this.#engines.includes(task.Engine.Type))
      throw new Refused(400, 'InternalError', `engine ${task?.Engine.Type} is not known`)
    const params = (task.Engine.Type === 'wasm' ? wasmParams : dockerParams).safeParse(task.Engine.Params)
    if (!params.success)
      throw new Refused(400, 'InternalError', `invalid ${task.Engine.Type} engine param: ${params.error.issues[0]?.message}`)
    const id = `j-${randomUUID()}`
    const before =
      spec.Name === '' ? undefined : this.jobs.find((one) => one.spec.Name === spec.Name && one.spec.Namespace === spec.Namespace)
    if (before && !Force && isDeepStrictEqual(before.spec, spec))
      throw new Refused(
        500,
        '',
        `no changes detected for new job spec. Job Name: '${spec.Name}', Job Id: '${before.id}'`,
        'Use the --force flag to override this warning',
      )
    // Another text by the same name is a new version of it: the old one's program is ended, and it runs again.
    const job: FakeJob = before ?? {
      id,
      spec: { ...spec, Name: spec.Name || id },
      state: 'Pending',
      message: '',
      version: 0,
      executions: [],
    }
    job.version++
    if (before) this.#end(before, STATES.cancelled)
    else this.jobs.push(job)
    void this.#execute(job)
    return { JobID: job.id, EvaluationID: randomUUID(), Warnings: [] }
  }

  async #execute(job: FakeJob): Promise<void> {
    const [task] = job.spec.Tasks
    if (!task) return
    job.state = this.faults.full ? 'Queued' : 'Pending'
    const isStopped = () => job.state === 'Stopped'
    await until(() => !this.faults.full || isStopped())
    if (isStopped()) return
    const id = `e-${randomUUID()}`
    mkdirSync(path.join(this.#folder, id))
    const execution = new FakeExecution(id, job.id, path.join(this.#folder, id))
    job.executions.push(execution)
    for (const state of [STATES.asked, STATES.bidAccepted, STATES.running]) {
      if (ENDED.has(execution.state)) return
      execution.state = state
      if (state !== STATES.asked) job.state = 'Running'
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await until(() => !this.isPulling || ENDED.has(execution.state))
    const isOver = () => ENDED.has(execution.state)
    if (isOver()) return
    try {
      this.runs++
      execution.exitCode = await execution.run(task)
      if (isOver()) return
      execution.state = STATES.publishing
      if (task.Publisher?.Type) execution.pack(path.join(this.#folder, `${id}.tar.gz`))
      execution.state = STATES.completed
      if (job.spec.Type === 'service') return void this.#execute(job) // it goes on until it is stopped
      job.state = 'Completed'
    } catch (error) {
      if (isOver()) return
      execution.state = STATES.failed
      execution.message = error instanceof Error ? error.message : String(error)
      execution.endLog()
      job.state = 'Failed'
      job.message = 'not enough nodes to run job. requested: 1, available: 1, suitable: 0.'
    }
  }

  /** @throws Refused */
  stop(job: FakeJob, reason: string): object {
    if (job.state === 'Completed') throw new Refused(500, '', 'cannot stop job in state Completed')
    this.#end(job, STATES.cancelled)
    job.state = 'Stopped'
    job.message = reason
    return { EvaluationID: randomUUID() }
  }

  #end(job: FakeJob, state: number): void {
    for (const execution of job.executions) {
      if (ENDED.has(execution.state)) continue
      execution.state = state
      execution.kill()
    }
  }

  /** Names of archives in its folder. @throws Refused */
  resultsOf(job: FakeJob): readonly string[] {
    if (job.spec.Type !== 'batch' && job.spec.Type !== 'ops')
      throw new Refused(500, 'InternalError', `job type ${job.spec.Type} does not support results`)
    if (this.faults.unpublished === '404') throw new Refused(404, 'NotFound', 'no results of that job')
    if (!job.spec.Tasks[0]?.Publisher?.Type || this.faults.unpublished === 'none') return []
    return job.executions.filter(({ state }) => state === STATES.completed).map(({ id }) => `${id}.tar.gz`)
  }
}

/** Looked for often. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}
