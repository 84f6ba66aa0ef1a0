import * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { Logger } from '../../base/logger.ts'
import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import { BacalhauEngine } from '../../jobs/engines/bacalhau/bacalhau-engine.ts'
import { beginMark, INLINE_LIMITS, moduleLine } from '../../jobs/engines/bacalhau/bacalhau-job.ts'
import type { EngineCall, EngineStreams, EngineSubmission } from '../../jobs/engines/engine.ts'
import type { BacalhauRecord } from '../../jobs/engines/engine-book.ts'
import type { EngineRow } from '../../jobs/engines/engines-contract.ts'
import { FolderCopy, type SentFile } from '../../jobs/engines/folder-copy.ts'
import { runningAttempts } from '../../jobs/job-book.ts'
import { CopiedTrail, type FollowedRun } from './copied-trail.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'
import type { EngineSink } from './engine-attempt.ts'
import type { EngineKind, PlacementAsk } from './engine-kind.ts'

/** From sending to running with an image that is there. Nobody has published figures: a guess, and an image that is not there takes minutes. */
const START_MS = 3_000
/** What is kept of attempts: what their folders held when they were sent, and which of their tries is followed. */
const SPACE = 'engine-copies'
const MAX_KEPT = 64

const keptCopy = z.object({
  atMs: z.number(),
  module: z.boolean(),
  sent: z.array(z.object({ path: z.string(), bytes: z.number(), modifiedMs: z.number(), digest: z.string() })),
  followed: z
    .object({
      ...{ run: z.string(), from: z.number(), again: z.boolean() },
      ...{ out: z.number().optional(), err: z.number().optional(), told: z.boolean().optional() },
      missed: z.object({ times: z.number(), refused: z.number(), lastMs: z.number() }).optional(),
    })
    .optional(),
})
type KeptCopy = z.infer<typeof keptCopy>

export interface BacalhauKindOptions {
  readonly call: EngineCall
  readonly streams: EngineStreams
  readonly host: ProcessConnection<HostClient>
  readonly clock: Clock
  readonly log: Logger
  /** The device's store. @throws DeviceError `device/locked` */
  values(): KeyValueStore
}

/** A Bacalhau network: it sees nothing of this device; a job's folder goes along, and what came of it comes back (rules EN7-EN12). */
export class BacalhauKind implements EngineKind {
  readonly engine: BacalhauEngine
  readonly #record: BacalhauRecord
  readonly #options: BacalhauKindOptions

  constructor(record: BacalhauRecord, options: BacalhauKindOptions) {
    this.engine = new BacalhauEngine(record, options.call, options.streams)
    this.#record = record
    this.#options = options
  }

  async check(): Promise<void> {
    // it asks for nothing here
  }

  limit({ commandLine, label, image }: PlacementAsk): string | undefined {
    if (label === 'interactive') return 'has no terminal and no display'
    if (image !== undefined || this.#record.image !== undefined || isModule(commandLine)) return undefined
    return 'runs images: name one with --image, or in its settings'
  }

  async fit({ commandLine, folderBytes }: PlacementAsk, { runs }: EngineRow) {
    const needed = isModule(commandLine) ? 'wasm' : 'docker'
    const missingBytes = (await folderBytes) ?? 0
    const limit =
      runs && !runs.includes(needed)
        ? `has no node that runs ${needed}`
        : missingBytes > INLINE_LIMITS.bytes
          ? `takes folders of ${INLINE_LIMITS.bytes / 1_048_576} MiB at most`
          : undefined
    return { limit, missingBytes, startMs: START_MS }
  }

  async prepare(request: AttemptRequest): Promise<EngineSubmission> {
    const { attempt, arguments: words, folder, environment, service, network, image } = request
    const module = moduleLine(words) !== undefined
    const copy = await this.#openFolder(attempt, folder)
    try {
      const { entries, sent } = await copy.read(INLINE_LIMITS, this.#record.name)
      this.#keep(attempt, { atMs: this.#options.clock.nowMs(), module, sent: [...sent] })
      return { name: attempt, arguments: words, folder, environment, service, network, image, files: entries }
    } finally {
      copy.dispose()
    }
  }

  async hasEnded(): Promise<boolean> {
    return false // nothing here says so
  }

  forget(attempt: string): void {
    this.#options.values().delete(SPACE, attempt)
  }

  trail({ attempt, folder }: Pick<AttemptRequest, 'attempt' | 'folder'>, sink: EngineSink): CopiedTrail {
    const { clock, log } = this.#options
    const kept = this.#kept(attempt)
    const sent: readonly SentFile[] = kept?.sent ?? []
    const followed = {
      get: () => this.#kept(attempt)?.followed,
      set: (run: FollowedRun) =>
        this.#keep(attempt, { ...(this.#kept(attempt) ?? { atMs: clock.nowMs(), module: false, sent: [] }), followed: run }),
    }
    return new CopiedTrail(
      {
        ...{ name: this.#record.name, engine: this.engine, clock, log, sent, followed },
        // Of modules no log is kept that could be followed.
        ...{ mark: kept?.module ? undefined : beginMark(attempt), hasLog: !kept?.module },
        openFolder: () => this.#openFolder(attempt, folder),
      },
      sink,
    )
  }

  async #openFolder(attempt: string, folder: string): Promise<FolderCopy> {
    const host = await this.#options.host.client()
    return new FolderCopy(host.channel((await host.offerTree({ attempt, folder, from: this.#record.name })).channel))
  }

  #kept(attempt: string): KeptCopy | undefined {
    const bytes = this.#options.values().get(SPACE, attempt)
    if (!bytes) return undefined
    try {
      return keptCopy.parse(JSON.parse(fromUtf8(bytes)))
    } catch {
      return undefined // of another version: what comes back lies beside what is here
    }
  }

  #keep(attempt: string, kept: KeptCopy): void {
    const values = this.#options.values()
    values.put(SPACE, attempt, utf8(JSON.stringify(kept)))
    const all = values.entries(SPACE)
    if (all.length <= MAX_KEPT) return
    // What is over was forgotten, unless that could not be told: only what no job names any more, or one that is over, makes room.
    const running = runningAttempts(values)
    const over = all.filter(([one]) => one !== attempt && !running.has(one))
    const oldest = over
      .map(([one, bytes]) => ({ one, atMs: Number(/"atMs":(\d+)/.exec(fromUtf8(bytes).slice(0, 40))?.[1] ?? 0) }))
      .toSorted((a, b) => a.atMs - b.atMs)
    for (const { one } of oldest.slice(0, all.length - MAX_KEPT)) values.delete(SPACE, one)
  }
}

/** As it will be found to be when it is sent; what is then refused is told there. */
function isModule(commandLine: string): boolean {
  try {
    return moduleLine(['-c', commandLine]) !== undefined
  } catch {
    return true
  }
}
