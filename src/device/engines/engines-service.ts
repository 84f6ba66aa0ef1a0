import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import { type EngineCall, EngineError, type EngineJob, type EngineStreams } from '../../jobs/engines/engine.ts'
import type { EngineSubmission, KnownJob } from '../../jobs/engines/engine.ts'
import type { EngineBook, EngineRecord } from '../../jobs/engines/engine-book.ts'
import { isSameStand } from '../../jobs/engines/engine-places.ts'
import { ENGINE_PREFIX, type EngineRow, type enginesContract } from '../../jobs/engines/engines-contract.ts'
import { patientCall, patientDownload } from '../../jobs/engines/patient-call.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { PlacementCandidate } from '../../jobs/placement.ts'
import { localChannelPair } from '../../rpc/local-channels.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { Handlers } from '../../rpc/contract.ts'
import { BacalhauKind } from './bacalhau-kind.ts'
import type { FilesClient, HostClient, ProcessConnection } from '../device-parts.ts'
import { EngineAttempt } from './engine-attempt.ts'
import type { EngineKind, PlacementAsk } from './engine-kind.ts'
import { EngineOrders, waitingEnds } from './engine-orders.ts'
import { EngineRows } from './engine-rows.ts'
import { EngineWhereabouts, STRANDED_MS } from './engine-whereabouts.ts'
import type { JobPlace } from '../jobs/job-places.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import { SlurmKind } from './slurm-kind.ts'
import { withPatience } from './with-patience.ts'

/** A call may stand still so long. */
const PATIENCE_MS = 5_000
/** slurmrestd tries for seconds before it says no to a token. */
const ADD_MS = 20_000
/** What it has to lay down is large. */
const SUBMIT_MS = 30_000
/** So is fetching what came of a job. */
const RESULTS_MS = 30_000

export interface EnginesServiceOptions {
  readonly files: ProcessConnection<FilesClient>
  readonly host: ProcessConnection<HostClient>
  readonly call: EngineCall
  readonly streams: EngineStreams
  readonly clock: Clock
  readonly log: Logger
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
}

/** Remembered as ended: more are not being prepared at once. */
const MAX_ENDED = 256

/** Engines of this device, and attempts on them (rules EN1-EN15). What differs between them is theirs: engine-kind.ts. */
export class EnginesService implements Disposable {
  readonly #options: EnginesServiceOptions
  readonly #rows: EngineRows
  readonly #orders: EngineOrders
  readonly #following = new Map<EngineAttempt, string>()
  #open: { readonly desk: OpenDesk; readonly whereabouts: EngineWhereabouts } | undefined

  /** Ended, perhaps before they were sent: those are not sent any more (JB44). */
  readonly #ended = new Set<string>()

  constructor(options: EnginesServiceOptions) {
    this.#options = options
    const { clock, log, desk } = options
    this.#rows = new EngineRows(clock, (record) => this.#kindOf(record).engine)
    this.#orders = new EngineOrders({
      ...{ clock, log, desk: () => desk() },
      engineOf: (attempt, name) => {
        const whereabouts = this.#whereabouts()
        const record = whereabouts.find(attempt, name)
        const place = whereabouts.places.of(attempt)
        if (record) return { engine: this.#kindOf(record).engine, id: place?.id }
        return place && clock.nowMs() - place.atMs < STRANDED_MS ? 'wait' : 'never'
      },
      onDidEnd: (attempt) => this.#isFollowed(attempt) || this.#whereabouts().forget(attempt),
    })
  }

  /** The desk has just been opened: orders that could not be given before are. */
  follow(desk: OpenDesk): void {
    this.#orders.follow(desk)
  }

  /** The desk closes: what runs there goes on, and no token stays in memory. */
  close(): void {
    this.#orders.close()
    for (const one of [...this.#following.keys()]) one.dispose()
    this.#open = undefined
  }

  handlers(): Handlers<typeof enginesContract> {
    return {
      listEngines: ({ ask }) => {
        const whereabouts = this.#whereabouts()
        const jobs = (name: string) => whereabouts.onlyOn(name).length
        return Promise.all(
          whereabouts.book.all.map(async (record) => ({
            ...(ask ? await this.#rows.ask(record) : this.#rows.last(record)),
            jobs: jobs(record.name),
          })),
        )
      },
      addEngine: async (input) => {
        const url = addressOf(input.url)
        const record: EngineRecord =
          input.kind === 'slurm'
            ? { format: 1, ...input, url, shared: input.shared.replace(/\/+$/, '') || '/' }
            : { format: 1, ...input, url }
        const kind = this.#kindOf(record, ADD_MS)
        await kind.check()
        const condition = await withPatience(this.#options.clock, (signal) => kind.engine.describe(signal), ADD_MS)
        this.#whereabouts().put(record)
        this.#orders.follow(this.#options.desk())
        return this.#rows.keep(record, condition)
      },
      removeEngine: ({ name, force }) => {
        this.#require(name)
        const left = this.#whereabouts().onlyOn(name).length
        if (left > 0 && !force)
          throw new EngineError(
            'engine/in-use',
            `${left === 1 ? 'one job runs' : `${left} jobs run`} on ${name}, and would neither be followed nor ended any more: cancel ${left === 1 ? 'it' : 'them'} first, or remove it all the same (--force)`,
          )
        this.#book().remove(name)
        for (const [one, attempt] of this.#following) if (!this.#whereabouts().find(attempt, name)) one.strand()
        return {}
      },
    }
  }

  /** What an engine is called where devices are named; undefined: none has that name. */
  named(name: string): string | undefined {
    return this.#book().find(name) && `${ENGINE_PREFIX}${name}`
  }

  /** Where attempts of `engine:NAME` are made. What is there by now is followed where it was sent. Each call @throws EngineError `engine/unknown` */
  placeAt(device: string): JobPlace {
    const name = device.slice(ENGINE_PREFIX.length)
    return {
      start: async (request) => {
        const record = this.#require(name)
        const submission = await this.#kindOf(record).prepare(request)
        if (this.#ended.has(request.attempt)) throw new JobError('job/unknown', 'it was ended before it was sent')
        return this.#attempt(record, request, await this.#submit(record, submission), 0)
      },
      attach: async (request, from) => {
        const { attempt } = request
        const record = await this.#whereIs(attempt, name)
        const kind = this.#kindOf(record)
        const job = await kind.engine.find(attempt, new AbortController().signal, this.#known(attempt))
        if (job) this.#settle(attempt, job.id)
        else if (this.#orders.isUnclear(attempt))
          throw new EngineError('engine/unreachable', `${record.name} has not said yet whether it took it`)
        if (!job && !(await kind.hasEnded(attempt))) throw new JobError('job/unknown', `${record.name} knows nothing of it any more`)
        return this.#attempt(record, request, job, from)
      },
      end: async (attempt) => {
        this.#ended.add(attempt)
        if (this.#ended.size > MAX_ENDED) this.#ended.delete(this.#ended.values().next().value as string)
        await this.#orders.end(name, attempt, () => this.#whereabouts().stranded(attempt, name))
        for (const [one, followed] of this.#following) if (followed === attempt) one.giveUp()
      },
      openShell: async () => {
        throw new JobError('job/no-shell', `${name} opens no shell in what it runs`)
      },
    }
  }

  /** For placement: each engine with what speaks against it there and then (rule EN5). */
  async candidates(only: string | undefined, ask: PlacementAsk): Promise<PlacementCandidate[]> {
    const wanted = this.#book().all.filter(({ name }) => only === undefined || only === `${ENGINE_PREFIX}${name}`)
    return Promise.all(
      wanted.map(async (record) => {
        const kind = this.#kindOf(record)
        // What is known without asking comes first: a start must not wait for an engine that could not take it anyway.
        const known = kind.limit(ask)
        const row = known === undefined ? await this.#rows.soon(record, only !== undefined) : undefined
        const fit = row?.state === 'ready' ? await kind.fit(ask, row) : undefined
        return candidateOf(record.name, row, known ?? (row && row.state !== 'ready' ? row.why : fit?.limit), fit)
      }),
    )
  }

  dispose(): void {
    for (const one of [...this.#following.keys()]) one.dispose()
    this.close()
  }

  async #submit(record: EngineRecord, submission: EngineSubmission): Promise<EngineJob> {
    const { name } = submission
    this.#whereabouts().note(name, record, submission.service)
    const isUnclear = (error: unknown) => errorCode(error) === 'engine/unreachable'
    const { engine } = this.#kindOf(record, SUBMIT_MS)
    try {
      const job = await this.#orders.submit(name, isUnclear, (signal) => engine.submit(submission, signal))
      if (this.#open) this.#whereabouts().noteId(name, job.id)
      return job
    } catch (error) {
      // It may have been taken, and the answer lost: it is asked for by its name until it is known.
      if (isUnclear(error)) throw new RpcError('rpc/closed', errorMessage(error), { cause: error })
      this.#whereabouts().forget(name)
      throw error
    }
  }

  #settle(attempt: string, id: string): void {
    this.#orders.settle(attempt)
    this.#whereabouts().noteId(attempt, id)
  }

  #known(attempt: string): KnownJob | undefined {
    const place = this.#whereabouts().places.of(attempt)
    return place?.id === undefined ? undefined : { id: place.id, isService: place.service }
  }

  /**
   * Where it is followed. The engine of its name may be the one that it was sent to, at another address: if it knows the name of the
   * attempt, which nobody else has, it is.
   *
   * @throws EngineError `engine/unknown`  nothing here opens the place where it was sent
   */
  async #whereIs(attempt: string, name: string): Promise<EngineRecord> {
    const whereabouts = this.#whereabouts()
    const there = whereabouts.find(attempt, name)
    const now = whereabouts.book.find(name)
    if (there && whereabouts.book.all.some((one) => isSameStand(one, there))) return there
    const place = whereabouts.places.of(attempt)
    if (now && now.kind === place?.kind && (await this.#isKnownAt(now, attempt))) {
      whereabouts.noteMove(attempt, now)
      return whereabouts.find(attempt, name) ?? now
    }
    if (there) return there
    throw whereabouts.stranded(attempt, name)
  }

  async #isKnownAt(record: EngineRecord, attempt: string): Promise<boolean> {
    try {
      return (await this.#kindOf(record).engine.find(attempt, new AbortController().signal)) !== undefined
    } catch (error) {
      this.#options.log.debug('whether a job is where its engine is now could not be asked', { attempt, why: errorMessage(error) })
      return false
    }
  }

  #isFollowed(attempt: string): boolean {
    return [...this.#following.values()].includes(attempt)
  }

  #attempt(
    record: EngineRecord,
    request: Pick<AttemptRequest, 'attempt' | 'folder'>,
    job: EngineJob | undefined,
    from: number,
  ): ByteChannel {
    const { clock, log } = this.#options
    const { attempt } = request
    const [near, far] = localChannelPair()
    const kind = this.#kindOf(record)
    const trail: ConstructorParameters<typeof EngineAttempt>[0]['trail'] = (sink) => kind.trail(request, sink)
    const isService = this.#open ? this.#whereabouts().places.of(attempt)?.service : undefined
    const following = new EngineAttempt({ attempt, engine: kind.engine, clock, log, job, isService, trail }, far, from)
    this.#following.set(following, attempt)
    far.onDidClose(() => {
      this.#following.delete(following)
      if (following.hasEnded) this.#forget(kind, attempt)
    })
    return near
  }

  #forget(kind: EngineKind, attempt: string): void {
    try {
      kind.forget(attempt)
      if (this.#open) this.#whereabouts().forget(attempt)
    } catch (error) {
      this.#options.log.debug('what is kept of a job on an engine stays for now', { attempt, why: errorMessage(error) })
    }
  }

  /** @param patienceMs  one call may stand still so long */
  #kindOf(record: EngineRecord, patienceMs = PATIENCE_MS): EngineKind {
    const { streams, files, host, clock, log, desk } = this.#options
    const call = patientCall(this.#options.call, clock, patienceMs)
    if (record.kind === 'slurm') return new SlurmKind(record, call, files, () => desk().context.signer.device)
    const download = patientDownload(streams.download.bind(streams), clock, RESULTS_MS)
    return new BacalhauKind(record, {
      call,
      streams: { open: streams.open.bind(streams), download },
      host,
      clock,
      log,
      values: () => desk().values,
    })
  }

  #book(): EngineBook {
    return this.#whereabouts().book
  }

  #whereabouts(): EngineWhereabouts {
    const desk = this.#options.desk()
    if (this.#open?.desk !== desk) {
      const whereabouts = new EngineWhereabouts(desk.values, this.#options.clock, () => waitingEnds(desk.values))
      this.#open = { desk, whereabouts }
    }
    return this.#open.whereabouts
  }

  #require(name: string): EngineRecord {
    const record = this.#book().find(name)
    if (record) return record
    throw new EngineError('engine/unknown', `there is no engine "${name}"; "elsewhere engine list" names them`)
  }
}

/** @param row  how it is; undefined: it was not asked */
function candidateOf(
  name: string,
  row: EngineRow | undefined,
  limit: string | undefined,
  fit: Awaited<ReturnType<EngineKind['fit']>> | undefined,
): PlacementCandidate {
  const device = `${ENGINE_PREFIX}${name}`
  const { cores = 1, idleCores = 0 } = row ?? {}
  const without = limit ?? (row?.state === 'ready' && row.cores === 0 ? 'has no node that is up' : undefined)
  return {
    ...{ device, name, here: false, linked: true, granted: true, limit: without },
    ...{ roundTripMs: 0, bytesPerSecond: undefined, missingBytes: fit?.missingBytes ?? 0, startMs: fit?.startMs ?? 0 },
    facts: {
      ...{ device, platform: 'linux', architecture: 'any', speed: 1, memoryFreeBytes: 2 ** 50, memoryTotalBytes: 2 ** 50 },
      ...{
        cores: Math.max(1, Math.min(65_536, cores)),
        busy: cores === 0 ? 1 : 1 - Math.min(1, idleCores / cores),
        missingTools: [],
      },
    },
  }
}

/** @throws EngineError `engine/bad-address` */
function addressOf(text: string): string {
  try {
    const url = new URL(text)
    if ((url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.pathname === '/' && url.search === '')
      return url.origin
  } catch {
    // said below
  }
  throw new EngineError('engine/bad-address', `${text.slice(0, 80)} is no address of an engine: http://HOST:PORT, without a path`)
}
