import * as z from 'zod'
import { errorMessage } from '../../base/errors.ts'
import { parseAnswer } from './parse-answer.ts'
import { BEGUN_AGAIN, slurmScript } from './slurm-script.ts'
import { type Engine, type EngineCall, type EngineCondition, EngineError, type EngineJob } from './engine.ts'
import type { EngineSubmission, KnownJob } from './engine.ts'

/*
 * Slurm over slurmrestd, API v0.0.38 (Slurm 21.08 to 23.02), with a JWT. Tried with Debian's 22.05.8, as the suite beside does.
 */

/** Its ESLURM_INVALID_JOB_ID: none has that number, or not any more. */
const INVALID_JOB_ID = 2017
const API = '/slurm/v0.0.38'

export interface SlurmSettings {
  /** Of slurmrestd: `http://head:6820`. */
  readonly url: string
  readonly user: string
  readonly token: string
  /** What it sees of this disk. */
  readonly shared: string
  readonly partition?: string | undefined
}

const errors = z
  .array(z.object({ error: z.string().optional(), description: z.string().nullish(), error_number: z.number().optional() }))
  .default([])
const answer = z.object({ errors })
const submitted = z.object({ errors, job_id: z.number().int().positive() })
const job = z.object({
  job_id: z.number().int().positive(),
  name: z.string(),
  job_state: z.string(),
  state_reason: z.string().nullish(),
  /** As wait(2) gives it: the code times 256, or the signal. */
  exit_code: z.number().int().nullish(),
  /** How often it was begun again. */
  restart_cnt: z.number().int().nullish(),
})
const jobs = z.object({ errors, jobs: z.array(z.unknown()).max(200_000) })
const nodes = z.object({
  errors,
  nodes: z
    .array(
      z.object({
        cpus: z.number().int().min(0),
        idle_cpus: z.number().int().min(0).optional(),
        alloc_cpus: z.number().int().min(0).optional(),
        state: z.string(),
      }),
    )
    .max(100_000),
})
const ping = z.object({
  errors,
  pings: z.array(z.object({ ping: z.string() })).default([]),
  meta: z.object({ Slurm: z.object({ release: z.string() }) }),
})

const QUEUED = new Set(['PENDING', 'CONFIGURING', 'REQUEUED', 'REQUEUE_HOLD', 'SUSPENDED', 'RESV_DEL_HOLD', 'SPECIAL_EXIT'])
const RUNNING = new Set(['RUNNING', 'COMPLETING', 'STAGE_OUT', 'STOPPED', 'RESIZING', 'SIGNALING'])
/** Why one ended that did not end by itself, in the words of attempts. */
const ENDED: Readonly<Record<string, string>> = {
  CANCELLED: 'cancelled',
  TIMEOUT: 'time limit',
  OUT_OF_MEMORY: 'memory',
  NODE_FAIL: 'node failed',
  BOOT_FAIL: 'node failed',
  PREEMPTED: 'preempted',
  DEADLINE: 'time limit',
}

/** Owns nothing; asks anew each time. */
export class SlurmEngine implements Engine {
  readonly #settings: SlurmSettings
  readonly #call: EngineCall

  constructor(settings: SlurmSettings, call: EngineCall) {
    this.#settings = settings
    this.#call = call
  }

  async describe(signal: AbortSignal): Promise<EngineCondition> {
    const { pings, meta } = await this.#ask(ping, 'GET', '/ping', signal)
    if (!pings.some((one) => one.ping === 'UP'))
      throw new EngineError('engine/unreachable', `${this.#settings.url} answers, but its slurmctld does not`)
    const [all, listed] = await Promise.all([this.#ask(nodes, 'GET', '/nodes', signal), this.#jobs(signal)])
    const up = all.nodes.filter(({ state }) => !/down|drain|fail|unknown/i.test(state))
    return {
      version: `Slurm ${meta.Slurm.release.slice(0, 40)}`,
      cores: up.reduce((sum, { cpus }) => sum + cpus, 0),
      idleCores: up.reduce((sum, { cpus, idle_cpus, alloc_cpus = 0 }) => sum + (idle_cpus ?? Math.max(0, cpus - alloc_cpus)), 0),
      queued: listed.filter(({ job_state: state }) => state === 'PENDING').length,
    }
  }

  async submit(submission: EngineSubmission, signal: AbortSignal): Promise<EngineJob> {
    const { name, script, folder, output, environment } = slurmScript(submission, this.#settings.shared)
    const there = await this.find(name, signal)
    if (there) return there
    const { partition } = this.#settings
    const body = {
      script,
      job: {
        ...{ name, environment, current_working_directory: folder, standard_output: output, standard_error: output },
        // Begun again by Slurm, it says so below what it wrote (slurm-script.ts); its v0.0.38 does not heed `requeue: false`.
        ...{ open_mode: 'append' },
        ...(partition !== undefined && { partition }),
      },
    }
    const { job_id: id } = await this.#ask(submitted, 'POST', '/job/submit', signal, JSON.stringify(body))
    return { id: String(id), state: 'queued' }
  }

  /** By its name among all, so that nothing has to be kept of what it was called there. */
  async find(name: string, signal: AbortSignal, known?: KnownJob): Promise<EngineJob | undefined> {
    if (known) {
      const one = await this.#jobs(signal, `/job/${encodeURIComponent(known.id)}`).catch((error: unknown) => {
        if (error instanceof EngineError && error.numbers.includes(INVALID_JOB_ID)) return []
        throw error
      })
      if (one[0]?.name === name) return jobOf(one[0])
    }
    const found = (await this.#jobs(signal)).filter((one) => one.name === name)
    // Two: one was submitted while another answer was lost. The first counts.
    const first = found.toSorted((a, b) => a.job_id - b.job_id)[0]
    return first && jobOf(first)
  }

  /** Its numbers are given again after a while: it is looked whose it is. */
  async cancel({ name, id }: { readonly name: string; readonly id?: string }, signal: AbortSignal): Promise<boolean> {
    const job = await this.find(name, signal, id === undefined ? undefined : { id })
    if (job && job.state !== 'ended') await this.#ask(answer, 'DELETE', `/job/${encodeURIComponent(job.id)}`, signal)
    return job !== undefined
  }

  /** What cannot be read of others' jobs is left out: it must not hide ours. */
  async #jobs(signal: AbortSignal, path = '/jobs'): Promise<z.infer<typeof job>[]> {
    const listed = await this.#ask(jobs, 'GET', path, signal)
    return listed.jobs.flatMap((one) => {
      const parsed = job.safeParse(one)
      return parsed.success ? [parsed.data] : []
    })
  }

  async #ask<T extends { errors: z.infer<typeof errors> }>(
    schema: z.ZodType<T>,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    signal: AbortSignal,
    body?: string,
  ): Promise<T> {
    const { url, user, token } = this.#settings
    const headers = {
      'X-SLURM-USER-NAME': user,
      'X-SLURM-USER-TOKEN': token,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    }
    const called = await this.#call({ method, url: `${url}${API}${path}`, headers, ...(body !== undefined && { body }) }, signal).catch(
      (error: unknown) => {
        throw new EngineError('engine/unreachable', `${url} does not answer (${errorMessage(error).slice(0, 200)})`, { cause: error })
      },
    )
    const refusals = parseAnswer(answer, called.text)?.errors ?? []
    const said = refusals.map(({ error, description }) => [error, description].filter(Boolean).join(': ')).filter(Boolean)
    if (called.status === 401 || called.status === 403 || called.text.startsWith('Authentication failure'))
      throw new EngineError(
        'engine/refused',
        `${url} does not take the token of ${user}: make a new one ("scontrol token") and add the engine anew`,
      )
    if (said.some((one) => one.includes('slurmctld config is unable to load')))
      throw new EngineError('engine/refused', `${url} does not take the token of ${user}, or its slurmctld does not answer`)
    if (said.length > 0) {
      const numbers = refusals.flatMap(({ error_number: number }) => number ?? [])
      throw new EngineError('engine/refused', `${url} refused: ${said.join('; ').slice(0, 400)}`, { numbers })
    }
    const parsed = parseAnswer(schema, called.text)
    // Something between us and it, or it fell over the answer: whether the order was taken is not known.
    if (parsed === undefined && method === 'POST' && (called.status < 400 || called.status >= 500))
      throw new EngineError('engine/unreachable', `${url} answered ${called.status} without saying whether it took it`)
    if (parsed === undefined || called.status >= 400)
      throw new EngineError('engine/nonsense', `${url} answered ${called.status} with something that is no answer of slurmrestd v0.0.38`)
    return parsed
  }
}

function jobOf({ job_id, job_state, exit_code, restart_cnt }: z.infer<typeof job>): EngineJob {
  const id = String(job_id)
  // `RUNNING`, and in others' versions with more words after it.
  const state = job_state.split(/[\s,+]/)[0] ?? ''
  if (QUEUED.has(state)) return { id, state: 'queued' }
  if (RUNNING.has(state)) return { id, state: 'running' }
  const status = exit_code ?? 0
  const signal = status & 127
  const isRefused = state === 'FAILED' && status === BEGUN_AGAIN * 256 && (restart_cnt ?? 0) > 0
  const ended = isRefused
    ? 'requeued'
    : (ENDED[state] ?? (['COMPLETED', 'FAILED'].includes(state) ? undefined : state.toLowerCase().slice(0, 32)))
  return { id, state: 'ended', code: (status >> 8) & 255, ...(signal > 0 && { signal }), ...(ended !== undefined && { ended }) }
}
