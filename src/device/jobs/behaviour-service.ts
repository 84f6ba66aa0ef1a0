import type { Clock } from '../../base/clock.ts'
import { defined } from '../../base/defined.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import { BEHAVIOURS_DOC, type DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import { type Behaviour, type BehaviourKey, folderName, type Outcome, tookMs } from '../../jobs/behaviour.ts'
import { BehaviourLibrary } from '../../jobs/behaviour-library.ts'
import { type LineShape, shapeOf } from '../../jobs/behaviour-shape.ts'
import { behaviourWords } from '../../jobs/behaviour-words.ts'
import type { BehaviourRow, behavioursContract } from '../../jobs/behaviours-contract.ts'
import { classify } from '../../jobs/classify/classify.ts'
import type { Classification } from '../../jobs/job-contract.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { ProjectContext } from '../../jobs/placement-contract.ts'
import type { ProgramDigest } from '../../jobs/program-identity.ts'
import { remember } from '../../jobs/remember.ts'
import type { LearnedNote } from '../../jobs/seen-behaviour-contract.ts'
import type { Handlers } from '../../rpc/contract.ts'
import { KeyedArray } from '../../session/keyed-array.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

/** Name of the records inside the document. Part of the format. */
const RECORDS = 'behaviours'
/** What was learned waits so long for more: a thousand short jobs are a few changes of the document, not a thousand. */
const KEEP_MS = 2_000
/** Looking at a program for the first time may take longer, of a large one on a busy machine: then its name must do. */
const IDENTIFY_PATIENCE_MS = 250
/** What a program is, is looked up again after this: the host sees by its file's times whether it changed. */
const IDENTIFIED_FOR_MS = 60_000
const MAX_IDENTIFIED = 500

export interface BehaviourServiceOptions {
  readonly local: ProcessConnection<HostClient>
  readonly clock: Clock
  readonly log: Logger
}

/** What is known of a line. */
export interface Recalled {
  readonly behaviour: Behaviour
  /** The program here has the very bytes that were seen. */
  readonly isSame: boolean
  /** Ms, in that folder or else in any. */
  readonly tookMs: number | undefined
  readonly words: string
}

/** One run, as whoever watched it tells it. */
export type Run = Omit<Outcome, 'key' | 'folder' | 'atMs'> & {
  /** What its program is, as the device says that ran it. */
  readonly program?: ProgramDigest
}

interface OpenLibrary {
  readonly desk: OpenDesk
  readonly scope: DisposableStore
  library: BehaviourLibrary | undefined
}

/** How commands behave, learned on all devices of the person: asked before one is placed, told when it has run (rules JB100-JB107). */
export class BehaviourService implements Disposable {
  readonly #options: BehaviourServiceOptions
  readonly #identified = new Map<
    string,
    { readonly id: Promise<ProgramDigest | undefined>; readonly atMs: number; known?: ProgramDigest }
  >()
  #open: OpenLibrary | undefined
  #keeping: Disposable | undefined

  constructor(options: BehaviourServiceOptions) {
    this.#options = options
  }

  /** The document is read when it is first asked about, never on the way of an unlock. */
  follow(desk: OpenDesk): void {
    this.close()
    this.#open = { desk, scope: new DisposableStore(), library: undefined }
  }

  /** The desk closes: what waits is kept first. */
  close(): void {
    this.keep()
    this.#open?.scope.dispose()
    this.#open = undefined
    this.#identified.clear()
  }

  handlers(): Handlers<typeof behavioursContract> {
    return {
      listBehaviours: () => this.#require().all.map(rowOf),
      forgetBehaviour: ({ key }) => {
        if (!this.#require().forget(key))
          throw new JobError('job/no-behaviour', `nothing is known by ${key}; "elsewhere behaviours" lists what is`)
        return {}
      },
      recallBehaviour: async ({ commandLine, folder, context }) => {
        this.#require()
        const taken = classifyIn(commandLine, context)
        const { classification, learned } = await this.remember(commandLine, folder, taken)
        return { classification, ...(learned && { learned }) }
      },
    }
  }

  /** What a line is taken for, with what is known of it. @param isHurried  by the name, where the program was not looked at before */
  async remember(
    line: string,
    folder: string,
    taken: Classification,
    isHurried = false,
  ): Promise<{
    readonly classification: Classification
    readonly learned: LearnedNote | undefined
    readonly recalled: Recalled | undefined
  }> {
    const shape = shapeOf(line, taken.programs)
    if (shape) {
      const identifying = this.#identify(shape.program, folder)
      if (!isHurried) await this.#patiently(identifying)
    }
    const recalled = shape && this.#recall(shape, folder)
    if (!recalled) return { classification: taken, learned: undefined, recalled: undefined }
    const { behaviour, isSame, words } = recalled
    const learned = { key: behaviour.key, words: words.slice(0, 400), was: taken.label }
    return { classification: remember(taken, behaviour, isSame), learned, recalled }
  }

  /** Ms such a line took; asks nobody, so that who must not wait can ask. Undefined: not known. */
  tookMs(line: string, folder: string | undefined): number | undefined {
    const shape = shapeOf(line)
    return (
      shape &&
      this.#open &&
      this.#library(this.#open).tookMs(shape.name, shape.shape, folder === undefined ? undefined : folderName(folder))
    )
  }

  /**
   * A run has ended, or shown what it is. Resolves when it is known.
   *
   * @param on  the other device that it ran on, which says itself what it ran; absent: this one
   */
  async learn(line: string, folder: string, programs: readonly string[], { program, ...run }: Run, on?: string): Promise<void> {
    const shape = shapeOf(line, programs)
    const open = this.#open
    if (!shape || !open) return
    const atMs = this.#options.clock.nowMs()
    // Nobody waits for it: it is of these bytes, however long it takes to read them.
    const id = on === undefined ? await this.#identify(shape.program, folder) : program
    if (this.#open !== open) return
    const key = { name: shape.name, id, shape: shape.shape, ...(id !== undefined && on !== undefined && { on }) }
    this.#library(open).learn({ ...run, key, folder: folderName(folder), atMs })
    this.#keeping ??= this.#options.clock.after(KEEP_MS, () => this.keep())
  }

  /** Writes what waits. */
  keep(): void {
    this.#keeping?.dispose()
    this.#keeping = undefined
    try {
      this.#open?.library?.flush()
    } catch (error) {
      // A habit less is known; nothing waits for it.
      this.#options.log.warn('what was learned of commands could not be kept', { error: errorMessage(error) })
    }
  }

  dispose(): void {
    this.close()
  }

  #recall(shape: LineShape, folder: string): Recalled | undefined {
    const found = this.#open && this.#library(this.#open).find(this.#keyOf(shape, folder))
    if (!found) return undefined
    const took = tookMs(found.behaviour, folderName(folder))
    return { ...found, tookMs: took, words: behaviourWords(found.behaviour, took, found.isSame) }
  }

  #keyOf({ program, name, shape }: LineShape, folder: string): BehaviourKey {
    return { name, id: this.#identified.get(identityOf(program, folder))?.known, shape }
  }

  #identify(program: string, folder: string): Promise<ProgramDigest | undefined> {
    const { clock, local, log } = this.#options
    const of = identityOf(program, folder)
    const found = this.#identified.get(of)
    if (found && clock.monotonicMs() - found.atMs < IDENTIFIED_FOR_MS) return found.id
    const id = local
      .client()
      .then((host) => host.identifyProgram({ program, folder }))
      .then(
        ({ id: digest }) => digest as ProgramDigest | undefined,
        (error: unknown) => {
          log.debug('a program could not be looked at; its name must do', { program, why: errorMessage(error) })
          return undefined
        },
      )
    const entry = { id, atMs: clock.monotonicMs(), ...(found?.known && { known: found.known }) }
    this.#identified.delete(of)
    this.#identified.set(of, entry)
    void id.then((digest) => {
      if (digest === undefined) delete (entry as { known?: ProgramDigest }).known
      else (entry as { known?: ProgramDigest }).known = digest
    })
    const [oldest] = this.#identified.keys()
    if (this.#identified.size > MAX_IDENTIFIED && oldest !== undefined) this.#identified.delete(oldest)
    return id
  }

  #patiently(work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(IDENTIFY_PATIENCE_MS, () => resolve())
      void work.then(() => {
        timer.dispose()
        resolve()
      })
    })
  }

  #library(open: OpenLibrary): BehaviourLibrary {
    if (open.library) return open.library
    const { devices, values } = open.desk
    for (const [key] of [...values.entries(OLD_TIMES)]) values.delete(OLD_TIMES, key)
    const replica = open.desk.documents.open(BEHAVIOURS_DOC)
    const records = open.scope.add(new KeyedArray(replica.doc, RECORDS))
    open.library = open.scope.add(
      new BehaviourLibrary(
        {
          get: (record) => records.get(record),
          keys: () => records.keys(),
          write: (set, remove) => replica.edit(() => records.write(set, remove)),
          onDidChange: records.onDidChange,
        },
        open.desk.context.signer.device,
        { isMember: (device) => devices.isMember(device as DeviceId), nowMs: () => this.#options.clock.nowMs() },
      ),
    )
    const { library } = open
    let members = memberText(devices)
    open.scope.add(
      devices.onDidChange(() => {
        const now = memberText(devices)
        if (now !== members) library.rebuild()
        members = now
      }),
    )
    return library
  }

  /** @throws JobError `job/unknown`  the device is locked */
  #require(): BehaviourLibrary {
    if (!this.#open) throw new JobError('job/unknown', 'this device is locked')
    return this.#library(this.#open)
  }
}

const memberText = ({ members }: OpenDesk['devices']): string =>
  members
    .map(({ device }) => device)
    .sort()
    .join(' ')

/** Where times of lines lay before there was a library. */
const OLD_TIMES = 'shell-times'

/** A name is looked for on the path, the same in every folder; a path of its own is of that folder. */
const identityOf = (program: string, folder: string): string => (program.includes('/') ? `${folder}\0${program}` : program)

const rowOf = (known: Behaviour): BehaviourRow => {
  const took = tookMs(known, undefined)
  const { key, name, id, shape, times, well, badly, listened, terminal, input, ports, files, cpuMs, atMs, devices } = known
  return {
    ...{ key, name, shape, times, well, badly, listened, terminal, input, atMs },
    ports: [...ports],
    devices: [...devices],
    words: behaviourWords(known, took, true).slice(0, 400),
    ...(id !== undefined && { program: id }),
    ...(files !== undefined && { files }),
    ...(cpuMs !== undefined && { cpuMs }),
    ...(took !== undefined && { tookMs: took }),
  }
}

/** What a line is, with the aliases of its folder. */
export function classifyIn(commandLine: string, context: ProjectContext | undefined): Classification {
  const { scripts, ...files } = context ?? {}
  return classify(commandLine, { ...(scripts && { scripts }), files: defined(files) })
}
