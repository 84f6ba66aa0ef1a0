import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import { type Engine, type EngineCall, EngineError, type EngineStreams } from '../../jobs/engines/engine.ts'
import { EngineBook, type EngineRecord } from '../../jobs/engines/engine-book.ts'
import { ENGINE_PREFIX, type EngineRow, type enginesContract } from '../../jobs/engines/engines-contract.ts'
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
import { EngineOrders } from './engine-orders.ts'
import { EngineRows } from './engine-rows.ts'
import type { JobPlace } from '../jobs/job-places.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import { SlurmKind } from './slurm-kind.ts'
import { withPatience } from './with-patience.ts'

/** slurmrestd tries for seconds before it says no to a token. */
const ADD_MS = 20_000
/** A folder goes along with it. */
const SUBMIT_MS = 30_000

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

/** Engines of this device, and attempts on them (rules EN1-EN12). What differs between them is theirs: engine-kind.ts. */
export class EnginesService implements Disposable {
  readonly #options: EnginesServiceOptions
  readonly #rows: EngineRows
  readonly #orders: EngineOrders
  readonly #following = new Map<EngineAttempt, string>()
  #open: { readonly desk: OpenDesk; readonly book: EngineBook } | undefined

  constructor(options: EnginesServiceOptions) {
    this.#options = options
    const { clock, desk } = options
    this.#rows = new EngineRows(clock, (record) => this.#kindOf(record).engine)
    const engine = (name: string) => {
      const record = this.#book().find(name)
      return record && this.#kindOf(record).engine
    }
    this.#orders = new EngineOrders({ clock, desk: () => desk(), engine })
  }

  /** The desk has just been opened: orders that could not be given before are. */
  follow(desk: OpenDesk): void {
    this.#orders.follow(desk)
  }

  /** The desk closes: what runs there goes on, and no token stays in memory. */
  close(): void {
    this.#orders.close()
    this.#open = undefined
  }

  handlers(): Handlers<typeof enginesContract> {
    return {
      listEngines: ({ ask }) => Promise.all(this.#book().all.map((record) => (ask ? this.#rows.ask(record) : this.#rows.last(record)))),
      addEngine: async (input) => {
        const url = addressOf(input.url)
        const record: EngineRecord =
          input.kind === 'slurm'
            ? { format: 1, ...input, url, shared: input.shared.replace(/\/+$/, '') || '/' }
            : { format: 1, ...input, url }
        const kind = this.#kindOf(record)
        await kind.check()
        const condition = await withPatience(this.#options.clock, (signal) => kind.engine.describe(signal), ADD_MS)
        this.#book().put(record)
        return this.#rows.keep(record, condition)
      },
      removeEngine: ({ name }) => {
        this.#require(name)
        this.#book().remove(name)
        return {}
      },
    }
  }

  /** What an engine is called where devices are named; undefined: none has that name. */
  named(name: string): string | undefined {
    return this.#book().find(name) && `${ENGINE_PREFIX}${name}`
  }

  /** Where attempts of `engine:NAME` are made. @throws EngineError `engine/unknown` */
  placeAt(device: string): JobPlace {
    const record = this.#require(device.slice(ENGINE_PREFIX.length))
    const kind = this.#kindOf(record)
    const { engine } = kind
    const find = (attempt: string) => withPatience(this.#options.clock, (signal) => engine.find(attempt, signal))
    return {
      start: async (request) => {
        const submission = await kind.prepare(request)
        const job = (await find(request.attempt)) ?? (await this.#submit(engine, submission))
        return this.#attempt(kind, request, job, 0)
      },
      attach: async (request, from) => {
        const { attempt } = request
        const job = await find(attempt)
        if (job) this.#orders.settle(attempt)
        else if (this.#orders.isUnclear(attempt))
          throw new EngineError('engine/unreachable', `${record.name} has not said yet whether it took it`)
        if (!job && !(await kind.hasEnded(attempt))) throw new JobError('job/unknown', `${record.name} knows nothing of it any more`)
        return this.#attempt(kind, request, job, from)
      },
      end: async (attempt) => {
        await this.#orders.end(record.name, engine, attempt)
        for (const [one, name] of this.#following) if (name === attempt) one.giveUp()
      },
      openShell: async () => {
        throw new JobError('job/no-shell', `${record.name} opens no shell in what it runs`)
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

  async #submit(engine: Engine, submission: Parameters<Engine['submit']>[0]) {
    const { clock } = this.#options
    this.#orders.noteSubmit(submission.name)
    try {
      const job = await withPatience(clock, (signal) => engine.submit(submission, signal), SUBMIT_MS)
      this.#orders.settle(submission.name)
      return job
    } catch (error) {
      // It may have been taken, and the answer lost: it is asked for by its name until it is known.
      if (errorCode(error) === 'engine/unreachable') throw new RpcError('rpc/closed', errorMessage(error), { cause: error })
      this.#orders.settle(submission.name)
      throw error
    }
  }

  #attempt(
    kind: EngineKind,
    request: Pick<AttemptRequest, 'attempt' | 'folder'>,
    job: Awaited<ReturnType<Engine['find']>>,
    from: number,
  ): ByteChannel {
    const { clock, log } = this.#options
    const [near, far] = localChannelPair()
    const trail: ConstructorParameters<typeof EngineAttempt>[0]['trail'] = (sink) => kind.trail(request, sink)
    const following = new EngineAttempt({ attempt: request.attempt, engine: kind.engine, clock, log, job, trail }, far, from)
    this.#following.set(following, request.attempt)
    far.onDidClose(() => {
      this.#following.delete(following)
      if (following.hasEnded) this.#forget(kind, request.attempt)
    })
    return near
  }

  #forget(kind: EngineKind, attempt: string): void {
    try {
      kind.forget(attempt)
    } catch (error) {
      this.#options.log.debug('what is kept of a job on an engine stays for now', { attempt, why: errorMessage(error) })
    }
  }

  #kindOf(record: EngineRecord): EngineKind {
    const { call, streams, files, host, clock, log, desk } = this.#options
    if (record.kind === 'slurm') return new SlurmKind(record, call, files, () => desk().context.signer.device)
    return new BacalhauKind(record, { call, streams, host, clock, log, values: () => desk().values })
  }

  #book(): EngineBook {
    const desk = this.#options.desk()
    if (this.#open?.desk !== desk) this.#open = { desk, book: new EngineBook(desk.values) }
    return this.#open.book
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
