import { defined } from '../../base/defined.ts'
import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorMessage } from '../../base/errors.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { RandomSource } from '../../base/random.ts'
import { JobBook } from '../../jobs/job-book.ts'
import { type Classification, DEFAULT_POLICY, type JobPolicy } from '../../jobs/job-contract.ts'
import { ENGINE_PREFIX, isEngine } from '../../jobs/engines/engines-contract.ts'
import { takenEnvironment } from '../../jobs/job-environment.ts'
import { JobError } from '../../jobs/job-error.ts'
import { decodeJobUp } from '../../jobs/job-frames-contract.ts'
import { newJobId } from '../../jobs/job-ids.ts'
import type { PortSockets } from '../../jobs/port-socket.ts'
import { isOver, type JobRecord } from '../../jobs/job-record.ts'
import { type JobInfo, type jobsContract, MAX_SHOWN_LINE } from '../../jobs/jobs-contract.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { CallContext, Handlers } from '../../rpc/contract.ts'
import type { BehaviourService } from './behaviour-service.ts'
import type { ContactsService } from '../contacts/contacts-service.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'
import type { DisplaySession } from '../desk/display-session.ts'
import type { EnginesService } from '../engines/engines-service.ts'
import { JobOutputView } from './job-output-view.ts'
import { JobPlaces } from './job-places.ts'
import { LiveJob } from './live-job.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import type { Peers } from '../links/peers.ts'
import type { Placed, PlacementQuestion, PlacementService } from './placement-service.ts'

/** Jobs are taken up again so long after the desk is open: the display has its workspace by then. */
const RESUME_AFTER_MS = 250
/** The host is told of input at most so often. */
const TOUCH_MS = 5_000

export interface JobsServiceOptions {
  readonly local: ProcessConnection<HostClient>
  readonly peers: Peers
  readonly placement: PlacementService
  readonly engines: Pick<EnginesService, 'placeAt'>
  readonly contacts: Pick<ContactsService, 'jobsOf' | 'nameOf' | 'onDidMeet'>
  readonly behaviours: Pick<BehaviourService, 'learn' | 'tookMs'>
  readonly sockets: Pick<PortSockets, 'listen'>
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
}

/** Jobs while a desk is open. The history is read when it is first asked for, never on the way of an unlock. */
interface OpenJobs {
  readonly desk: OpenDesk
  readonly scope: DisposableStore
  readonly live: Map<string, LiveJob>
  book: JobBook | undefined
}

/** A job of a workflow's step, by the name it was given before it is asked for. */
export interface NamedJob {
  readonly job: string
  readonly workflow: NonNullable<JobInfo['workflow']>
}

export type StartRequest = Parameters<Handlers<typeof jobsContract>['startJob']>[0]

/** Jobs of this device as displays and the command line see them: placed, started, kept, and taken up again after a restart. */
export class JobsService implements Disposable {
  readonly #options: JobsServiceOptions
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<JobInfo>())
  readonly #forgotten = this.#owned.add(new Emitter<{ job: string }>())
  readonly #places: JobPlaces
  readonly onDidChangeJob = this.#changed.event
  #touchedMs = Number.NEGATIVE_INFINITY
  #isDisplayOpen = false
  #home: string | undefined
  #open: OpenJobs | undefined

  constructor(options: JobsServiceOptions) {
    this.#options = options
    const { local, peers, desk } = options
    const { contacts } = options
    this.#places = new JobPlaces({
      local,
      peers,
      self: () => desk().context.signer.device,
      nameOf: (device) => this.#nameOf(device),
      engineAt: (device) => options.engines.placeAt(device),
      contactJobs: (device) => contacts.jobsOf(device),
    })
    this.#owned.add(peers.onDidAdd(({ device }) => this.#handleLinked(device)))
    this.#owned.add(contacts.onDidMeet((device) => this.#handleLinked(device)))
    this.#owned.add(
      local.onDidConnect((host) => {
        host.onDidChangeTree(({ attempt, files, conflicts }) => this.#handleTree(attempt, { files, conflicts }))
        // Also that none is: a host outlives this process, and remembers the displays of the one before.
        void this.#tellDisplayOpen(host).catch(() => undefined) // it is gone again
        if (this.#open) this.#handleLinked(this.#open.desk.context.signer.device)
      }),
    )
  }

  /** The desk has just been opened: what was not over goes on, a moment later. */
  follow(desk: OpenDesk): void {
    this.close()
    const scope = new DisposableStore()
    const live = new Map<string, LiveJob>()
    scope.defer(() => {
      for (const job of live.values()) job.dispose()
      live.clear()
    })
    const open: OpenJobs = { desk, scope, live, book: undefined }
    this.#open = open
    scope.add(this.#options.clock.after(RESUME_AFTER_MS, () => void this.#bookOf(open)))
  }

  /** The desk closes: what runs goes on, and is taken up again when it opens. */
  close(): void {
    this.#open?.scope.dispose()
    this.#open = undefined
  }

  /** Somebody is at a display of this device; told to its host now and then, which holds jobs of others still. */
  touchOwner(): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#touchedMs < TOUCH_MS) return
    this.#touchedMs = nowMs
    void this.#options.local
      .client()
      .then((host) => host.touchOwner({}))
      .catch((error: unknown) => this.#options.log.debug('the host did not hear that somebody is here', { why: errorMessage(error) }))
  }

  /** Whether a display of this device is unlocked. */
  setDisplayOpen(isOpen: boolean): void {
    if (isOpen === this.#isDisplayOpen) return
    this.#isDisplayOpen = isOpen
    void this.#options.local
      .client()
      .then((host) => this.#tellDisplayOpen(host))
      .catch((error: unknown) => this.#options.log.debug('the host did not hear of a display', { why: errorMessage(error) }))
  }

  async #tellDisplayOpen(host: HostClient): Promise<void> {
    await host.tellDisplayOpen({ isOpen: this.#isDisplayOpen })
  }

  /** Does a job of this device listen on that port now, wherever it runs? */
  listensOn(port: number): boolean {
    return this.#jobOn(port) !== undefined
  }

  /** A connection to the port of a job: to nothing else that listens on this machine. @throws JobError `job/no-port`; DeviceAwayError `job/device-away` */
  async connectPort(port: number, signal: AbortSignal): Promise<ByteChannel> {
    const { local, peers, desk } = this.#options
    const placed = this.#jobOn(port)?.info.attempts.at(-1)
    if (!placed) throw new JobError('job/no-port', `no job listens on port ${port} now`)
    const { attempt, device } = placed
    if (device === desk().context.signer.device) {
      const host = await local.client()
      return host.channel((await host.connectFor({ attempt, port }, { signal })).channel)
    }
    const { ports } = peers.require(device, 'job/device-away')
    return ports.channel((await ports.connectPort({ attempt, port }, { signal })).channel)
  }

  /** What is known of a job; undefined: it never was, or was forgotten. @throws DeviceError `device/locked` */
  infoOf(job: string): JobInfo | undefined {
    return this.#require().book.find(job)?.info
  }

  /** Ends it, wherever it is. @throws JobError `job/unknown` */
  async cancel(job: string): Promise<void> {
    const { open, book } = this.#require()
    book.require(job)
    await open.live.get(job)?.cancel()
  }

  /**
   * As startJob, by a name that the caller has kept before: whether it was begun is found by `infoOf` after a crash.
   *
   * @throws JobError as startJob
   */
  startAs(named: NamedJob, request: StartRequest, signal: AbortSignal): Promise<JobInfo> {
    return this.#start(request, signal, { named })
  }

  handlers(session: DisplaySession): Handlers<typeof jobsContract> {
    return {
      startJob: (request, { signal }) => this.#start(request, signal),
      listJobs: () => this.#require().book.all.map(({ info }) => info),
      openJobOutput: ({ job, from }, context) => this.#openOutput(job, from, context, session),
      openJobShell: async ({ job, columns, rows }) => {
        const { info } = this.#require().book.require(job)
        const attempt = info.attempts.at(-1)
        if (isOver(info) || !attempt) throw new JobError('job/not-running', 'it does not run, so there is nothing to open a shell in')
        const terminal = await this.#places.at(attempt.device).openShell(attempt.attempt, { columns, rows })
        return { device: attempt.device, ...terminal }
      },
      openJobTerminal: async ({ job, columns, rows }) => {
        const { info, input } = this.#require().book.require(job)
        if (isOver(info)) throw new JobError('job/not-running', 'it has ended, so there is nothing to type into')
        if (!input) throw new JobError('job/no-input', 'it was started without an input; run it in a terminal to type into it')
        const host = await this.#options.local.client()
        const terminal = await host.spawnCommandLine({ words: ['attach', '--whole', job], tab: `job/${job}`, columns, rows })
        return { device: this.#options.desk().context.signer.device, ...terminal }
      },
      cancelJob: async ({ job }) => {
        await this.cancel(job)
        return {}
      },
      moveJob: ({ job, device }, { signal }) => this.#move(job, device, signal),
      rerunJob: ({ job }, { signal }) => {
        const { commandLine, environment, classification, policy, input, network, info } = this.#require().book.require(job)
        return this.#start({ commandLine, folder: info.folder.path, environment, policy, input, network }, signal, {
          known: classification,
        })
      },
      forgetJob: ({ job }) => {
        const { book } = this.#require()
        if (!isOver(book.require(job).info)) throw new JobError('job/still-runs', 'it still runs or waits; cancel it first')
        book.forget(job)
        this.#forgotten.fire({ job })
        return {}
      },
      onDidChangeJob: this.#changed.event,
      onDidForgetJob: this.#forgotten.event,
    }
  }

  dispose(): void {
    this.close()
    this.#owned.dispose()
  }

  /** @param how  `known`: what the line was taken to be before */
  async #start(
    request: StartRequest,
    signal: AbortSignal,
    { known, named }: { readonly known?: Classification; readonly named?: NamedJob } = {},
  ): Promise<JobInfo> {
    const { placement, clock, random } = this.#options
    const { open, book } = this.#require()
    const { commandLine, folder, context, environment = {}, input } = request
    const policy = { ...DEFAULT_POLICY, ...defined(request.policy ?? {}) }
    const question = { commandLine, folder, context, classification: known, policy }
    const placed = (await this.#atContact(question, signal)) ?? (await placement.choose(question, signal))
    if (placed.device === undefined) throw new JobError('job/not-placed', placed.reason)
    const { classification, words, learned } = placed
    const record: JobRecord = {
      format: 1,
      info: {
        job: named?.job ?? newJobId(random),
        commandLine: commandLine.slice(0, MAX_SHOWN_LINE),
        label: classification.label,
        effects: classification.effects,
        folder: { device: open.desk.context.signer.device, path: folder },
        state: 'starting',
        why: placed.reason.slice(0, 400),
        attempts: [],
        askedAtMs: clock.nowMs(),
        outputBytes: 0,
        droppedBytes: 0,
        lastLine: '',
        ports: [],
        results: { files: 0, conflicts: 0 },
        ...(named && { workflow: named.workflow }),
        ...(input && { takesInput: true }),
        ...(learned && { learned }),
      },
      commandLine,
      environment: takenEnvironment(environment),
      classification: words,
      policy,
      input,
      // A service that nobody can reach would be of no use. What was only learned gives no network: its port is reached in its own.
      network: request.network === true || words.label === 'service',
    }
    book.admit(record) // kept with its first attempt, before that is asked for anywhere
    const job = this.#add(open, record, environment)
    try {
      await job.begin(placed.device, placed.reason)
    } catch (error) {
      open.live.delete(record.info.job)
      job.dispose()
      book.forget(record.info.job)
      throw error
    }
    return job.info
  }

  /** On a contact's device, which is chosen by name only: what it grants is asked there, and nothing else of it is known. */
  async #atContact(question: PlacementQuestion & { readonly policy: JobPolicy }, signal: AbortSignal): Promise<Placed | undefined> {
    const { where } = question.policy
    const { contacts, placement } = this.#options
    const name = typeof where === 'object' ? contacts.nameOf(where.device) : undefined
    if (typeof where !== 'object' || name === undefined) return undefined
    const here = await placement.explain({ ...question, policy: { ...question.policy, where: 'here' } }, signal)
    return { ...here, device: where.device, reason: `you chose ${name}`, table: [] }
  }

  async #move(job: string, device: string, signal: AbortSignal): Promise<JobInfo> {
    const { open, book } = this.#require()
    const { commandLine, classification, policy, info } = book.require(job)
    if (isOver(info)) throw new JobError('job/not-moved', 'it is over; run it again there')
    const question = { commandLine, folder: info.folder.path, classification, policy: { ...policy, where: { device } } }
    const placed = await this.#options.placement.choose(question, signal)
    if (placed.device === undefined) {
      const row = placed.table.find((candidate) => candidate.device === device)
      throw new JobError('job/not-moved', `${this.#nameOf(device)} cannot take it: ${row?.why ?? 'it is not one of your devices'}`)
    }
    await open.live.get(job)?.move(device)
    return book.require(job).info
  }

  #add(open: OpenJobs, record: JobRecord, hereEnvironment?: Readonly<Record<string, string>>): LiveJob {
    const { placement, behaviours, clock, random, log } = this.#options
    const job = new LiveJob(record, {
      book: this.#bookOf(open),
      places: this.#places,
      sockets: this.#options.sockets,
      peers: this.#options.peers,
      clock,
      random,
      log,
      home: () => this.#readHome(),
      hereEnvironment,
      ledger: open.desk.ledger,
      self: open.desk.context.signer.device,
      nameOf: (device) => this.#nameOf(device),
      expectedMs: behaviours.tookMs(record.commandLine, record.info.folder.path),
      learn: ({ commandLine, info, classification }, run) =>
        void behaviours
          .learn(
            commandLine,
            info.folder.path,
            classification.programs,
            run,
            info.device === open.desk.context.signer.device ? undefined : info.device,
          )
          .catch((error: unknown) => log.warn('what a job did could not be learned', { job: info.job, error: errorMessage(error) })),
      placeAnew: async ({ commandLine, info, classification, policy }, without) => {
        const question = { commandLine, folder: info.folder.path, classification, policy: { ...policy, where: 'best' as const } }
        const { device, reason } = await placement.explain(question, new AbortController().signal, { without })
        return device === undefined ? undefined : { device, reason }
      },
    })
    open.live.set(record.info.job, job)
    job.onDidChange((info) => {
      this.#changed.fire(info)
      if (isOver(info) && open.live.get(info.job) === job) {
        open.live.delete(info.job)
        queueMicrotask(() => job.dispose())
      }
    })
    return job
  }

  /** It does not change while this account lives. */
  async #readHome(): Promise<string> {
    this.#home ??= (await (await this.#options.local.client()).jobHome({})).home
    return this.#home
  }

  #openOutput(job: string, from: number, context: CallContext, session: DisplaySession): { channel: number; info: JobInfo } {
    const { open, book } = this.#require()
    const { info } = book.require(job)
    const channel: ByteChannel = session.hold(context.openChannel())
    const running = open.live.get(job)
    const view = new JobOutputView(channel, { output: book.output(job), info: () => book.require(job).info, job: running }, from)
    channel.onDidReceive((message) => {
      const frame = decodeJobUp(message)
      if (!frame || frame.kind === 'renew' || frame.kind === 'kept') return channel.close('job/malformed-frame')
      running?.send(frame)
      view.handleInput()
    })
    return { channel: channel.id, info }
  }

  /** The history; when it is read, what was not over goes on. */
  #bookOf(open: OpenJobs): JobBook {
    if (open.book) return open.book
    const { log } = this.#options
    const book = new JobBook(open.desk.values, open.desk.outputs, log)
    open.book = book
    for (const record of book.all) {
      if (isOver(record.info)) continue
      this.#add(open, record)
        .resume()
        .catch((error: unknown) => log.error('a job could not be taken up again', { job: record.info.job, error: errorMessage(error) }))
    }
    return book
  }

  /** The newest one. */
  #jobOn(port: number): LiveJob | undefined {
    return [...(this.#open?.live.values() ?? [])].findLast(({ info }) => !isOver(info) && info.ports.includes(port))
  }

  /** @throws DeviceError `device/locked` */
  #require(): { readonly open: OpenJobs; readonly book: JobBook } {
    this.#options.desk()
    if (!this.#open) throw new JobError('job/unknown', 'this device is locked')
    return { open: this.#open, book: this.#bookOf(this.#open) }
  }

  #nameOf(device: string): string {
    if (isEngine(device)) return device.slice(ENGINE_PREFIX.length)
    const own = this.#open?.desk.devices.devices.get(device as DeviceId)?.name
    return own ?? this.#options.contacts.nameOf(device) ?? `${device.slice(0, 12)}…`
  }

  #handleLinked(device: string): void {
    for (const job of this.#open?.live.values() ?? []) void job.handleLinked(device)
  }

  #handleTree(attempt: string, results: JobInfo['results']): void {
    for (const job of this.#open?.live.values() ?? []) if (job.info.attempts.at(-1)?.attempt === attempt) job.setResults(results)
  }
}
