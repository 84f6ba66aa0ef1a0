import type { Behaviour } from './behaviour.ts'
import type { Classification, Endpoint, JobLabel } from './job-contract.ts'

/** So many runs that ended by themselves make something batch that its words did not. */
const ENOUGH_RUNS = 2
/** More do not make it surer. */
const MAX_RUNS = 5
/** Share of doubt that each run which went as expected leaves. */
const DOUBT = 0.6
/** Of what was seen otherwise than its words say. */
const CORRECTED = 0.7
/** Nothing is certain. */
const SUREST = 0.98

/**
 * What a line is taken for, with what was seen of it before (rule JB103): what listened and did not end well is a service, what read a terminal is
 * interactive, what ended by itself every time is batch. Never what it changes: however often it ran, effects stay what the words of the
 * line say.
 *
 * @param isSame  the program has the very bytes that were seen
 */
export function remember(taken: Classification, known: Behaviour, isSame: boolean): Classification {
  const label = learnedLabel(taken.label, known)
  const runs = isSame ? Math.min(known.times, MAX_RUNS) : 1
  if (label === undefined) return taken
  const base = label === taken.label ? taken.confidence : CORRECTED
  const confidence = Math.max(label === taken.label ? taken.confidence : 0, Math.min(SUREST, 1 - (1 - base) * DOUBT ** runs))
  return { ...taken, label, confidence, endpoints: endpointsOf(taken.endpoints, label, known) }
}

/** Undefined: what was seen neither confirms nor corrects it. */
function learnedLabel(taken: JobLabel, { times, well, badly, listened, terminal }: Behaviour): JobLabel | undefined {
  // What needs the person's display or terminal by its words does, whatever a run without them did.
  if (taken === 'interactive') return terminal > 0 ? 'interactive' : undefined
  if (terminal > 0 && terminal * 2 >= times) return 'interactive'
  // A test suite listens for a moment, too: it ends well.
  if (listened > 0 && listened * 2 >= times && well * 2 < times) return 'service'
  if (listened > 0 || terminal > 0) return undefined // now this, now that
  if (taken === 'batch') return well > 0 ? 'batch' : undefined
  return well >= ENOUGH_RUNS && badly + well === times ? 'batch' : undefined
}

/**
 * What placement goes by (rule JB104): whatever was learned, a line that its words alone would keep here goes nowhere by itself.
 *
 * @param words  what the line is by its words @param learned  what is made of it
 */
export function placedAs(words: Classification, learned: Classification): Classification {
  const more = words.endpoints.filter(({ kind }) => !learned.endpoints.some((one) => one.kind === kind))
  return { ...learned, label: words.label === 'ambiguous' ? 'ambiguous' : learned.label, endpoints: [...learned.endpoints, ...more] }
}

function endpointsOf(taken: Classification['endpoints'], label: JobLabel, { ports }: Behaviour): Classification['endpoints'] {
  const has = (kind: Endpoint['kind']) => taken.some((one) => one.kind === kind)
  const withOne = (one: Endpoint) => (has(one.kind) ? [...taken] : [one, ...taken].slice(0, 64))
  if (label === 'batch') return taken.filter(({ kind }) => kind !== 'port')
  if (label === 'service') return withOne({ kind: 'port', place: 'seat', ...(ports[0] !== undefined && { number: ports[0] }) })
  return label === 'interactive' ? withOne({ kind: 'tty', place: 'seat' }) : [...taken]
}
