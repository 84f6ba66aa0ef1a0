import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { AttemptRequest } from '../jobs/attempt-contract.ts'
import { type Engine, type EngineCall, EngineError } from '../jobs/engines/engine.ts'
import { EngineBook, type EngineRecord } from '../jobs/engines/engine-book.ts'
import { engineSubmission, exitFile, isShared, outputFile, SPOOL } from '../jobs/engines/engine-script.ts'
import { ENGINE_PREFIX, type enginesContract } from '../jobs/engines/engines-contract.ts'
import { SlurmEngine } from '../jobs/engines/slurm-engine.ts'
import type { Classification } from '../jobs/job-contract.ts'
import { JobError } from '../jobs/job-error.ts'
import type { PlacementCandidate } from '../jobs/placement.ts'
import { localChannelPair } from '../rpc/local-channels.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import type { Handlers } from '../rpc/contract.ts'
import type { FilesClient, ProcessConnection } from './device-parts.ts'
import { EngineAttempt, withPatience } from './engine-attempt.ts'
import { EngineRows } from './engine-rows.ts'
import type { JobPlace } from './job-places.ts'
import type { OpenDesk } from './open-desk.ts'

/** slurmrestd tries for seconds before it says no to a token. */
const ADD_MS = 20_000
/** Ends that could not be ordered are ordered again. */
const END_AGAIN_MS = 5_000
/** From submitting to running on an idle cluster: the scheduler looks once a second or so (measured: bench engines). */
const START_MS = 1_000
const ENDS = 'engine-ends'
/** Attempts that may have been taken, with the time they were sent. */
const SUBMITS = 'engine-submits'
/** One that was sent and is not seen so long after was not taken. */
const UNCLEAR_MS = 120_000

export interface EnginesServiceOptions {
  readonly files: ProcessConnection<FilesClient>
  readonly call: EngineCall
  readonly clock: Clock
  readonly log: Logger
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
}

/** Engines of this device, and attempts on them (rules EN1-EN6). */
export class EnginesService implements Disposable {
  readonly #options: EnginesServiceOptions
  readonly #rows: EngineRows
  readonly #following = new Set<EngineAttempt>()
  #open: { readonly desk: OpenDesk; readonly book: EngineBook } | undefined
  #isEnding = false
  /** While an order waits to be given again. */
  #ending: Disposable | undefined

  constructor(options: EnginesServiceOptions) {
    this.#options = options
    this.#rows = new EngineRows(options.clock, (record) => this.#engineOf(record))
  }

  /** The desk has just been opened: orders that could not be given before are. */
  follow(desk: OpenDesk): void {
    this.#endSoon(desk)
  }

  /** The desk closes: what runs there goes on, and no token stays in memory. */
  close(): void {
    this.#ending?.dispose()
    this.#ending = this.#open = undefined
  }

  handlers(): Handlers<typeof enginesContract> {
    return {
      listEngines: ({ ask }) => Promise.all(this.#book().all.map((record) => (ask ? this.#rows.ask(record) : this.#rows.last(record)))),
      addEngine: async (input) => {
        const record: EngineRecord = { format: 1, ...input, url: addressOf(input.url), shared: input.shared.replace(/\/+$/, '') || '/' }
        // Slurm reads both as more than they are in the path of an output.
        if (/[%\\]/.test(record.shared)) throw new EngineError('engine/bad-folder', `${record.shared} has a % or \\ in it`)
        await this.#requireShared(record.shared)
        const condition = await withPatience(this.#options.clock, (signal) => this.#engineOf(record).describe(signal), ADD_MS)
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
    const engine = this.#engineOf(record)
    const { clock } = this.#options
    const find = (attempt: string) => withPatience(clock, (signal) => engine.find(attempt, signal))
    return {
      start: async (request) => {
        if (!isShared(record.shared, request.folder))
          throw new EngineError('engine/bad-folder', `${request.folder} is not below ${record.shared}, which is what ${record.name} sees`)
        await this.#makeSpool(record.shared)
        const job = (await find(request.attempt)) ?? (await this.#submit(record, engine, request))
        return this.#attempt(record, engine, request.attempt, job, 0)
      },
      attach: async ({ attempt }, from) => {
        const job = await find(attempt)
        if (job) this.#options.desk().values.delete(SUBMITS, attempt)
        else if (this.#isUnclear(attempt)) throw new EngineError('engine/unreachable', `${record.name} has not said yet whether it took it`)
        if (!job && !(await this.#hasEnded(record, attempt)))
          throw new JobError('job/unknown', `${record.name} knows nothing of it any more`)
        return this.#attempt(record, engine, attempt, job, from)
      },
      end: async (attempt) => {
        const { values } = this.#options.desk()
        values.put(ENDS, attempt, new TextEncoder().encode(record.name)) // kept first: it is ended, whenever the engine answers
        try {
          await this.#endOne(engine, attempt)
        } finally {
          this.#endSoon(this.#deskNow())
        }
      },
      openShell: async () => {
        throw new JobError('job/no-shell', `${record.name} opens no shell in what it runs`)
      },
    }
  }

  /** For placement: each engine with what speaks against it there and then (rule EN5). */
  async candidates(only: string | undefined, folder: string, { label }: Pick<Classification, 'label'>): Promise<PlacementCandidate[]> {
    const wanted = this.#book().all.filter(({ name }) => only === undefined || only === `${ENGINE_PREFIX}${name}`)
    return Promise.all(
      wanted.map(async (record) => {
        // What is known without asking comes first: a start must not wait for an engine that could not take it anyway.
        const known = !isShared(record.shared, folder)
          ? `sees only ${record.shared}`
          : label === 'service' || label === 'interactive'
            ? 'takes only what ends by itself'
            : undefined
        const row = known === undefined ? await this.#rows.soon(record, only !== undefined) : undefined
        const limit = known ?? (row && row.state !== 'ready' ? row.why : row?.cores === 0 ? 'has no node that is up' : undefined)
        const { cores = 1, idleCores = 0 } = row ?? {}
        return {
          ...{ device: `${ENGINE_PREFIX}${record.name}`, name: record.name, here: false, linked: true, granted: true, limit },
          ...{ roundTripMs: 0, bytesPerSecond: undefined, missingBytes: 0, startMs: START_MS },
          facts: {
            ...{
              device: `${ENGINE_PREFIX}${record.name}`,
              platform: 'linux',
              architecture: 'any',
              speed: 1,
              memoryFreeBytes: 2 ** 50,
              memoryTotalBytes: 2 ** 50,
            },
            ...{
              cores: Math.max(1, Math.min(65_536, cores)),
              busy: cores === 0 ? 1 : 1 - Math.min(1, idleCores / cores),
              missingTools: [],
            },
          },
        }
      }),
    )
  }

  dispose(): void {
    for (const one of [...this.#following]) one.dispose()
    this.close()
  }

  async #submit(record: EngineRecord, engine: Engine, request: AttemptRequest) {
    const { clock, desk } = this.#options
    desk().values.put(SUBMITS, request.attempt, new TextEncoder().encode(String(clock.nowMs())))
    try {
      const job = await withPatience(clock, (signal) => engine.submit(engineSubmission(request, record.shared), signal))
      this.#deskNow()?.values.delete(SUBMITS, request.attempt)
      return job
    } catch (error) {
      // It may have been taken, and the answer lost: it is asked for by its name until it is known.
      if (errorCode(error) === 'engine/unreachable') throw new RpcError('rpc/closed', errorMessage(error), { cause: error })
      this.#deskNow()?.values.delete(SUBMITS, request.attempt)
      throw error
    }
  }

  #attempt(record: EngineRecord, engine: Engine, attempt: string, job: Awaited<ReturnType<Engine['find']>>, from: number): ByteChannel {
    const { files, clock, log, desk } = this.#options
    const [near, far] = localChannelPair()
    const self = desk().context.signer.device
    const [output, exit] = [outputFile(record.shared, attempt), exitFile(record.shared, attempt)]
    const following = new EngineAttempt({ attempt, engine, files, self, output, exit, clock, log, job }, far, from)
    this.#following.add(following)
    far.onDidClose(() => this.#following.delete(following))
    return near
  }

  /** Its script wrote its end down. @throws what the files process says, unless that is `file/not-found`: then it is not known */
  async #hasEnded({ shared }: EngineRecord, attempt: string): Promise<boolean> {
    const { files, desk } = this.#options
    const read = (await files.client()).readPiece({
      device: desk().context.signer.device,
      path: exitFile(shared, attempt),
      offset: 0,
      length: 16,
    })
    return read.then(
      () => true,
      (error: unknown) => {
        if (errorCode(error) === 'file/not-found') return false
        throw error
      },
    )
  }

  async #endOne(engine: Engine, attempt: string): Promise<void> {
    const { clock, desk } = this.#options
    const job = await withPatience(clock, (signal) => engine.find(attempt, signal))
    if (job && job.state !== 'ended') await withPatience(clock, (signal) => engine.cancel(job.id, signal))
    if (!job && this.#isUnclear(attempt)) return // it may still come: ordered again
    desk().values.delete(ENDS, attempt)
    desk().values.delete(SUBMITS, attempt)
  }

  /** It was sent a moment ago, and whether the engine took it is not known. */
  #isUnclear(attempt: string): boolean {
    const { clock, desk } = this.#options
    const { values } = desk()
    const kept = values.get(SUBMITS, attempt)
    if (!kept) return false
    if (Math.abs(clock.nowMs() - Number(new TextDecoder().decode(kept))) < UNCLEAR_MS) return true
    values.delete(SUBMITS, attempt)
    return false
  }

  /** Once, and only while there is something to order. */
  #endSoon(desk: OpenDesk | undefined): void {
    if (!desk || this.#ending || this.#isEnding || desk.values.entries(ENDS).length === 0) return
    this.#ending = this.#options.clock.after(END_AGAIN_MS, () => {
      this.#ending = undefined
      void this.#endLeft().finally(() => this.#endSoon(this.#deskNow()))
    })
  }

  async #endLeft(): Promise<void> {
    const values = this.#deskNow()?.values
    if (this.#isEnding || !values) return
    this.#isEnding = true
    try {
      for (const [attempt, name] of values.entries(ENDS)) {
        if (this.#deskNow()?.values !== values) return // locked meanwhile
        const record = this.#book().find(new TextDecoder().decode(name))
        if (!record) values.delete(ENDS, attempt)
        else await this.#endOne(this.#engineOf(record), attempt).catch(() => undefined) // it does not answer yet
      }
    } finally {
      this.#isEnding = false
    }
  }

  #deskNow(): OpenDesk | undefined {
    try {
      return this.#options.desk()
    } catch {
      return undefined // locked
    }
  }

  #engineOf(record: EngineRecord): Engine {
    return new SlurmEngine(record, this.#options.call)
  }

  /** @throws EngineError `engine/bad-folder` */
  async #requireShared(shared: string): Promise<void> {
    try {
      await this.#makeSpool(shared)
    } catch (error) {
      throw new EngineError('engine/bad-folder', `${shared} cannot be used for what jobs there write: ${errorMessage(error)}`, {
        cause: error,
      })
    }
  }

  async #makeSpool(shared: string): Promise<void> {
    const { files, desk } = this.#options
    const device = desk().context.signer.device
    await (await files.client()).makeFolder({ device, path: `${shared}/${SPOOL}` }).catch((error: unknown) => {
      if (errorCode(error) !== 'file/exists') throw error
    })
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
