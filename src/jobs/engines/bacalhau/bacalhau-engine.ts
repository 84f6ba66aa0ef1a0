import { errorMessage } from '../../../base/errors.ts'
import { JobError } from '../../job-error.ts'
import {
  type CopyEngine,
  type EngineCall,
  type EngineCondition,
  EngineError,
  type EngineJob,
  type EngineOutput,
  type KnownJob,
} from '../engine.ts'
import type { EngineResults, EngineStreams, EngineSubmission } from '../engine.ts'
import { parseAnswer } from '../parse-answer.ts'
import * as answers from './bacalhau-answers.ts'
import { askBacalhau, type BacalhauAddress, headersOf } from './bacalhau-call.ts'
import { bacalhauJob } from './bacalhau-job.ts'
import { BacalhauResults } from './bacalhau-results.ts'

/*
 * Bacalhau over its HTTP API, v1 of 1.9. Written from its published API and source, against the fake in testkit; the suite beside
 * runs against a real node where one is given.
 */

const JOBS = '/api/v1/orchestrator/jobs'
/** What came of a job, packed. */
const MAX_PACKED_BYTES = 256 * 1024 * 1024

export type BacalhauSettings = BacalhauAddress & { readonly image?: string | undefined; readonly namespace?: string | undefined }

/** States of an execution whose program is at work, or soon. */
const ACTIVE: ReadonlySet<answers.ExecutionState> = new Set(['BidAccepted', 'Running', 'Publishing'])

/** One that waits is asked for whole after so many looks at its executions: half a minute and more. */
const LOOKS_BETWEEN = 20
const REASON = 'stopped by its owner'

/** Owns nothing; remembers only what it need not ask again. */
export class BacalhauEngine implements CopyEngine {
  readonly #settings: BacalhauSettings
  readonly #call: EngineCall
  readonly #streams: EngineStreams
  /** The job that waited when it was asked for whole last, and with which executions. */
  #queued: { readonly id: string; readonly mark: string; left: number } | undefined

  constructor(settings: BacalhauSettings, call: EngineCall, streams: EngineStreams) {
    this.#settings = settings
    this.#call = call
    this.#streams = streams
  }

  async describe(signal: AbortSignal): Promise<EngineCondition> {
    const [version, listed] = await Promise.all([
      this.#ask(answers.version, 'GET', '/api/v1/agent/version', signal),
      this.#ask(answers.nodes, 'GET', '/api/v1/orchestrator/nodes?limit=1000', signal),
    ])
    if (!version || !listed) throw new EngineError('engine/nonsense', `${this.#settings.url} has no orchestrator of Bacalhau's API v1`)
    const up = listed.Nodes.flatMap(({ Info, ConnectionState }) =>
      Info.NodeType === 'Compute' && ConnectionState.Status === 'CONNECTED' ? (Info.ComputeNodeInfo ?? []) : [],
    )
    const sum = (of: (node: (typeof up)[number]) => number) => Math.floor(up.reduce((all, node) => all + of(node), 0))
    return {
      version: `Bacalhau ${version.GitVersion.slice(0, 40)}`,
      cores: sum(({ MaxCapacity }) => MaxCapacity.CPU),
      idleCores: sum(({ AvailableCapacity }) => AvailableCapacity.CPU),
      queued: sum(({ EnqueuedExecutions }) => EnqueuedExecutions),
      runs: ['docker', 'wasm'].filter((one) => up.some(({ ExecutionEngines }) => ExecutionEngines?.includes(one))),
    }
  }

  /**
   * Its token against sending twice is given, and not relied on: the source of 1.9 does not look at it. What holds is the name: it is
   * looked for first, and of two jobs of one name and text the second is refused.
   */
  async submit(submission: EngineSubmission, signal: AbortSignal): Promise<EngineJob> {
    const { name } = submission
    const there = await this.find(name, signal)
    if (there) return there
    const body = { Job: await bacalhauJob(submission, this.#settings) }
    try {
      const taken = await this.#ask(answers.submitted, 'PUT', `${JOBS}?idempotency_token=${encodeURIComponent(name)}`, signal, body)
      if (taken) return { id: taken.JobID, state: 'queued' }
    } catch (error) {
      // It says no to what it has by now, and some of its errors come after it was kept.
      const isOdd = error instanceof EngineError && error.code === 'engine/refused' && error.numbers.some((status) => status >= 500)
      const found = isOdd ? await this.find(name, signal) : undefined
      if (found) return found
      throw error
    }
    throw new EngineError('engine/nonsense', `${this.#settings.url} has no jobs`)
  }

  /**
   * A job is told with all its input each time. Once what it is called there is known its executions are enough while it runs, and at
   * the end of a batch job; what no execution tells is asked for when they are others than before, and else now and then.
   */
  async find(name: string, signal: AbortSignal, known?: KnownJob): Promise<EngineJob | undefined> {
    const executions = known && (await this.#executions(known.id, signal))
    if (executions) {
      const told = briefly(executions, known)
      if (told) return told
      const mark = JSON.stringify(executions.map(({ ID, ComputeState }) => [ID, ComputeState.StateType]))
      const { id } = known
      const isAsBefore = !known.isEnding && this.#queued?.id === id && this.#queued.mark === mark
      if (isAsBefore && this.#queued && this.#queued.left-- > 0) return { id, state: 'queued' }
      const found = await this.#whole(name, signal)
      this.#queued = found?.state === 'queued' ? { id: found.id, mark, left: LOOKS_BETWEEN } : undefined
      return found
    }
    return this.#whole(name, signal)
  }

  async cancel({ name, id }: { readonly name: string; readonly id?: string }, signal: AbortSignal): Promise<boolean> {
    // Both are names of it there.
    const at = `${JOBS}/${encodeURIComponent(id ?? name)}`
    try {
      const stopped = await this.#ask(answers.stopped, 'DELETE', `${at}?${this.#namespace()}reason=${encodeURIComponent(REASON)}`, signal)
      return stopped !== undefined
    } catch (error) {
      // It says no for one that is over.
      const isRefused = error instanceof EngineError && error.code === 'engine/refused' && error.numbers.length > 0
      const now = isRefused ? await this.#ask(answers.job, 'GET', `${at}?${this.#namespace()}`, signal) : undefined
      if (now && ['Completed', 'Stopped', 'Failed'].includes(now.Job.State.StateType)) return true
      throw error
    }
  }

  async *output({ id, run }: EngineJob, signal: AbortSignal): AsyncIterable<EngineOutput> {
    const query = `${this.#namespace()}follow=true${run === undefined ? '' : `&execution_id=${encodeURIComponent(run)}`}`
    const url = `${this.#settings.url.replace(/^http/, 'ws')}${JOBS}/${encodeURIComponent(id)}/logs?${query}`
    try {
      for await (const text of this.#streams.open({ url, headers: headersOf(this.#settings) }, signal)) {
        const message = parseAnswer(answers.logMessage, text)
        if (!message) throw new EngineError('engine/nonsense', `${this.#settings.url} sent something that is no piece of a log`)
        if (message.error) throw new EngineError('engine/refused', `the log of a job: ${message.error.slice(0, 300)}`)
        const { Type, Line } = message.value ?? { Type: 0, Line: '' }
        if (Line !== '') yield { stream: Type === 2 ? 'err' : 'out', text: Line }
      }
    } catch (error) {
      if (error instanceof EngineError) throw error
      throw new EngineError('engine/unreachable', `the log of a job was cut off (${errorMessage(error).slice(0, 200)})`, { cause: error })
    }
  }

  async results({ id }: EngineJob, signal: AbortSignal): Promise<EngineResults> {
    const listed = await this.#ask(answers.results, 'GET', `${JOBS}/${encodeURIComponent(id)}/results?${this.#namespace()}`, signal)
    const [first] = listed?.Items ?? []
    const lost = (why: string, cause?: unknown) =>
      new EngineError('engine/results-lost', `what came of it cannot be had: ${why}`, { cause })
    // Each batch job has a publisher: there is its output at least.
    if (first === undefined) throw lost(listed ? 'it published nothing' : 'it is not known there any more')
    const url = plainUrl(answers.resultUrl(first))
    if (url === undefined) throw lost('it was published in a way that is not fetched from here')
    const { origin } = new URL(url)
    const got = await this.#streams.download(url, MAX_PACKED_BYTES, signal).catch((error: unknown) => {
      if (error instanceof RangeError) throw lost(`it is over ${MAX_PACKED_BYTES / 1_048_576} MiB`)
      if (error instanceof TypeError) throw lost(`nothing is fetched from ${origin} (${errorMessage(error).slice(0, 200)})`)
      if (error instanceof JobError) throw error
      throw new EngineError(
        'engine/unreachable',
        `${origin}, where its results lie, does not answer (${errorMessage(error).slice(0, 200)})`,
      )
    })
    if (got.status !== 200) {
      await got.bytes.dispose()
      if (got.status >= 500 || got.status === 429)
        throw new EngineError('engine/unreachable', `${origin} answered ${got.status} for its results`)
      throw lost(`${origin} answered ${got.status}`)
    }
    return BacalhauResults.open(got.bytes, signal).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : lost(`it is no archive (${errorMessage(error).slice(0, 200)})`, error)
    })
  }

  async #whole(name: string, signal: AbortSignal): Promise<EngineJob | undefined> {
    const path = `${JOBS}/${encodeURIComponent(name)}?${this.#namespace()}include=executions`
    const found = await this.#ask(answers.job, 'GET', path, signal)
    // It finds by the start of an id, too.
    return found?.Job.Name === name ? jobOf(found, this.#settings.url) : undefined
  }

  async #executions(id: string, signal: AbortSignal): Promise<readonly answers.Execution[] | undefined> {
    const path = `${JOBS}/${encodeURIComponent(id)}/executions?${this.#namespace()}`
    return (await this.#ask(answers.executions, 'GET', path, signal))?.Items ?? undefined
  }

  #namespace(): string {
    const { namespace } = this.#settings
    return namespace === undefined ? '' : `namespace=${encodeURIComponent(namespace)}&`
  }

  #ask<T>(
    schema: Parameters<typeof askBacalhau<T>>[2],
    method: 'GET' | 'PUT' | 'DELETE',
    path: string,
    signal: AbortSignal,
    body?: object,
  ): Promise<T | undefined> {
    return askBacalhau(this.#call, this.#settings, schema, { method, path, ...(body && { body }) }, signal)
  }
}

const isActive = ({ ComputeState }: answers.Execution): boolean => ACTIVE.has(ComputeState.StateType)
const newest = (all: readonly answers.Execution[] = []): answers.Execution | undefined =>
  all.toSorted((a, b) => b.CreateTime - a.CreateTime)[0]

/** As its executions alone tell; undefined: they do not. Of a batch job one is to be completed, and then it is. */
function briefly(executions: readonly answers.Execution[], { id, isService }: KnownJob): EngineJob | undefined {
  const active = newest(executions.filter(isActive))
  if (active) return { id, run: active.ID, state: 'running' }
  const done = isService === false ? newest(executions.filter(({ ComputeState }) => ComputeState.StateType === 'Completed')) : undefined
  const code = done?.RunOutput?.ExitCode
  return done && code !== undefined ? { id, run: done.ID, state: 'ended', code: exitCodeOf(code) } : undefined
}

/** A module that says no code of its own gives -1. */
const exitCodeOf = (code: number): number => (code === -1 ? 0 : code & 255)

/** @throws EngineError `engine/nonsense`  it says that it has ended, and not how */
function jobOf({ Job, Executions }: answers.Job, url: string): EngineJob {
  const id = Job.ID
  const all = Executions?.Items ?? []
  const active = newest(all.filter(isActive))
  switch (Job.State.StateType) {
    case 'Pending':
    case 'Queued':
    case 'Running':
      return active ? { id, run: active.ID, state: 'running' } : { id, state: 'queued' }
    case 'Completed': {
      const done = newest(all.filter(({ ComputeState }) => ComputeState.StateType === 'Completed'))
      const code = done?.RunOutput?.ExitCode
      if (!done || code === undefined) throw new EngineError('engine/nonsense', `${url} says that a job has ended, and not how`)
      return { id, run: done.ID, state: 'ended', code: exitCodeOf(code) }
    }
    case 'Stopped':
    case 'Failed': {
      const last = newest(all.filter(({ ComputeState }) => ['Failed', 'Cancelled'].includes(ComputeState.StateType)))
      const run = last && { run: last.ID }
      if (Job.State.StateType === 'Stopped') return { id, ...run, state: 'ended', code: 143, ended: 'cancelled' }
      const said = [last?.ComputeState.Message, Job.State.Message].find((text) => text) ?? 'it does not say why'
      if (/memory limit exceeded/i.test(said)) return { id, ...run, state: 'ended', code: 137, ended: 'memory' }
      if (/timed? ?out|timeout/i.test(said)) return { id, ...run, state: 'ended', code: 124, ended: 'time limit' }
      const message = `Bacalhau could not run it: ${said.slice(0, 600)}`
      return { id, ...run, state: 'ended', code: 1, error: { code: 'engine/failed', message } }
    }
  }
}

/** HTTP only, and no names and secrets of ours in it. */
function plainUrl(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const { protocol, username, password, href } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '' ? href : undefined
}
