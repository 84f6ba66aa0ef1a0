import type { Classification } from '../../jobs/job-contract.ts'
import type { PlacedRow, PlacementAnswer } from '../../jobs/placement-contract.ts'
import { isEngine } from '../../jobs/engines/engines-contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import { clientNow } from '../desk/app-desk.ts'
import { useRunPlan } from '../desk/run-plan-store.ts'

/** Asked when typing has paused so long: every device is asked anew each time. */
export const ASK_AFTER_MS = 200

/** Asks what `line` is and where it would run. An answer to an older line is dropped. */
export async function askPlan(device: string, line: string, folder: string, signal: AbortSignal): Promise<void> {
  useRunPlan.setState({ folder, asking: true })
  try {
    const answer = await explain(device, line, folder, signal)
    if (!signal.aborted) useRunPlan.setState({ asking: false, answer, error: undefined })
  } catch (error) {
    if (!signal.aborted) useRunPlan.setState({ asking: false, answer: undefined, error })
  }
}

/** What `line` is and where it would run. Starts nothing. */
export const explain = async (device: string, line: string, folder: string, signal: AbortSignal): Promise<PlacementAnswer> =>
  clientNow().explainPlacement({ commandLine: line, folder, context: await readAliases(device, folder, signal) }, { signal })

/** The folder's own aliases, where they can be read; without them names must do. */
export async function readAliases(
  device: string,
  folder: string,
  signal?: AbortSignal,
): Promise<{ scripts?: Record<string, string>; makefile?: string }> {
  const text = (name: string) =>
    clientNow()
      .readText({ device, path: `${folder.replace(/\/$/, '')}/${name}` }, { ...(signal && { signal }) })
      .then(
        (file) => file.text,
        () => undefined,
      )
  const [manifest, makefile] = await Promise.all([text('package.json'), text('Makefile')])
  const scripts = manifest === undefined ? undefined : scriptsOf(manifest)
  return { ...(scripts && { scripts }), ...(makefile !== undefined && makefile.length < 500_000 && { makefile }) }
}

/** The scripts of a package.json; undefined when it is none. */
export function scriptsOf(manifest: string): Record<string, string> | undefined {
  try {
    const scripts: unknown = (JSON.parse(manifest) as { scripts?: unknown } | null)?.scripts
    if (scripts === null || typeof scripts !== 'object') return undefined
    return Object.fromEntries(
      Object.entries(scripts).filter(
        (pair): pair is [string, string] => typeof pair[1] === 'string' && pair[0].length <= 256 && pair[1].length <= 65_536,
      ),
    )
  } catch (error) {
    if (error instanceof SyntaxError) return undefined // being edited just now
    throw error
  }
}

/**
 * What talks with the person gets a terminal over there, with that device's own files. All else is a job: it works on this
 * device's folder wherever it runs, and nobody has to look at it.
 */
export const runsAs = ({ label }: Pick<Classification, 'label'>): 'job' | 'terminal' => (label === 'interactive' ? 'terminal' : 'job')

/** What a device's tile says of the command: may a person start it there, and what placement says of the place. */
export interface PlanOffer {
  readonly takes: boolean
  readonly best: boolean
  readonly reason: string
  /** As `12 s`; absent when its work is not known. */
  readonly time: string | undefined
}

/**
 * A person may choose a place that placement would not: only what needs their display or sound stays with them, and who is
 * away takes nothing.
 */
export function planOffer(answer: PlacementAnswer, row: Pick<DeviceRow, 'deviceId' | 'state'>): PlanOffer {
  const placed = answer.table.find(({ device }) => device === row.deviceId)
  const self = row.state === 'self'
  if (!self && row.state !== 'linked')
    return { takes: false, best: false, reason: row.state === 'connecting' ? 'still connecting' : 'cannot be reached now', time: undefined }
  // An engine takes nothing that it cannot: what a device takes anyway when it is chosen has no other way there.
  if (isEngine(row.deviceId) && placed?.outcome === 'no' && !placed.why.endsWith('only where you say'))
    return { takes: false, best: false, reason: placed.why, time: undefined }
  const seat = answer.classification.endpoints.find(({ kind }) => kind === 'display' || kind === 'audio')
  if (!self && seat)
    return { takes: false, best: false, reason: seat.kind === 'display' ? 'needs your display' : 'needs your sound', time: undefined }
  return {
    takes: true,
    best: answer.device === row.deviceId,
    reason: placed?.why ?? 'not asked',
    time: answer.workMs === undefined ? undefined : timeWords(placed),
  }
}

/** What the tile of a contact's device says of it: it takes jobs alone, and their owner sees what runs. */
export function contactOffer({ classification }: PlacementAnswer): Pick<PlanOffer, 'takes' | 'reason'> {
  const seat = classification.endpoints.find(({ kind }) => kind === 'display' || kind === 'audio')
  if (seat) return { takes: false, reason: seat.kind === 'display' ? 'needs your display' : 'needs your sound' }
  if (runsAs(classification) === 'terminal') return { takes: false, reason: 'talks with you: nothing for their device' }
  return { takes: true, reason: 'in a sandbox there, without the network, on a copy of your folder; they see it' }
}

const timeWords = (placed: PlacedRow | undefined): string | undefined => {
  const ms = placed?.cost?.totalMs
  return ms === undefined
    ? undefined
    : ms < 950
      ? 'under 1 s'
      : ms < 100_000
        ? `${Math.round(ms / 1_000)} s`
        : `${Math.round(ms / 60_000)} min`
}

const LABELS = {
  batch: 'Ends by itself',
  service: 'Goes on until stopped',
  interactive: 'Needs you',
  ambiguous: 'May end or go on',
} as const
const EFFECTS = {
  'files-only': 'changes files only',
  'this-machine': 'may change this machine',
  'world-once': 'changes the world, once',
} as const

/** `Ends by itself · changes files only`. */
export const planWords = ({ classification: { label, effects } }: PlacementAnswer): string => `${LABELS[label]} · ${EFFECTS[effects]}`
