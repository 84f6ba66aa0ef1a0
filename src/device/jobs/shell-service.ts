import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { ShellDoor } from '../../jobs/shell-door.ts'
import type { ShellMessage } from '../../jobs/shell-message.ts'
import { plainPrograms } from '../../jobs/shell-words.ts'
import { type BehaviourService, classifyIn, type Run } from './behaviour-service.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import type { Peers } from '../links/peers.ts'
import type { PlacementService } from './placement-service.ts'

/** A placement found before is an answer for so long: the command line places anew before it starts anything. */
const KNOWN_MS = 10 * 60_000
/** One that is older is looked at again, for the next time. */
const FRESH_MS = 15_000
/** What took less is not worth the question. The hook tells of nothing shorter (rule JB70). */
const HEAVY_MS = 2_000
/** Lines whose placement is known, of all shells. */
const MAX_KNOWN = 200
/** Folder and line are placed at most so many at a time. */
const MAX_PLACING = 4

export interface ShellServiceOptions {
  readonly door: ShellDoor
  readonly local: ProcessConnection<HostClient>
  readonly placement: PlacementService
  readonly peers: Pick<Peers, 'all'>
  readonly clock: Clock
  readonly log: Logger
  readonly behaviours: Pick<BehaviourService, 'learn' | 'tookMs'>
}

interface Known {
  /** Where it would go; undefined: it stays. */
  readonly device: string | undefined
  readonly atMs: number
}

/**
 * Answers hooked shells (rules JB70-JB76). A shell waits for the answer, so it comes from what is known already: a line that
 * was heavy before, and was placed elsewhere since. Whatever is not known stays there, and is placed for the next time.
 */
export class ShellService implements Disposable {
  readonly #options: ShellServiceOptions
  readonly #owned = new DisposableStore()
  readonly #known = new Map<string, Known>()
  readonly #placing = new Set<string>()
  #open: { readonly self: string } | undefined
  #isServing = false

  constructor(options: ShellServiceOptions) {
    this.#options = options
    if (options.door.isWanted) this.serve()
  }

  /** Shells may knock from now on. Safe to repeat. */
  serve(): void {
    if (this.#isServing) return
    this.#isServing = true
    this.#owned.add(this.#options.door.open((message) => this.#answer(message)))
  }

  follow(desk: OpenDesk): void {
    this.#open = { self: desk.context.signer.device }
  }

  /** The device is locked: every line stays where it is typed. */
  close(): void {
    this.#open = undefined
    this.#known.clear()
  }

  dispose(): void {
    this.close()
    this.#owned.dispose()
  }

  #answer(message: ShellMessage): readonly string[] | undefined {
    const { clock, behaviours } = this.#options
    const { line, folder } = message
    const programs = plainPrograms(line)
    if (!this.#open || !programs) return undefined
    if (message.kind === 'ran') {
      this.#place(line, folder, message.ms)
      return undefined
    }
    const known = this.#known.get(keyOf(line, folder))
    const ageMs = known ? clock.monotonicMs() - known.atMs : Number.POSITIVE_INFINITY
    if (ageMs > FRESH_MS && (known || (behaviours.tookMs(line, folder) ?? 0) >= HEAVY_MS)) this.#place(line, folder)
    const isThere = ageMs <= KNOWN_MS && this.#options.peers.all.some(({ device }) => device === known?.device)
    return isThere ? programs : undefined
  }

  /** Finds out where it would go, beside everything else. @param ranMs  it has just run in a shell, and ended well */
  #place(line: string, folder: string, ranMs?: number): void {
    const key = keyOf(line, folder)
    const open = this.#open
    if (!open || this.#placing.has(key) || this.#placing.size >= MAX_PLACING) return
    this.#placing.add(key)
    const { placement, behaviours, local, clock, log } = this.#options
    const find = async (): Promise<string | undefined> => {
      const context = await (await local.client()).readProject({ folder })
      if (ranMs !== undefined) await behaviours.learn(line, folder, classifyIn(line, context).programs, ranFor(ranMs))
      const { classification, words, device } = await placement.explain(
        { commandLine: line, folder, context },
        new AbortController().signal,
      )
      const isOurs = words.label === 'batch' && classification.label === 'batch' && classification.effects === 'files-only'
      return isOurs && device !== open.self ? device : undefined
    }
    find()
      .then((device) => {
        if (this.#open === open) this.#remember(key, { device, atMs: clock.monotonicMs() })
      })
      .catch((error: unknown) => log.debug('a line of a shell could not be placed', { error: errorMessage(error) }))
      .finally(() => this.#placing.delete(key))
  }

  #remember(key: string, known: Known): void {
    this.#known.delete(key)
    this.#known.set(key, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
  }
}

/** The shell tells only what ended well, and sees nothing of it. */
const ranFor = (ms: number): Run => ({
  seen: undefined,
  tookMs: ms,
  ended: 'well',
  files: undefined,
  cpuMs: undefined,
})

const keyOf = (line: string, folder: string): string => `${folder}\n${line}`
