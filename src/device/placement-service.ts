import { defined } from '../base/defined.ts'
import type { Clock } from '../base/clock.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { classify } from '../jobs/classify/classify.ts'
import type { DeviceFacts } from '../jobs/device-facts-contract.ts'
import { type Classification, DEFAULT_POLICY, type JobPolicy } from '../jobs/job-contract.ts'
import { type PlacementCandidate, place } from '../jobs/placement.ts'
import type { PlacementAnswer, placementContract } from '../jobs/placement-contract.ts'
import type { Handlers } from '../rpc/contract.ts'
import type { DeviceRow } from '../sync/links-contract.ts'
import type { HostClient, ProcessConnection } from './device-parts.ts'
import type { Peers } from './peers.ts'

/** A device that has not answered by then is placed without: an answer while something is dragged is worth more than a whole one. */
const FACTS_PATIENCE_MS = 2_000
/** As many devices are asked at once; a person has not many more. */
const MAX_ASKED = 32

export interface PlacementServiceOptions {
  readonly local: ProcessConnection<HostClient>
  readonly peers: Peers
  readonly clock: Clock
  readonly log: Logger
  rows(): Promise<readonly DeviceRow[]>
  /** This device's id. @throws DeviceError `device/locked` */
  self(): string
  /** Ms of one reference core that such a line took before, here or on another device of mine. */
  workMs(commandLine: string, programs: readonly string[]): number | undefined
}

export interface PlacementQuestion {
  readonly commandLine: string
  readonly folder: string
  /** What the line is, where that was found before; else it is classified with `context`. */
  readonly classification?: Classification | undefined
  readonly policy?: Partial<JobPolicy> | undefined
  readonly context?:
    | {
        readonly scripts?: Readonly<Record<string, string>> | undefined
        readonly makefile?: string | undefined
        readonly justfile?: string | undefined
        readonly taskfile?: string | undefined
        readonly dockerfile?: string | undefined
        readonly compose?: string | undefined
        readonly denoTasks?: Readonly<Record<string, string>> | undefined
      }
    | undefined
}

/** Asks every device how it is, and lets the pure function decide (rules JB30-JB34). */
export class PlacementService {
  readonly #options: PlacementServiceOptions

  constructor(options: PlacementServiceOptions) {
    this.#options = options
  }

  handlers(): Handlers<typeof placementContract> {
    return { explainPlacement: (input, { signal }) => this.explain(input, signal) }
  }

  /** @param without  a device that is left out: it could not, or was lost */
  async explain(
    { commandLine, folder, context, policy, classification: known }: PlacementQuestion,
    signal: AbortSignal,
    without?: string,
  ): Promise<PlacementAnswer> {
    const { local, self, rows, workMs: workOf } = this.#options
    const { scripts, ...files } = context ?? {}
    const classification = known ?? classify(commandLine, { ...(scripts && { scripts }), files: defined(files) })
    const host = await local.client()
    const asked = classification.programs.slice(0, 16)
    const [own, held] = await Promise.all([
      host.readFacts({ device: self(), tools: asked }, { signal }),
      host.measureFolder({ folder }, { signal }),
    ])
    // What is not found here by name comes out of the folder (node_modules/.bin) or the shell: it goes along, and is asked of nobody.
    const tools = asked.filter((tool) => !own.missingTools.includes(tool))
    const listed = (await rows()).filter(({ deviceId }) => deviceId !== without).slice(0, MAX_ASKED)
    const candidates = await Promise.all(listed.map((row) => this.#candidate(row, own, tools, held.bytes, signal)))
    const workMs = workOf(commandLine, classification.programs)
    const placed = place(
      { ...classification, resources: { tools }, policy: { ...DEFAULT_POLICY, ...defined(policy ?? {}) }, workMs, outputBytes: 0 },
      candidates,
    )
    return {
      classification,
      ...(placed.device !== undefined && { device: placed.device }),
      reason: placed.reason,
      table: placed.table.map(({ cost, ...row }) => ({ ...row, ...(cost && { cost }) })),
      folderBytes: held.bytes,
      ...(workMs !== undefined && { workMs }),
    }
  }

  async #candidate(
    row: DeviceRow,
    own: DeviceFacts,
    tools: readonly string[],
    folderBytes: number,
    signal: AbortSignal,
  ): Promise<PlacementCandidate> {
    const linked = row.self || row.state === 'linked'
    const base = {
      device: row.deviceId,
      name: row.name,
      here: row.self,
      linked,
      roundTripMs: row.roundTripMs ?? 0,
      bytesPerSecond: undefined,
    }
    if (row.self) return { ...base, granted: true, facts: own, missingBytes: 0 }
    if (!linked) return { ...base, granted: false, facts: undefined, missingBytes: folderBytes }
    const answer = await this.#ask(row.deviceId, tools, signal)
    return { ...base, granted: answer.granted, facts: answer.facts, missingBytes: folderBytes }
  }

  async #ask(device: string, tools: readonly string[], signal: AbortSignal): Promise<{ granted: boolean; facts: DeviceFacts | undefined }> {
    const { peers, clock, log } = this.#options
    const patience = new AbortController()
    const timer = clock.after(FACTS_PATIENCE_MS, () => patience.abort())
    try {
      const peer = peers.require(device, 'job/device-away')
      const facts = await peer.control.readFacts({ device, tools: [...tools] }, { signal: AbortSignal.any([signal, patience.signal]) })
      // A device speaks for itself only: what it says of another is not taken.
      return { granted: true, facts: { ...facts, device } }
    } catch (error) {
      if (signal.aborted) throw error
      const refused = error instanceof Error && 'code' in error && error.code === 'grant/refused'
      if (!refused) log.debug('a device did not say how it is', { device, error: errorMessage(error) })
      return { granted: !refused, facts: undefined }
    } finally {
      timer.dispose()
    }
  }
}
