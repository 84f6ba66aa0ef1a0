import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter, type Event } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { RandomSource } from '../../base/random.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import { isContainerEngine } from '../../jobs/containers.ts'
import type { JobBook } from '../../jobs/job-book.ts'
import { isEngine } from '../../jobs/engines/engines-contract.ts'
import { shapeOf } from '../../jobs/behaviour-shape.ts'
import type { AttemptExit, JobUpFrame } from '../../jobs/job-frames-contract.ts'
import { JobError } from '../../jobs/job-error.ts'
import { newJobId } from '../../jobs/job-ids.ts'
import { ELSEWHERE_MAY_DO, hasTriesLeft, mayLeave, mayTryAgain, whyNotMoved } from '../../jobs/job-policy.ts'
import type { JobRecord } from '../../jobs/job-record.ts'
import type { JobOutputBook } from '../../jobs/job-output-book.ts'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import type { PortSockets } from '../../jobs/port-socket.ts'
import { JobAccount } from './job-account.ts'
import type { Peers } from '../links/peers.ts'
import { PortForwards } from './port-forwards.ts'
import { AttemptRun, type AttemptNews } from './attempt-run.ts'
import type { Run } from './behaviour-service.ts'
import type { JobPlaces } from './job-places.ts'
import { awayWords, endedWords, engineAwayWords, WAITS_FOR } from './job-words.ts'
import { RunWatch } from './run-watch.ts'

export interface LiveJobParts {
  readonly book: JobBook
  readonly places: JobPlaces
  readonly sockets: Pick<PortSockets, 'listen'>
  readonly peers: Peers
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly ledger: LedgerRecorder
  readonly self: string
  /** The person's home folder on this machine. @throws while the host process is away */
  home(): Promise<string>
  /** What the asker had where the command was typed: for an attempt here, and not kept. */
  readonly hereEnvironment: Readonly<Record<string, string>> | undefined
  nameOf(device: string): string
  /** Ms such a job took before; undefined: not known. */
  readonly expectedMs: number | undefined
  /** What the job did: when it has shown what it is, and (the rest) when it has ended. */
  learn(record: JobRecord, run: Run): void
  /** Another device for one that was lost; undefined: nothing suits. */
  placeAnew(record: JobRecord, without: string): Promise<{ readonly device: string; readonly reason: string } | undefined>
}

/**
 * One job from its start to its end: attempts one after another, never two at once (rule JB44), its record and output kept as they
 * change. Ends when the job is over; a locked or restarted device takes it up again from the record.
 */
export class LiveJob implements Disposable {
  readonly #parts: LiveJobParts
  readonly #owned = new DisposableStore()
  readonly #account: JobAccount
  readonly onDidChange: Event<JobInfo>
  /** There is more output, or it is over. */
  readonly onDidGrow: Event<void>
  readonly #inputTaken = this.#owned.add(new Emitter<void>())
  /** There is room for input again: of whichever attempt is the newest. */
  readonly onDidTakeInput = this.#inputTaken.event
  #run: AttemptRun | undefined
  #forwards: PortForwards | undefined
  #isCancelled = false
  #isLeaving = false
  /** It was out of reach since it was last heard of. */
  #wasAway = false
  /** What it shows itself to be. */
  readonly #watch: RunWatch
  /** Where the person said that it goes on, once it has ended where it is. */
  #target: { readonly device: string; readonly reason: string } | undefined

  constructor(record: JobRecord, parts: LiveJobParts) {
    this.#parts = parts
    this.#account = this.#owned.add(new JobAccount(record, parts.book, parts.clock, parts.expectedMs))
    this.#watch = new RunWatch(record.info)
    this.onDidChange = this.#account.onDidChange
    this.onDidGrow = this.#account.onDidGrow
    this.#owned.defer(() => this.#run?.dispose())
    this.#owned.defer(() => this.#forwards?.dispose())
  }

  get info(): JobInfo {
    return this.#account.info
  }

  get output(): JobOutputBook {
    return this.#account.output
  }

  get inputRoom(): number {
    return this.#run?.inputRoom ?? 0
  }

  /** The first attempt, on the device that placement chose. */
  async begin(device: string, why: string): Promise<void> {
    await this.#attempt(device, why)
  }

  /** From the record: the device was restarted or locked. */
  async resume(): Promise<void> {
    const last = this.info.attempts.at(-1)
    if (!last || last.endedAtMs !== undefined) return this.#fail('job/lost', 'it was not started when this device stopped; run it again')
    this.#listen({ attempt: last.attempt, folder: this.info.folder.path }, last.device)
    this.#account.change({ state: 'waiting', waitingFor: this.#awayWords(last.device) })
    await this.#run?.resume()
  }

  /** That device is linked (again). */
  async handleLinked(device: string): Promise<void> {
    if (this.info.device === device && !this.#account.isOver) await this.#run?.attach()
  }

  send(frame: JobUpFrame): void {
    if (frame.kind === 'signal') this.#watch.noteSignalled(frame.signal)
    this.#run?.send(frame)
  }

  /** Ends it. What cannot be reached ends with its lease. */
  async cancel(): Promise<void> {
    if (this.#account.isOver) return
    this.#isCancelled = true
    try {
      await this.#run?.end()
      if (!this.#run?.isAttached) this.#end('cancelled', {})
    } catch (error) {
      this.#parts.log.info('a job is cancelled while its device is away', { job: this.info.job, why: errorMessage(error) })
      this.#end('cancelled', { ended: 'lost' })
    }
  }

  /**
   * Ends it where it is; when that is told, and not before, it starts anew on `device` (rules JB44, JB60).
   *
   * @throws JobError `job/not-moved`
   */
  async move(device: string): Promise<void> {
    const { info, policy } = this.#account.record
    const why = whyNotMoved(info, policy, device, (id) => this.#parts.nameOf(id))
    if (why !== undefined) throw new JobError('job/not-moved', why)
    if (this.#isLeaving || this.#isCancelled) throw new JobError('job/not-moved', 'it is being ended or moved already')
    if (!this.#run?.isAttached) throw new JobError('job/not-moved', this.#awayWords(info.device ?? ''))
    this.#isLeaving = true
    this.#target = { device, reason: `${this.#parts.nameOf(device)}: you moved it there` }
    try {
      await this.#run.end() // its exit comes over the channel, and then it goes on there
    } catch (error) {
      // Cut off: whether it was told is not known. It is told again when it is heard of, and else its lease ends it.
      if (errorCode(error).startsWith('rpc/')) return
      this.#isLeaving = false
      this.#target = undefined
      throw new JobError(
        'job/not-moved',
        `${this.#parts.nameOf(info.device ?? '')} did not take the order to end it (${errorMessage(error)})`,
      )
    }
  }

  setResults(results: JobInfo['results']): void {
    if (!this.#account.isOver) this.#account.change({ results })
  }

  dispose(): void {
    this.#owned.dispose()
  }

  async #attempt(device: string, why: string): Promise<void> {
    const { random, clock } = this.#parts
    const attempt = newJobId(random)
    const attempts = [...this.info.attempts, { attempt, device, startedAtMs: clock.nowMs() }]
    // Kept before it is asked for: whatever happens now, it is known that it may run there.
    this.#account.change({ state: 'starting', device, why: why.slice(0, 400), attempts, waitingFor: undefined })
    try {
      const run = this.#listen({ attempt, folder: this.info.folder.path }, device)
      const request = await this.#requestFor(attempt, device)
      if (this.#account.isOver) return // cancelled meanwhile: it is not asked for any more
      await run.start(request)
      if (!this.#account.record.input) run.send({ kind: 'input-end' })
      if (this.#isCancelled) await (this.#account.isOver ? run.end() : this.cancel())
    } catch (error) {
      const code = errorCode(error)
      if (code.startsWith('rpc/')) return // whether it runs is not known: the run goes on asking
      if (ELSEWHERE_MAY_DO.has(code) && (await this.#moveOn(device, code))) return
      this.#fail(code, errorMessage(error))
    }
  }

  #listen(request: Pick<AttemptRequest, 'attempt' | 'folder'>, device: string): AttemptRun {
    const { clock, log, places } = this.#parts
    this.#run?.dispose()
    const run = new AttemptRun({
      request,
      place: () => places.at(device),
      clock,
      log,
      take: (frame) => this.#account.take(frame),
      keep: () => this.#account.keepOutput(),
      from: () => this.output.end,
    })
    this.#run = run
    this.#forward(request.attempt, device)
    run.onDidHear((news) => this.#run === run && this.#hear(news))
    run.onDidTakeInput(() => this.#run === run && this.#inputTaken.fire())
    this.#inputTaken.fire() // what the one before had not taken is no longer waited for
    return run
  }

  /** Ports here need no way here. */
  #forward(attempt: string, device: string): void {
    const { sockets, peers, clock, ledger, log, self } = this.#parts
    this.#forwards?.dispose()
    this.#forwards =
      device === self
        ? undefined
        : new PortForwards({
            sockets,
            peers,
            clock,
            ledger,
            log,
            job: this.info.job,
            attempt,
            device,
            onDidChange: (forwards) => this.#account.isOver || this.#account.change({ forwards: [...forwards] }),
          })
  }

  #hear(news: AttemptNews): void {
    if (this.#account.isOver) return
    switch (news.kind) {
      case 'state': {
        if (news.state === 'paused' && this.#mayLeave()) return void this.#leave()
        if (this.#isLeaving && this.#wasAway) void this.#run?.end().catch(() => undefined) // cut off again: told when it is back
        this.#wasAway = false
        const state = news.state === 'paused' ? 'paused' : news.state === 'running' ? 'running' : 'starting'
        this.#forwards?.follow(news.ports)
        const corrected = this.#watch.hear(news, this.info)
        if (corrected) {
          this.#account.change(corrected)
          this.#learn(this.#watch.runSoFar(this.info))
        }
        return this.#account.tell({ state, ports: news.ports, waits: news.waits, waitingFor: news.waits && WAITS_FOR[news.waits] })
      }
      case 'away':
        return this.#away(news.why)
      case 'gone':
        return this.#lost()
      case 'lease-over':
        if (isEngine(this.info.device ?? '')) return // it has no lease: it goes on there, and is asked for until it answers
        // What was to leave goes on elsewhere, whatever the policy says of a lost device: it was ended there.
        return this.#isLeaving || this.#mayTryAgain() ? this.#lost() : undefined
      case 'exit':
        return this.#handleExit(news.exit)
    }
  }

  #handleExit(exit: AttemptExit): void {
    const device = this.info.device ?? this.#parts.self
    this.#account.endAttempt(this.#isLeaving && exit.ended !== undefined ? (this.#target ? 'moved' : 'owner') : exit.ended)
    if (this.#isCancelled) return this.#end('cancelled', { exit })
    if (exit.error) return this.#fail(exit.error.code, exit.error.message)
    if (this.#isLeaving && exit.ended !== undefined) {
      void this.#moveOn(device, 'owner').then(
        (moved) =>
          moved ||
          this.#fail('job/owner-returned', `the owner of ${this.#parts.nameOf(device)} is back, and no other device suits; run it again`),
      )
      return
    }
    if (exit.ended === 'lease' || exit.ended === 'host-ended' || exit.ended === 'owner') {
      void this.#moveOn(device, exit.ended).then(
        (moved) => moved || this.#fail('job/lost', `${this.#parts.nameOf(device)} ended it (${exit.ended}); run it again`),
      )
      return
    }
    if (exit.ended !== undefined)
      return this.#fail(
        `job/ended-${exit.ended.replaceAll(/[^a-z0-9-]+/gi, '-')}`,
        endedWords(exit.ended, this.#parts.nameOf(device)),
        exit,
      )
    this.#end(exit.code === 0 ? 'done' : 'failed', { exit })
  }

  #away(why = this.#awayWords(this.info.device ?? '')): void {
    this.#wasAway = true
    const waitingFor = why.slice(0, 400)
    if (!this.#account.isOver && (this.info.state !== 'waiting' || this.info.waitingFor !== waitingFor))
      this.#account.change({ state: 'waiting', waitingFor })
  }

  #mayLeave(): boolean {
    return mayLeave(this.#account.record) && !this.#isCancelled && !this.#isLeaving
  }

  async #leave(): Promise<void> {
    this.#isLeaving = true
    try {
      await this.#run?.end() // its exit comes over the channel, and then it moves on
    } catch (error) {
      if (errorCode(error).startsWith('rpc/')) return // as in `move`
      this.#isLeaving = false
      this.#parts.log.info('a job could not leave a machine whose owner is back', { job: this.info.job, why: errorMessage(error) })
    }
  }

  /** The attempt runs no more, and nothing of it comes. */
  #lost(): void {
    const device = this.info.device ?? ''
    this.#account.endAttempt('lost')
    void this.#moveOn(device, 'lost').then(
      (moved) =>
        moved ||
        this.#fail(
          'job/lost',
          `${this.#parts.nameOf(device)} no longer knows of it; whether it ended is not known. Run it again if that does no harm`,
        ),
    )
  }

  #mayTryAgain(): boolean {
    // An engine goes on while it does not answer: what was begun, or moved, there is begun nowhere else.
    return mayTryAgain(this.#account.record) && !this.#isCancelled && !isEngine(this.info.device ?? '')
  }

  /** Another attempt on another device; false: none suits, or the policy does not allow it. */
  async #moveOn(from: string, why: string): Promise<boolean> {
    const { info, policy } = this.#account.record
    const wasRefused = why.includes('/')
    const isLeaving = this.#isLeaving
    const target = this.#target
    this.#isLeaving = false
    this.#target = undefined
    if (wasRefused ? typeof policy.where === 'object' : !isLeaving && !this.#mayTryAgain()) return false
    // A step of a workflow is begun anew by that, in a folder as it was first (rule WF11).
    if (info.workflow && !wasRefused) return false
    if (!hasTriesLeft(info) || this.#isCancelled) return false
    this.#account.endAttempt(wasRefused ? 'refused' : why)
    this.#account.tell({})
    if (target) {
      await this.#attempt(target.device, target.reason)
      return true
    }
    const placed = await this.#parts.placeAnew(this.#account.record, from).catch((error: unknown) => {
      this.#parts.log.info('no other place could be asked for', { job: this.info.job, why: errorMessage(error) })
      return undefined
    })
    if (!placed || this.#owned.isDisposed || this.#isCancelled) return false
    await this.#attempt(placed.device, `${this.#parts.nameOf(from)} could not (${why}). ${placed.reason}`)
    return true
  }

  #fail(code: string, message: string, exit?: AttemptExit): void {
    this.#end('failed', { error: { code: code.slice(0, 64), message: message.slice(0, 1_000) }, ...(exit && { exit }) })
  }

  #end(state: 'done' | 'failed' | 'cancelled', how: { exit?: AttemptExit; error?: JobInfo['error']; ended?: string }): void {
    if (this.#account.isOver) return
    this.#account.endAttempt(how.ended ?? (state === 'cancelled' ? 'cancelled' : undefined))
    const { exit, error } = how
    const run = this.#watch.runOf(this.info, exit)
    this.#account.change({
      state,
      endedAtMs: this.#parts.clock.nowMs(),
      waitingFor: undefined,
      waits: undefined,
      ports: [],
      forwards: undefined,
      ...(exit && !error && { exit: { code: exit.code, ...(exit.signal !== undefined && { signal: exit.signal }) } }),
      ...(error && { error }),
    })
    this.#learn(run) // who waits for its end does not wait for that
    this.#forwards?.dispose()
    this.#run?.dispose()
  }

  #learn(run: Run | undefined): void {
    if (run) this.#parts.learn(this.#account.record, run)
  }

  async #requestFor(attempt: string, device: string): Promise<AttemptRequest> {
    const { commandLine, environment, classification, policy, network, info } = this.#account.record
    return {
      attempt,
      program: '/bin/sh',
      ...(device !== this.#parts.self && { identify: shapeOf(commandLine, classification.programs)?.program }),
      arguments: ['-c', commandLine],
      environment: (device === this.#parts.self && this.#parts.hereEnvironment) || environment,
      folder: info.folder.path,
      home: await this.#parts.home(),
      network,
      service: info.label === 'service',
      withoutSandbox: policy.withoutSandbox,
      containers: classification.programs.some(isContainerEngine),
      ...(isEngine(device) && policy.image !== undefined && { image: policy.image }),
    }
  }

  #awayWords(device: string): string {
    if (isEngine(device)) return engineAwayWords(this.#parts.nameOf(device))
    return awayWords(this.#parts.nameOf(device), this.#isLeaving || this.#mayTryAgain())
  }
}
