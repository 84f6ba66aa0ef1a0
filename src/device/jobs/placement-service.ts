import { defined } from '../../base/defined.ts'
import type { Clock } from '../../base/clock.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { DeviceFacts } from '../../jobs/device-facts-contract.ts'
import { type Classification, DEFAULT_POLICY, type JobPolicy } from '../../jobs/job-contract.ts'
import { type PlacementCandidate, place } from '../../jobs/placement.ts'
import type { PlacementAnswer, placementContract, ProjectContext } from '../../jobs/placement-contract.ts'
import { placedAs } from '../../jobs/remember.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import { type BehaviourService, classifyIn } from './behaviour-service.ts'
import type { EnginesService } from '../engines/engines-service.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'
import type { Peers } from '../links/peers.ts'

/** A device that has not answered by then is placed without: an answer while something is dragged is worth more than a whole one. */
const FACTS_PATIENCE_MS = 2_000
/** What a device said counts so long for a job that is sent to it by name; it checks again before it runs anything. */
const FRESH_MS = 1_000
/** As many devices are asked at once; a person has not many more. */
const MAX_ASKED = 32

export interface PlacementServiceOptions {
  readonly local: ProcessConnection<HostClient>
  readonly peers: Peers
  readonly clock: Clock
  readonly log: Logger
  /** Of these devices; absent: of all of the person's. */
  rows(only?: readonly string[]): Promise<readonly DeviceRow[]>
  /** This device's id. @throws DeviceError `device/locked` */
  self(): string
  /** What was learned of such lines on the person's devices. */
  readonly behaviours: Pick<BehaviourService, 'remember'>
  readonly engines: Pick<EnginesService, 'candidates'>
}

export interface PlacementQuestion {
  readonly commandLine: string
  readonly folder: string
  /** What the line is, where that was found before; else it is classified with `context`. */
  readonly classification?: Classification | undefined
  readonly policy?: Partial<JobPolicy> | undefined
  readonly context?: ProjectContext | undefined
}

/** With what the words of the line say by themselves: what was learned is learned anew each time it is asked. */
export type Placed = PlacementAnswer & { readonly words: Classification }

interface Answer {
  readonly granted: boolean
  readonly facts: DeviceFacts | undefined
}

/** Asks every device how it is, and lets the pure function decide (rules JB30-JB34). */
export class PlacementService {
  readonly #options: PlacementServiceOptions
  /** The newest answer of each device. */
  readonly #answers = new Map<string, Answer & { readonly about: string; readonly atMs: number }>()

  constructor(options: PlacementServiceOptions) {
    this.#options = options
  }

  handlers(): Handlers<typeof placementContract> {
    return { explainPlacement: (input, { signal }) => this.explain(input, signal) }
  }

  /**
   * For a start: where the person chose a device, only that one is asked, and what it said a moment ago does.
   *
   * @throws DeviceError `device/locked`
   */
  choose(question: PlacementQuestion, signal: AbortSignal): Promise<Placed> {
    return this.explain(question, signal, { isHurried: typeof question.policy?.where === 'object' })
  }

  /** @param how  `without`: a device that is left out, it could not or was lost; `isHurried`: as `choose` */
  async explain(
    { commandLine, folder, context, policy, classification: known }: PlacementQuestion,
    signal: AbortSignal,
    { without, isHurried = false }: { readonly without?: string; readonly isHurried?: boolean } = {},
  ): Promise<Placed> {
    const { local, self, rows, behaviours } = this.#options
    const words = known ?? classifyIn(commandLine, context)
    const { classification, learned, recalled } = await behaviours.remember(commandLine, folder, words, isHurried)
    const host = await local.client()
    const asked = classification.programs.slice(0, 16)
    const only = isHurried && typeof policy?.where === 'object' ? policy.where.device : undefined
    const listed = (await rows(only === undefined ? undefined : [self(), only]))
      .filter(({ deviceId }) => deviceId !== without)
      .slice(0, MAX_ASKED)
    const measured = only === undefined ? host.measureFolder({ folder }, { signal }) : undefined
    const folderBytes = Promise.resolve(measured).then((folder) => folder?.bytes)
    folderBytes.catch(() => undefined) // whoever asks for it has it
    const ask = { commandLine, folder, label: classification.label, image: policy?.image, folderBytes }
    const [own, held, answers, engines] = await Promise.all([
      this.#ownFacts(host, asked, isHurried, signal),
      measured ?? { bytes: 0 },
      Promise.all(listed.map((row) => this.#answerOf(row, asked, isHurried, signal))),
      this.#options.engines.candidates(only, ask),
    ])
    // What is not found here by name comes out of the folder (node_modules/.bin) or the shell: it goes along, and nobody needs to have it.
    const tools = asked.filter((tool) => !own.missingTools.includes(tool))
    const candidates = listed.map((row, at) => candidateOf(row, row.self ? { granted: true, facts: own } : answers[at], held.bytes))
    // Ms of one reference core, as far as is known: how long it took, here or on another device of the person.
    const workMs = recalled?.tookMs
    const placed = place(
      {
        ...placedAs(words, classification),
        resources: { tools },
        policy: { ...DEFAULT_POLICY, ...defined(policy ?? {}) },
        workMs,
        outputBytes: 0,
      },
      [...candidates, ...engines.filter(({ device }) => device !== without)],
    )
    return {
      words,
      classification,
      ...(learned && { learned }),
      ...(placed.device !== undefined && { device: placed.device }),
      reason: placed.reason,
      table: placed.table.map(({ cost, ...row }) => ({ ...row, ...(cost && { cost }) })),
      folderBytes: held.bytes,
      ...(workMs !== undefined && { workMs }),
    }
  }

  async #ownFacts(host: HostClient, tools: readonly string[], isHurried: boolean, signal: AbortSignal): Promise<DeviceFacts> {
    const { clock, self } = this.#options
    const about = tools.join('\0')
    const known = this.#answers.get(self())
    if (isHurried && known?.facts && known.about === about && clock.monotonicMs() - known.atMs < FRESH_MS) return known.facts
    const facts = await host.readFacts({ device: self(), tools: [...tools] }, { signal })
    this.#answers.set(self(), { granted: true, facts, about, atMs: clock.monotonicMs() })
    return facts
  }

  async #answerOf(row: DeviceRow, tools: readonly string[], isHurried: boolean, signal: AbortSignal): Promise<Answer | undefined> {
    if (row.self || row.state !== 'linked') return undefined
    const { clock } = this.#options
    const about = tools.join('\0')
    const known = this.#answers.get(row.deviceId)
    if (isHurried && known && known.about === about && clock.monotonicMs() - known.atMs < FRESH_MS) return known
    const answer = await this.#ask(row.deviceId, tools, signal)
    this.#answers.set(row.deviceId, { ...answer, about, atMs: clock.monotonicMs() })
    return answer
  }

  async #ask(device: string, tools: readonly string[], signal: AbortSignal): Promise<Answer> {
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

/** @param answer  undefined: it is not linked */
function candidateOf(row: DeviceRow, answer: Answer | undefined, folderBytes: number): PlacementCandidate {
  return {
    device: row.deviceId,
    name: row.name,
    here: row.self,
    linked: row.self || row.state === 'linked',
    roundTripMs: row.roundTripMs ?? 0,
    bytesPerSecond: undefined,
    granted: answer?.granted ?? false,
    facts: answer?.facts,
    missingBytes: row.self ? 0 : folderBytes,
  }
}
