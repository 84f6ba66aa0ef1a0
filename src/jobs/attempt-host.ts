import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { Attempt, MIN_FREE_BYTES } from './attempt.ts'
import type { AttemptRequest, AttemptStatus } from './attempt-contract.ts'
import { type Asker, requireRoom, THIS_DEVICE } from './attempt-limits.ts'
import { AttemptShells, type ShellTerminals } from './attempt-shells.ts'
import type { GuestJob } from './guest-jobs-contract.ts'
import type { HostTerminal } from './host-contract.ts'
import { jobEnvironment, plainEnvironment } from './job-environment.ts'
import { JobError } from './job-error.ts'
import type { JobSpawner } from './job-process.ts'
import { type OwnerSigns, OwnerWatch } from './owner-watch.ts'
import type { PlacedPrograms } from './program-identity.ts'
import type { ProgramRights } from './program-rights-contract.ts'
import { PastAttempts } from './past-attempts.ts'
import { joinSocket, type PortSockets } from './port-socket.ts'
import type { TerminalSize } from './terminal-frames-contract.ts'
import type { LentTree, TreePlaces } from './tree-folder.ts'
import { type TreeCount, TreeOwner } from './tree-owner.ts'

/** One that has ended waits so long for its asker, with its output. */
const KEEP_ENDED_MS = 24 * 3_600_000

export interface AttemptHostParts {
  readonly spawner: JobSpawner
  readonly places: TreePlaces
  readonly programs: PlacedPrograms
  readonly sockets: Pick<PortSockets, 'connect'>
  readonly terminals: ShellTerminals
  /** Of this machine's owner. */
  readonly signs: OwnerSigns
  /** Why placed jobs cannot be shut in here; undefined: they can. */
  readonly noSandbox: () => string | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** The person's environment on this machine. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
}

/** All attempts of one host process: those of this device's own jobs, and those it runs for linked ones. Owns them; they end with it. */
export class AttemptHost implements Disposable {
  readonly #parts: AttemptHostParts
  readonly #attempts = new Map<string, Attempt>()
  /** By whom they were asked for, while their folder is made ready; with the reason, if they were ended meanwhile. */
  readonly #coming = new Map<string, Asker & { ended?: string }>()
  readonly #past = new PastAttempts()
  readonly #trees = new Map<string, TreeOwner>()
  readonly #treeChanged = new Emitter<TreeCount & { readonly attempt: string }>()
  readonly onDidChangeTree = this.#treeChanged.event
  readonly #forOthersChanged = new Emitter<Record<string, never>>()
  readonly onDidChangeForOthers = this.#forOthersChanged.event
  readonly #owner: OwnerWatch
  readonly #shells: AttemptShells
  #isPaused = false

  constructor(parts: AttemptHostParts) {
    this.#parts = parts
    this.#shells = new AttemptShells(parts.terminals, parts.logger)
    this.#owner = new OwnerWatch(
      parts.clock,
      {
        // A shell in a job of another device is typed into from afar.
        lastInputMs: () => parts.signs.lastInputMs(this.#shells.pidsOfOthers),
        pressure: () => parts.signs.pressure(),
      },
      (paused) => this.#setPaused(paused),
    )
  }

  get home(): string {
    return this.#parts.home
  }

  /** In its own folder, as the person's own programs. @throws JobError `job/attempt-exists`, `job/too-many` */
  startHere(request: AttemptRequest, channel: ByteChannel): void {
    this.#remember(request.attempt, THIS_DEVICE)
    this.#add(request, THIS_DEVICE, undefined, false).attach(channel, undefined, 0)
  }

  /**
   * For a linked device: in a sandbox, in a copy of its folder. Without a sandbox only if the person allowed that (whoever passes the
   * request on asks for the grant of a shell then); it sees the copy where it lies.
   *
   * @param given.rights  what grants to programs give that asker; they hold in the sandbox only (rule JB91)
   * @param given.contact  whose device it is, if not the person's own
   * @throws JobError `job/attempt-exists`, `job/too-many`, `job/no-sandbox`, `job/disk-full`
   */
  async startFor(
    asker: string,
    request: AttemptRequest,
    channel: ByteChannel,
    tree: ByteChannel,
    { rights, contact }: { readonly rights?: ProgramRights | undefined; readonly contact?: string | undefined } = {},
  ): Promise<void> {
    const why = this.#parts.noSandbox()
    if (rights?.needed && (why !== undefined || request.withoutSandbox || request.network)) {
      const what = why ?? 'it asks for the network of that device, or for no sandbox'
      throw new JobError('job/no-sandbox', `a grant to a program holds only in a sandbox: ${what}`)
    }
    if (why !== undefined && !request.withoutSandbox) {
      throw new JobError(
        'job/no-sandbox',
        `a job of another device cannot be shut in here: ${why}. Install bubblewrap there ("apt install bubblewrap"), or allow it for this job ("elsewhere run --on DEVICE --without-sandbox")`,
      )
    }
    const by: Asker & { ended?: string } = { asker, contact }
    this.#remember(request.attempt, by)
    this.#coming.set(request.attempt, by)
    const lending = this.#parts.places.lend(request.attempt, `${asker}\0${request.folder}`)
    const lent = await lending.finally(() => this.#coming.delete(request.attempt))
    if (lent.freeBytes() < MIN_FREE_BYTES) {
      await lent.giveBack(true)
      throw new JobError(
        'job/disk-full',
        `less than ${MIN_FREE_BYTES / 1024 ** 2} MiB are free on that device's disk; no job of others begins there`,
      )
    }
    const isShutIn = why === undefined && !(request.withoutSandbox && request.containers)
    const attempt = this.#add(request, by, lent, isShutIn, isShutIn ? rights : undefined)
    attempt.setPaused(this.#isPaused)
    if (by.ended !== undefined) await attempt.end(by.ended)
    attempt.attach(channel, tree, 0)
  }

  /** @throws JobError `job/unknown`  also of what another device asked for */
  attach(asker: string | undefined, id: string, from: number, channel: ByteChannel, tree: ByteChannel | undefined): void {
    this.#find(asker, id).attach(channel, tree, from)
  }

  /** On this machine's network, or without a sandbox, it is as good as a shell here. @throws JobError `job/unknown` */
  isAsShell(asker: string, id: string): boolean {
    return this.#find(asker, id).isAsShell
  }

  /** What grants to programs it runs by, or may run by. @throws JobError `job/unknown` */
  rightsOf(asker: string, id: string): ProgramRights | undefined {
    return this.#find(asker, id).rights
  }

  /** A grant to a program is over: what runs by it ends, and what has not begun does not begin by it. */
  async loseRight(id: string, asker: string | undefined, grant: string): Promise<void> {
    const attempt = this.#attempts.get(id)
    if (attempt && (asker === undefined || attempt.asker === asker)) await attempt.loseRight(grant)
  }

  /** Before channels are opened for nothing. @throws JobError `job/unknown` */
  require(asker: string | undefined, id: string): void {
    this.#find(asker, id)
  }

  /**
   * Only what the attempt itself listens on: a job's asker does not reach other services of this machine.
   *
   * @throws JobError `job/unknown`, `job/no-port`
   */
  async connect(asker: string | undefined, id: string, port: number, openChannel: () => ByteChannel): Promise<ByteChannel> {
    if (!this.#find(asker, id).ports.includes(port)) throw new JobError('job/no-port', `that job does not listen on port ${port}`)
    const { process } = this.#find(asker, id)
    const socket = await (process?.hasOwnNetwork ? process.connect(port) : this.#parts.sockets.connect(port))
    const channel = openChannel()
    joinSocket(socket, channel)
    return channel
  }

  /** Somebody typed into a terminal of this machine; a shell in a job of another device is none of its owner's. */
  noteTyped(terminalId: string): void {
    if (!this.#shells.isOfOthers(terminalId)) this.touchOwner()
  }

  /** A terminal where the attempt runs. @throws JobError `job/unknown`, and as AttemptShells.open */
  openShell(asker: string | undefined, id: string, size: TerminalSize): HostTerminal {
    return this.#shells.open(this.#find(asker, id), size)
  }

  /** One nobody knows has ended already: a request of that asker that was overtaken by its end does not run any more. */
  async end(id: string, asker: string | undefined, reason: string): Promise<void> {
    const attempt = this.#attempts.get(id)
    const coming = this.#coming.get(id)
    if (coming && (asker === undefined || coming.asker === asker)) coming.ended = reason
    if (!attempt) this.#past.endEarly(id, asker)
    if (!attempt || (asker !== undefined && attempt.asker !== asker)) return
    await attempt.end(reason)
  }

  list(): (AttemptStatus & { readonly asker?: string })[] {
    return [...this.#attempts.values()].map(({ status, asker }) => ({ ...status, ...(asker !== undefined && { asker }) }))
  }

  /** What runs here for other devices. */
  listForOthers(): GuestJob[] {
    return [...this.#attempts.values()].flatMap(({ id, asker, isOver, line, startedAtMs, status }) =>
      asker === undefined || isOver ? [] : [{ attempt: id, asker, line, startedAtMs, isHeld: status.state === 'paused' }],
    )
  }

  /** The owner of this machine ends what another device asked for; never a job of this one. One that is over is no error. */
  async stopForOthers(id: string): Promise<void> {
    const attempt = this.#attempts.get(id)
    if (attempt?.asker !== undefined) await attempt.end('stopped')
  }

  /** The asking end of an attempt's folder. @throws JobError `job/folder-gone`, `job/folder-refused` */
  async offerTree(attempt: string, folder: string, from: string, channel: ByteChannel): Promise<void> {
    const { places } = this.#parts
    const why = places.refuses(folder)
    if (why !== undefined) throw new JobError('job/folder-refused', `${folder} is not sent to another device: ${why}`)
    const opened = await places.open(folder)
    this.#trees.get(attempt)?.dispose()
    const owner = new TreeOwner(channel, opened, from, (error) =>
      this.#parts.logger.warn('the folder of a job could not be read or written', { attempt, folder, error: errorMessage(error) }),
    )
    this.#trees.set(attempt, owner)
    owner.onDidChange((count) => this.#treeChanged.fire({ attempt, ...count }))
    void owner.closed.then(() => this.#trees.get(attempt) === owner && this.#trees.delete(attempt))
  }

  /** The owner of this machine is at it: what runs for others holds still meanwhile, services aside (rule JB48). */
  touchOwner(): void {
    this.#owner.touch()
  }

  /** Whether a display of this device is unlocked. */
  setDisplayOpen(isOpen: boolean): void {
    this.#owner.setDisplayOpen(isOpen)
  }

  #tellBusy(): void {
    this.#owner.setBusy([...this.#attempts.values()].some(({ asker, isOver }) => asker !== undefined && !isOver))
    this.#forOthersChanged.fire({})
  }

  #setPaused(paused: boolean): void {
    this.#isPaused = paused
    for (const attempt of this.#attempts.values()) if (attempt.asker !== undefined) attempt.setPaused(paused)
    this.#forOthersChanged.fire({})
  }

  /** Whether a process with this mark belongs to one of ours. */
  hasStarted(mark: string): boolean {
    return this.#past.hasBegun(mark)
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#attempts.values()].map((attempt) => attempt.end('host-ended')))
  }

  dispose(): void {
    this.#owner.dispose()
    for (const tree of this.#trees.values()) tree.dispose()
    for (const attempt of this.#attempts.values()) attempt.dispose()
    this.#attempts.clear()
    this.#treeChanged.dispose()
    this.#forOthersChanged.dispose()
  }

  #add(request: AttemptRequest, by: Asker, lent: LentTree | undefined, isShutIn: boolean, rights?: ProgramRights): Attempt {
    const { spawner, programs, clock, logger, environment } = this.#parts
    const given = rights ? { ...request, environment: plainEnvironment(request.environment) } : request
    const attempt = new Attempt({
      ...{ spawner, programs, rights, clock, logger, request, ...by, lent, isShutIn },
      environment: jobEnvironment(
        environment,
        lent && !isShutIn && request.containers ? { ...given, home: this.#parts.home } : given,
        by.asker === undefined ? 'here' : 'placed',
      ),
    })
    this.#attempts.set(request.attempt, attempt)
    this.#tellBusy()
    const forget = () => {
      if (this.#attempts.get(request.attempt) !== attempt) return
      this.#attempts.delete(request.attempt)
      attempt.dispose()
    }
    attempt.onDidSettle(forget)
    attempt.onDidEnd(() => this.#tellBusy())
    attempt.onDidEnd(() => clock.after(KEEP_ENDED_MS, forget))
    return attempt
  }

  #remember(id: string, by: Asker): void {
    if (this.#past.isPast(id, by.asker))
      throw new JobError('job/attempt-exists', `attempt ${id.slice(0, 8)} was asked for before; it does not run twice`)
    requireRoom([...this.#attempts.values(), ...[...this.#coming.values()].map((one) => ({ ...one, isOver: false }))], by)
    this.#past.begin(id, (one) => this.#attempts.has(one) || this.#coming.has(one))
  }

  #find(asker: string | undefined, id: string): Attempt {
    const attempt = this.#attempts.get(id)
    if (attempt && attempt.asker === asker) return attempt
    throw new JobError(
      'job/unknown',
      `attempt ${id.slice(0, 8)} is not on this device; it was forgotten, or its host process was restarted`,
    )
  }
}
