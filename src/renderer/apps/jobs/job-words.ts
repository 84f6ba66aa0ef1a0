import type { JobAttempt, JobInfo } from '../../../jobs/jobs-contract.ts'
import type { Meaning } from '../../ui/dot.tsx'

/* How a job is told to a person. Pure: names and the moment now are passed in. */

export type JobGroup = 'running' | 'waiting' | 'done'

/** Which of the three lists a job is in. */
export function groupOf({ state }: Pick<JobInfo, 'state'>): JobGroup {
  switch (state) {
    case 'waiting':
      return 'waiting'
    case 'starting':
    case 'running':
    case 'paused':
      return 'running'
    default:
      return 'done'
  }
}

/** Full where it is so, hollow where it is not (yet); the word beside it says the same. */
export function stateMark({ state }: Pick<JobInfo, 'state'>): { readonly meaning: Meaning; readonly hollow: boolean } {
  switch (state) {
    case 'waiting':
      return { meaning: 'unsafe', hollow: true }
    case 'starting':
      return { meaning: 'moving', hollow: true }
    case 'running':
      return { meaning: 'moving', hollow: false }
    case 'paused':
      return { meaning: 'unsafe', hollow: false }
    case 'done':
      return { meaning: 'safe', hollow: false }
    case 'failed':
      return { meaning: 'lost', hollow: false }
    case 'cancelled':
      return { meaning: 'neutral', hollow: true }
  }
}

/** `Running`, `Failed, code 2`, `Ended by SIGKILL`. */
export function stateWords({ state, exit }: Pick<JobInfo, 'state' | 'exit'>): string {
  switch (state) {
    case 'waiting':
      return 'Waiting'
    case 'starting':
      return exit ? 'Bringing results back' : 'Starting'
    case 'running':
      return 'Running'
    case 'paused':
      return 'Held still'
    case 'done':
      return 'Done'
    case 'cancelled':
      return 'Cancelled'
    case 'failed':
      if (exit?.signal !== undefined) return `Ended by ${exit.signal}`
      return exit && exit.code > 0 ? `Failed, code ${exit.code}` : 'Failed'
  }
}

/** What a job says of itself in one line: why it waits or failed, else its last words. */
export function lineOf(info: Pick<JobInfo, 'state' | 'waitingFor' | 'error' | 'lastLine'>): string {
  if (info.state === 'waiting') return info.waitingFor ?? 'Waits for a place'
  if (info.state === 'paused') return info.waitingFor ?? 'Goes on when that machine is free again'
  if (info.state === 'failed' && info.error) return info.error.message
  return info.lastLine
}

/** What a job is, for a person. */
export const LABELS: Readonly<Record<JobInfo['label'], string>> = {
  batch: 'Ends by itself',
  service: 'A service',
  interactive: 'Used in a terminal',
  ambiguous: 'Not clear',
}

/** That a guess was wrong, and what showed it: `taken for something that ends by itself; it listens on port 8080`. */
export const correctedWords = ({ was, why }: NonNullable<JobInfo['corrected']>): string =>
  was === 'batch' ? `taken for something that ends by itself; ${why}` : `was not clear before; ${why}`

/** Why it is where it is, said beside the name of that place: placement's reasons begin with it. */
export function whyWords(why: string, place: string): string {
  const start = [`${place}: `, 'here: '].find((one) => why.startsWith(one))
  return start === undefined ? why : why.slice(start.length)
}

/** How long something took: `0.4 s`, `12 s`, `2 min 04 s`, `1 h 05 min`. */
export function tookText(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
}

/** The same while it goes on: whole seconds. */
export const runsText = (ms: number): string =>
  ms < 9_950 ? `${Math.floor(Math.max(0, ms) / 1_000)} s` : tookText(Math.floor(ms / 1_000) * 1_000)

const two = (value: number): string => String(value).padStart(2, '0')

/** Ms from being asked for to its end, or to now. */
export const lasted = ({ askedAtMs, endedAtMs }: Pick<JobInfo, 'askedAtMs' | 'endedAtMs'>, nowMs: number): number =>
  Math.max(0, (endedAtMs ?? nowMs) - askedAtMs)

/** How one try ended, for its line in the list of tries. */
export function attemptWords({ endedAtMs, ended }: Pick<JobAttempt, 'endedAtMs' | 'ended'>): string {
  if (endedAtMs === undefined) return 'goes on'
  if (ended === undefined) return 'ended by itself'
  return ENDED[ended] ?? ended
}

const ENDED: Readonly<Record<string, string>> = {
  lease: 'its device was out of reach for longer than agreed, so it was ended there',
  cancelled: 'cancelled',
  lost: 'its device is lost',
  grant: 'its grant was taken back',
  memory: 'it needed more memory than it was given',
  disk: 'there was no room left on that disk',
  owner: 'the owner of that machine came back',
  moved: 'moved to another device',
  stopped: 'the owner of that machine stopped it',
  refused: 'that device refused it',
}

/** `3 files came back`, and how many of them lie beside a newer one; undefined: none did. */
export function resultWords({ results: { files, conflicts } }: Pick<JobInfo, 'results'>): string | undefined {
  if (files === 0) return undefined
  const came = files === 1 ? '1 file came back' : `${files.toLocaleString('en-US')} files came back`
  if (conflicts === 0) return came
  return `${came}; ${conflicts === 1 ? '1 of them lies' : `${conflicts.toLocaleString('en-US')} of them lie`} beside a newer one of yours`
}

/** Jobs of a list that all words of `text` are found in: command, folder, device, state, last line. */
export function matchingJobs(
  jobs: readonly JobInfo[],
  show: 'all' | JobGroup,
  text: string,
  nameOf: (device: string) => string,
): readonly JobInfo[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean)
  return jobs.filter((info) => {
    if (show !== 'all' && groupOf(info) !== show) return false
    if (words.length === 0) return true
    const name = info.device === undefined ? '' : nameOf(info.device)
    const whole = `${info.commandLine} ${info.folder.path} ${name} ${stateWords(info)} ${info.lastLine}`.toLocaleLowerCase()
    return words.every((word) => whole.includes(word))
  })
}
