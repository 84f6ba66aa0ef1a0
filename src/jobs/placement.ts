import { isContainerEngine } from './containers.ts'
import type { DeviceFacts } from './device-facts-contract.ts'
import type { Effects, Endpoint, JobLabel, JobPolicy, JobResources } from './job-contract.ts'

/*
 * Where a job goes: pure, and explained (rules JB30-JB33). Hard limits first; of what is left, the least cost; and here,
 * unless elsewhere clearly wins.
 */

/** Elsewhere has to be better by a quarter and by half a second: estimates are no better than that, and moving is felt. */
export const WIN_RATIO = 0.75
export const WIN_MS = 500
/** Sandbox and process, measured 13-38 ms (bench jobs); a folder that is looked through first costs more. */
const START_HERE_MS = 5
const START_THERE_MS = 60
/** Round trips before the first byte of a job's output: ask, lease, tree, start. */
const START_ROUND_TRIPS = 4
/** A placed job gets what others leave; a core is never all busy and never all free. */
const LEAST_FREE_CORES = 0.2
/** As shares of the work: a battery that drains, and somebody who sits there and will have it paused. */
const BATTERY_PENALTY = 0.5
const PERSON_PENALTY = 0.5
/** Somebody typed there so recently: their machine is theirs. */
export const PERSON_THERE_MS = 60_000
/** What a link carries when nobody has measured it, by how far away it is (ms > bytes/s): a LAN, a city, the world. */
const RATES: readonly (readonly [untilMs: number, bytesPerSecond: number])[] = [
  [5, 50e6],
  [40, 8e6],
  [Number.POSITIVE_INFINITY, 2e6],
]

export interface PlacementJob {
  readonly label: JobLabel
  readonly effects: Effects
  readonly endpoints: readonly Endpoint[]
  readonly resources: JobResources
  readonly policy: JobPolicy
  /** Ms that one reference core needs; undefined: nobody knows, so nothing is won elsewhere. */
  readonly workMs: number | undefined
  readonly outputBytes: number
}

export interface PlacementCandidate {
  readonly device: string
  readonly name: string
  /** Where the person asks. */
  readonly here: boolean
  readonly linked: boolean
  /** It lets this device run jobs there. */
  readonly granted: boolean
  /** Undefined: it did not answer. */
  readonly facts: DeviceFacts | undefined
  readonly roundTripMs: number
  readonly bytesPerSecond: number | undefined
  /** Of the job's files, what is not there yet. */
  readonly missingBytes: number
  /** What speaks against it whatever it says of itself: an engine that does not see the folder, or does not answer. */
  readonly limit?: string | undefined
  /** Until a job begins there, where that is known. */
  readonly startMs?: number
}

export interface PlacementCost {
  readonly transferMs: number
  readonly startMs: number
  readonly workMs: number
  readonly penaltyMs: number
  readonly totalMs: number
}

export interface PlacedCandidate {
  readonly device: string
  readonly name: string
  readonly outcome: 'chosen' | 'possible' | 'no'
  /** A few words: why it is, or why not. */
  readonly why: string
  readonly cost: PlacementCost | undefined
}

export interface Placement {
  /** Undefined: nowhere, not even here. */
  readonly device: string | undefined
  readonly reason: string
  readonly table: readonly PlacedCandidate[]
}

export function place(job: PlacementJob, candidates: readonly PlacementCandidate[]): Placement {
  const judged = candidates.map((candidate) => {
    const limit = hardLimit(job, candidate)
    return { candidate, limit, cost: limit === undefined && candidate.facts ? costOf(job, candidate, candidate.facts) : undefined }
  })
  const open = judged.filter(({ limit }) => limit === undefined)
  const here = open.find(({ candidate }) => candidate.here)
  const best = open
    .filter(({ candidate, cost }) => !candidate.here && cost !== undefined)
    .toSorted((a, b) => total(a) - total(b) || compare(a.candidate.device, b.candidate.device))[0]
  const decision = decide(job, here, best)
  const device = decision.chosen?.candidate.device
  return {
    device,
    reason: decision.reason,
    table: judged.map(({ candidate, limit, cost }) => ({
      device: candidate.device,
      name: candidate.name,
      outcome: candidate.device === device ? 'chosen' : limit === undefined ? 'possible' : 'no',
      why: limit ?? (candidate.device === device ? decision.why : strengths(candidate)),
      cost,
    })),
  }
}

interface Judged {
  readonly candidate: PlacementCandidate
  readonly limit: string | undefined
  readonly cost: PlacementCost | undefined
}
const total = ({ cost }: Judged): number => cost?.totalMs ?? Number.POSITIVE_INFINITY
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function decide(
  job: PlacementJob,
  here: Judged | undefined,
  best: Judged | undefined,
): { chosen: Judged | undefined; reason: string; why: string } {
  if (typeof job.policy.where === 'object') {
    const wanted = job.policy.where.device
    const chosen = [here, best].find((one) => one?.candidate.device === wanted)
    return chosen
      ? { chosen, reason: `${chosen.candidate.name}: you chose it`, why: 'you chose it' }
      : { chosen: undefined, reason: 'the device you chose cannot take it', why: '' }
  }
  if (here && job.policy.where === 'here') return { chosen: here, reason: 'here: you asked for that', why: 'kept here, as asked' }
  if (!best) return here ? { chosen: here, reason: 'here: no other device suits it by itself', why: 'where it was typed' } : nowhere
  if (!here)
    return { chosen: best, reason: `${best.candidate.name}: it cannot run here`, why: `cannot run here; ${strengths(best.candidate)}` }
  if (job.workMs === undefined)
    return { chosen: here, reason: 'here: how much work it is, is not known yet', why: 'its work is not known yet' }
  const gainMs = total(here) - total(best)
  if (total(best) > total(here) * WIN_RATIO || gainMs < WIN_MS) {
    return {
      chosen: here,
      reason: `here: ${best.candidate.name} would not clearly be sooner (${seconds(total(best))} against ${seconds(total(here))})`,
      why: 'nothing clearly better',
    }
  }
  return {
    chosen: best,
    reason: `${best.candidate.name}: ${seconds(total(best))} against ${seconds(total(here))} here; ${strengths(best.candidate)}`,
    why: strengths(best.candidate),
  }
}

const nowhere = { chosen: undefined, reason: 'no device can take it', why: '' }
const seconds = (ms: number): string =>
  ms < 950 ? `${Math.round(ms)} ms` : ms < 100_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`

/** Why it cannot be there, in a few words; undefined: it can. The first that holds is told. */
function hardLimit(job: PlacementJob, candidate: PlacementCandidate): string | undefined {
  const { facts, here } = candidate
  const chosen = typeof job.policy.where === 'object' && job.policy.where.device === candidate.device
  const tied = job.endpoints.find(({ place }) => typeof place === 'object' && place.device !== candidate.device)
  if (tied) return `its ${tied.kind} is on another device`
  if (typeof job.policy.where === 'object' && !chosen) return 'you chose another'
  if (!here) {
    if (candidate.limit !== undefined) return candidate.limit
    if (!candidate.linked) return 'not linked now'
    if (!candidate.granted) return 'you may not run jobs there'
    if (job.policy.where === 'here') return 'kept here, as asked'
    const seat = job.endpoints.find(({ kind, place }) => place === 'seat' && (kind === 'display' || kind === 'audio'))
    if (seat) return `needs your ${seat.kind}`
    if (!chosen && job.endpoints.some(({ kind }) => kind === 'tty')) return 'needs your terminal'
    if (!chosen && job.effects !== 'files-only')
      return job.effects === 'world-once' ? 'changes the world once: only where you say' : 'may change that machine: only where you say'
    if (!chosen && job.label === 'ambiguous') return 'not clear what it is'
  }
  if (!facts) return here ? undefined : 'did not answer'
  const { tools = [], architecture, memoryMiB } = job.resources
  if (architecture !== undefined && facts.architecture !== 'any' && architecture !== facts.architecture)
    return `is ${facts.architecture}, needs ${architecture}`
  const missing = facts.missingTools.filter((tool) => tools.includes(tool))
  if (missing.length > 0) return `has no ${missing.slice(0, 3).join(', ')}`
  if (memoryMiB !== undefined && memoryMiB * 1_048_576 > facts.memoryFreeBytes) return 'not enough free memory'
  if (job.policy.neverOnBattery && facts.battery?.discharging === true) return 'runs on battery'
  const engine = tools.find(isContainerEngine)
  if (!here && engine !== undefined && !job.policy.withoutSandbox)
    return `${engine} runs in no sandbox: only where you allow it without one`
  if (!here && facts.noSandbox !== undefined && !job.policy.withoutSandbox) return `no sandbox: ${facts.noSandbox}`
  return undefined
}

/** cost = files / rate + output / rate + start + work / (free cores x speed) + penalties. */
export function costOf(
  job: PlacementJob,
  { here, roundTripMs, bytesPerSecond, missingBytes, startMs: known }: PlacementCandidate,
  facts: DeviceFacts,
): PlacementCost {
  const rate = bytesPerSecond ?? rateOf(roundTripMs)
  const transferMs = here ? 0 : ((missingBytes + job.outputBytes) / rate) * 1_000
  const startMs = here ? START_HERE_MS : known !== undefined ? known : START_THERE_MS + START_ROUND_TRIPS * roundTripMs
  const free = Math.max(LEAST_FREE_CORES, facts.cores * (1 - facts.busy))
  const usable = Math.min(free, job.resources.cores ?? facts.cores)
  const workMs = (job.workMs ?? 0) / (usable * facts.speed)
  const drains = facts.battery?.discharging === true ? BATTERY_PENALTY : 0
  const person = !here && isPersonThere(facts) ? PERSON_PENALTY : 0
  const penaltyMs = workMs * (drains + person)
  return { transferMs, startMs, workMs, penaltyMs, totalMs: transferMs + startMs + workMs + penaltyMs }
}

const rateOf = (roundTripMs: number): number => RATES.find(([untilMs]) => roundTripMs < untilMs)?.[1] ?? 2e6
const isPersonThere = ({ lastInputMs }: DeviceFacts): boolean => lastInputMs !== undefined && lastInputMs < PERSON_THERE_MS

/** What speaks for a device: `has the data, idle, 16 cores`. */
export function strengths({ facts, missingBytes, here }: PlacementCandidate): string {
  if (!facts) return here ? 'where you are' : 'did not answer'
  const words = [
    !here && missingBytes === 0 ? 'has the data' : undefined,
    facts.busy < 0.25 ? 'idle' : `${Math.round(facts.busy * 100)} % busy`,
    `${facts.cores} ${facts.cores === 1 ? 'core' : 'cores'}`,
    facts.speed >= 1.3 ? 'fast' : undefined,
    facts.battery?.discharging ? 'on battery' : undefined,
    !here && isPersonThere(facts) ? 'somebody is there' : undefined,
  ]
  return words.filter(Boolean).join(', ')
}
