import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { AttemptViewer } from './attempt-viewer.ts'
import type { AttemptRequest, AttemptStatus } from './attempt-contract.ts'
import { BehaviourObserver } from './behaviour-observer.ts'
import { MAX_GUEST_LINE } from './guest-jobs-contract.ts'
import { type AttemptExit, type AttemptState, INPUT_WINDOW_BYTES, type JobUpFrame } from './job-frames-contract.ts'
import type { JobProcess, JobSandbox, JobSpawner, PreparedJob } from './job-process.ts'
import { Lease } from './lease.ts'
import { ProgramGate } from './program-gate.ts'
import type { PlacedPrograms } from './program-identity.ts'
import type { ProgramRights } from './program-rights-contract.ts'
import { OUTPUT_HIGH_BYTES, OutputLog } from './output-log.ts'
import type { LentTree } from './tree-folder.ts'
import { TreeGuest } from './tree-guest.ts'

/** Between TERM and KILL. Cancelling takes less than a second (rule JB43). */
export const END_GRACE_MS = 700
/** How often what runs is looked at: ports, memory, results, lease. */
export const LOOK_MS = 1_000
/** Results are looked for at most this often, and never more than a tenth of the time. */
const RESULTS_MS = 1_000
/** Below this much free disk a placed job ends before others miss it, and none begins. */
export const MIN_FREE_BYTES = 512 * 1024 ** 2
/** Results of one that has ended wait so long for its asker. */
const RESULTS_KEPT_MS = 24 * 3_600_000
/** More than this a placed job may not hold, without saying so. */
const DEFAULT_MEMORY_MIB = 4_096

/** A well-behaved asker sends a window of input and a few signals before the program runs. */
const MAX_EARLY = 1_000

/** Another's words: nothing in them breaks the line, turns letters around, hides some, or is obeyed by a terminal. */
const plain = (text: string): string => text.replaceAll(/[\t\n]/g, ' ').replaceAll(/[\p{C}\u2028\u2029]/gu, '?')

export interface AttemptParts {
  readonly spawner: JobSpawner
  readonly programs: PlacedPrograms
  /** What grants to programs give its asker; absent where there are none. */
  readonly rights: ProgramRights | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly request: AttemptRequest
  /** The linked device it runs for; undefined: this one, in its own folder. */
  readonly asker: string | undefined
  /** The contact whose device that is; undefined: it is the person's own. */
  readonly contact: string | undefined
  readonly environment: Readonly<Record<string, string>>
  /** Its copy of the folder, when it runs for another device. */
  readonly lent: LentTree | undefined
  readonly isShutIn: boolean
}

/**
 * One try of one job on this machine: receive the folder, run, send results, say how it ended (rules JB40-JB48). Goes on
 * without its asker until the lease is over; what it wrote waits. Owns its process and its copy of the folder.
 */
export class Attempt implements Disposable {
  readonly #parts: AttemptParts
  readonly #owned = new DisposableStore()
  readonly #log = new OutputLog()
  /** By this machine's clock. */
  readonly startedAtMs: number
  readonly #lease: Lease
  readonly #guest: TreeGuest | undefined
  readonly #gate: ProgramGate | undefined
  readonly #ended = new Emitter<void>()
  readonly #done = new Emitter<void>()
  /** Nothing of it runs any more. */
  readonly onDidEnd = this.#ended.event
  /** Its asker has kept all of it: it can be forgotten. */
  readonly onDidSettle = this.#done.event
  #viewer: AttemptViewer | undefined
  #prepared: PreparedJob | undefined
  #process: JobProcess | undefined
  #exit: AttemptExit | undefined
  #isGone = false
  readonly #observer = new BehaviourObserver()
  #state: AttemptState = { state: 'preparing', ports: [] }
  #reason: string | undefined
  #cpuMs = 0
  #isWorking = false
  #nextResultsMs = 0
  /** Results of a program that still runs are on their way. */
  #isLooking = false
  #isSendingLast = false
  /** How it ended, while its results are not over yet. */
  #last: AttemptExit | undefined
  /** What the program is that its line begins with; looked for once it has run a while, in the files that it runs with. */
  #program: string | undefined
  #isIdentified = false
  /** The owner of this machine is at it. */
  #isHeld = false
  /** Input received, and of it what the program took. */
  #inputBytes = 0
  #takenBytes = 0
  /** Input and signals that came before the program. */
  readonly #early: JobUpFrame[] = []
  readonly #looking: Disposable

  constructor(parts: AttemptParts) {
    this.#parts = parts
    this.startedAtMs = parts.clock.nowMs()
    this.#lease = new Lease(parts.clock)
    this.#guest =
      parts.lent &&
      this.#owned.add(
        new TreeGuest(parts.lent.folder, (error) =>
          parts.logger.warn('the folder of a placed job could not be read or written', { attempt: this.id, error: errorMessage(error) }),
        ),
      )
    const { rights, programs, request, lent, environment } = parts
    const at = { folder: request.folder, hostFolder: lent?.path ?? request.folder, home: request.home, searchPath: environment.PATH ?? '' }
    this.#gate = rights && new ProgramGate(rights, request, (program) => programs.identify(program, at))
    this.#looking = this.#owned.add(parts.clock.every(LOOK_MS, () => this.#look()))
  }

  get id(): string {
    return this.#parts.request.attempt
  }

  get asker(): string | undefined {
    return this.#parts.asker
  }

  get contact(): string | undefined {
    return this.#parts.contact
  }

  /** What was asked for, as a person reads it: what a shell was given to run, or program and words, on one line (rule JB113). */
  get line(): string {
    const { program, arguments: words } = this.#parts.request
    const [first, line] = words
    const whole = program === '/bin/sh' && first === '-c' && line !== undefined ? line : [program, ...words].join(' ')
    return plain(whole.length <= MAX_GUEST_LINE ? whole : `${whole.slice(0, MAX_GUEST_LINE - 1)}…`)
  }

  get isAsShell(): boolean {
    return this.#parts.request.network || this.#parts.request.withoutSandbox
  }

  /** Nothing of it runs any more; what it wrote may still wait for its asker. */
  get isOver(): boolean {
    return this.#isGone || this.#exit !== undefined
  }

  get status(): AttemptStatus {
    return { attempt: this.id, state: this.#exit ? 'ended' : this.#state.state, outputBytes: this.#log.end }
  }

  /** It goes on until it is stopped: as it was taken for, or as it showed, also while its port is closed for a moment. */
  get isService(): boolean {
    return this.#parts.request.service || this.#observer.seen.ports.length > 0
  }

  /** What runs of it; undefined before and after. */
  get process(): JobProcess | undefined {
    return this.#isGone ? undefined : this.#process
  }

  /** What it listens on. */
  get ports(): readonly number[] {
    return this.#state.ports
  }

  get rights(): ProgramRights | undefined {
    return this.#gate?.rights
  }

  /** A grant to a program is over. */
  async loseRight(grant: string): Promise<void> {
    if (this.#gate?.lose(grant)) await this.end('grant')
  }

  /** Its asker is there (again): goes on over these channels, output from an offset. */
  attach(channel: ByteChannel, tree: ByteChannel | undefined, from: number): void {
    this.#viewer?.dispose()
    this.#renew()
    if (tree) this.#guest?.attach(tree)
    this.#viewer = new AttemptViewer(channel, this.#log, from, (frame) => this.#take(frame))
    this.#viewer.tell({ kind: 'state', ...this.#state })
    this.#viewer.tell({ kind: 'input-taken', bytes: this.#inputBytes })
    if (this.#exit) this.#viewer.finish(this.#exit)
    else void this.#work()
  }

  /** Ends it: `reason` is told with its exit. Resolves when nothing of it runs. */
  async end(reason: string): Promise<void> {
    if (this.#exit) return
    this.#reason ??= reason
    if (this.#process) await this.#process.end(END_GRACE_MS)
    else this.#finish({ code: -1, ended: this.#reason, cpuMs: 0 })
  }

  /** Holds it still while the owner of this machine needs it, and lets it go on (rule JB48). */
  setPaused(paused: boolean): void {
    // A service that stands still is of no use to anybody: its priority is the lowest there is.
    if (this.isService && paused) return
    this.#isHeld = paused
    if (!this.#process || (this.#state.state === 'paused') === paused || this.#exit) return
    if (this.#state.state !== 'running' && this.#state.state !== 'paused') return
    this.#process.signal(paused ? 'SIGSTOP' : 'SIGCONT')
    this.#setState({ state: paused ? 'paused' : 'running' })
  }

  dispose(): void {
    this.#viewer?.dispose()
    this.#owned.dispose()
    this.#prepared?.dispose()
    void this.#process?.end(0)
    this.#ended.dispose()
    this.#done.dispose()
  }

  /** Whatever is to be done next, if its asker is there. One run at a time; a cut leaves it for the next attach. */
  async #work(): Promise<void> {
    if (this.#isWorking) return
    this.#isWorking = true
    try {
      if (this.#guest?.isReady === false) this.#prepareSoon()
      while (this.#guest?.isReady === false) {
        await this.#guest.receive().catch((error: unknown) => {
          if (errorCode(error) !== 'job/device-away') throw error
        })
        if (!this.#guest.isReady && !this.#guest.isAttached) return // cut off: the next attach goes on
      }
      if (this.#reason === undefined && !this.#process && !this.isOver) await this.#gate?.pass()
      if (this.#reason === undefined && !this.#process && !this.isOver) this.#start()
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isWorking = false
    }
    if (this.#isGone) await this.#sendLast()
  }

  /** The sandbox is made while the folder comes; a turn later where starting its processes would hold this one up. */
  #prepareSoon(): void {
    if (this.#gate) return // what the program is says what it may see
    const { clock, spawner } = this.#parts
    if (spawner.isReady) this.#prepareNow()
    else this.#owned.add(clock.after(0, () => this.#prepareNow()))
  }

  #prepareNow(): void {
    if (this.#process || this.#prepared || this.#reason !== undefined || this.isOver) return
    try {
      this.#prepared = this.#prepare()
    } catch (error) {
      this.#fail(error)
    }
  }

  #prepare(): PreparedJob {
    const { spawner, request, lent, isShutIn, environment } = this.#parts
    const sandbox: JobSandbox | undefined =
      lent && isShutIn
        ? {
            hostFolder: lent.path,
            home: request.home,
            network: request.network,
            memoryMiB: request.memoryMiB ?? DEFAULT_MEMORY_MIB,
            // One that the job's own folder lies in would be in its place.
            folders: (this.#gate?.folders ?? []).filter(({ path }) => !`${request.folder}/`.startsWith(`${path}/`)),
          }
        : undefined
    const { program, arguments: words } = this.#gate?.command ?? request
    const folder = lent && !isShutIn ? lent.path : request.folder
    return spawner.prepare({ program, arguments: words, environment, folder, sandbox })
  }

  #start(): void {
    const { logger } = this.#parts
    const process = (this.#prepared ?? this.#prepare()).start()
    this.#process = process
    this.#owned.add(
      process.onDidOutput(({ stream, bytes }) => {
        this.#log.append(stream, bytes)
        if (this.#observer.output(bytes)) this.#setState({ screen: true })
        if (this.#log.heldBytes > OUTPUT_HIGH_BYTES) process.setOutputPaused(true)
        this.#viewer?.pump()
      }),
    )
    this.#owned.add(process.onDidDrain(() => this.#tellTaken()))
    this.#owned.add(process.onDidExit((exit) => this.#handleExit(exit)))
    logger.info('an attempt runs', { attempt: this.id, pid: process.pid, for: this.asker ?? 'this device' })
    this.#setState({ state: 'running' })
    for (const frame of this.#early.splice(0)) this.#hand(process, frame)
    if (this.#isHeld) this.setPaused(true)
  }

  #take(frame: JobUpFrame): void {
    switch (frame.kind) {
      case 'renew':
        return this.#renew()
      case 'kept':
        this.#log.keep(frame.offset)
        if (this.#exit && frame.offset >= this.#log.end) return this.#done.fire()
        if (this.#log.heldBytes < OUTPUT_HIGH_BYTES / 2) this.#process?.setOutputPaused(false)
        return
      default:
        if (frame.kind === 'input') this.#inputBytes += frame.bytes.length
        // Whoever keeps to the window never gets here: memory stays bounded whatever is sent.
        if (this.#inputBytes - this.#takenBytes > 2 * INPUT_WINDOW_BYTES || this.#early.length >= MAX_EARLY) {
          return this.#viewer?.refuse('job/malformed-frame')
        }
        if (this.#process) this.#hand(this.#process, frame)
        else this.#early.push(frame)
    }
  }

  /** A lease that is over is not begun again: after a sleep, a word of the asker may come before the next look. */
  #renew(): void {
    if (this.asker === undefined || this.isOver || this.#lease.leftMs > 0) return this.#lease.renew()
    void this.end('lease')
  }

  #hand(process: JobProcess, frame: JobUpFrame): void {
    if (frame.kind === 'input-end') process.endInput()
    else if (frame.kind === 'signal') process.signal(frame.signal)
    else if (frame.kind === 'input' && process.write(frame.bytes)) this.#tellTaken()
  }

  #tellTaken(): void {
    this.#takenBytes = this.#inputBytes
    this.#viewer?.tell({ kind: 'input-taken', bytes: this.#takenBytes })
  }

  #handleExit(exit: { readonly code: number; readonly signal?: string }): void {
    this.#isGone = true
    this.#setState({ state: 'finishing', ports: [], waits: undefined })
    const program = this.#program
    this.#last = {
      ...exit,
      ...(program !== undefined && { program }),
      cpuMs: this.#cpuMs,
      seen: this.#observer.seen,
      ...(this.#reason !== undefined && { ended: this.#reason }),
    }
    if (!this.#guest) return this.#finish(this.#last)
    void this.#sendLast()
  }

  /** Results go before the exit: who hears that it has ended finds them in the folder. */
  async #sendLast(): Promise<void> {
    if (!this.#guest || this.#exit || !this.#last || this.#isSendingLast) return
    if (this.#guest.fault) return this.#fail(this.#guest.fault)
    if (!this.#guest.isAttached || this.#isLooking) return
    this.#isSendingLast = true
    try {
      await this.#guest.sendResults(true)
      this.#finish(this.#last)
    } catch (error) {
      if (errorCode(error) !== 'job/device-away') this.#fail(error)
    } finally {
      this.#isSendingLast = false
    }
    if (this.#guest.isAttached) await this.#sendLast() // cut off, and attached anew meanwhile
  }

  #fail(error: unknown): void {
    this.#parts.logger.info('an attempt failed', { attempt: this.id, code: errorCode(error) })
    const code = errorCode(error).slice(0, 64)
    this.#finish({
      code: -1,
      ended: this.#reason ?? 'refused',
      error: { code, message: errorMessage(error).slice(0, 1_000) },
      cpuMs: this.#cpuMs,
    })
    void this.#process?.end(END_GRACE_MS)
  }

  #finish(exit: AttemptExit): void {
    if (this.#exit) return
    this.#exit = exit
    this.#owned.release(this.#looking)
    this.#prepared?.dispose()
    this.#guest?.dispose()
    this.#viewer?.finish(exit)
    // What filled the disk does not stay for the next one.
    const keep = exit.error === undefined && exit.ended !== 'disk'
    void this.#parts.lent
      ?.giveBack(keep)
      .catch((error: unknown) => this.#parts.logger.warn('a job folder stays behind', { error: errorMessage(error) }))
    this.#ended.fire()
  }

  #setState(change: Partial<AttemptState>): void {
    const next = { ...this.#state, ...change }
    const { state, ports, waits, screen } = this.#state
    if (next.state === state && next.waits === waits && next.screen === screen && next.ports.join() === ports.join()) return
    this.#state = next
    this.#viewer?.tell({ kind: 'state', ...next })
  }

  #look(): void {
    if (this.#exit) return
    const { leftMs } = this.#lease
    if (this.asker !== undefined && leftMs <= 0) {
      if (!this.#isGone) void this.end('lease')
      else if (this.#last && leftMs < -RESULTS_KEPT_MS) this.#finish(this.#last) // nobody fetches its results
      return
    }
    if (this.#parts.lent && !this.#isGone && this.#parts.lent.freeBytes() < MIN_FREE_BYTES) return void this.end('disk')
    if (!this.#process || this.#isGone) return
    const observed = this.#process.observe()
    const { cpuMs, memoryBytes, ports, waits } = observed
    this.#observer.look(observed)
    this.#cpuMs = Math.max(this.#cpuMs, cpuMs)
    this.#setState({ ports: [...ports].slice(0, 64), waits })
    // It was taken for something that ends, and listens: it is a service, and of no use while it stands still.
    if (this.isService && this.#state.state === 'paused') this.setPaused(false)
    const { lent, request } = this.#parts
    if (!lent) return
    if (memoryBytes > (request.memoryMiB ?? DEFAULT_MEMORY_MIB) * 1024 ** 2) return void this.end('memory')
    void this.#lookForResults()
    void this.#identify()
  }

  /** Nobody waits for it: what is over within a second is known by its name only. */
  async #identify(): Promise<void> {
    const { programs, request, lent, isShutIn, environment } = this.#parts
    if (this.#isIdentified || request.identify === undefined || !lent || !isShutIn) return
    this.#isIdentified = true
    const at = { folder: request.folder, hostFolder: lent.path, home: request.home, searchPath: environment.PATH ?? '' }
    // Not found, changing, too large, or a word of the shell: it is not told.
    this.#program = (await programs.identify(request.identify, at).catch(() => undefined))?.ids[0]
  }

  async #lookForResults(): Promise<void> {
    const { clock } = this.#parts
    const startMs = clock.monotonicMs()
    if (!this.#guest?.isAttached || this.#isWorking || this.#isLooking || startMs < this.#nextResultsMs) return
    this.#isLooking = true
    try {
      await this.#guest.sendResults(false)
    } catch (error) {
      if (errorCode(error) !== 'job/device-away')
        this.#parts.logger.warn('results could not be sent yet', { attempt: this.id, error: errorMessage(error) })
    } finally {
      this.#isLooking = false
      this.#nextResultsMs = clock.monotonicMs() + Math.max(RESULTS_MS, 9 * (clock.monotonicMs() - startMs))
      if (this.#isGone) void this.#sendLast()
    }
  }
}
