import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import type { TopLook } from './top-look.ts'

export const SORTS = ['newest', 'device', 'state', 'command'] as const
export type TopSort = (typeof SORTS)[number]

export interface TopState {
  /** Undefined: nothing was seen yet. */
  readonly look: TopLook | undefined
  /** A job. */
  readonly selected: string | undefined
  readonly sort: TopSort
  /** Jobs that are over are listed too. */
  readonly withOver: boolean
  /** A job that is cancelled if the next key is y. */
  readonly asking: string | undefined
  /** Newest thing to say. */
  readonly message: string | undefined
}

export const TOP_START: TopState = {
  look: undefined,
  selected: undefined,
  sort: 'newest',
  withOver: false,
  asking: undefined,
  message: undefined,
}

export type TopInput =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'look'; readonly look: TopLook }
  | { readonly kind: 'say'; readonly message: string }

export type TopEffect = { readonly kind: 'quit' } | { readonly kind: 'look' } | { readonly kind: 'cancel'; readonly job: string }

/** What a key or a new look does. Pure. Keys are as a terminal sends them. */
export function reduceTop(state: TopState, input: TopInput): { readonly state: TopState; readonly effect?: TopEffect } {
  if (input.kind === 'say') return { state: { ...state, message: input.message } }
  if (input.kind === 'look') return { state: keepSelected({ ...state, look: input.look }) }
  const { key } = input
  if (key === '\u0003') return { state, effect: { kind: 'quit' } }
  if (state.asking !== undefined) {
    const job = state.asking
    const asked = { ...state, asking: undefined, message: undefined }
    return key === 'y' || key === 'Y' ? { state: asked, effect: { kind: 'cancel', job } } : { state: asked }
  }
  const quiet = { ...state, message: undefined }
  switch (key) {
    case 'q':
    case '\u001b':
      return { state, effect: { kind: 'quit' } }
    case '\u001b[A':
    case '\u001bOA':
    case 'k':
      return { state: move(quiet, -1) }
    case '\u001b[B':
    case '\u001bOB':
    case 'j':
      return { state: move(quiet, 1) }
    case 's':
      return { state: keepSelected({ ...quiet, sort: SORTS[(SORTS.indexOf(state.sort) + 1) % SORTS.length] as TopSort }) }
    case 'a':
      return { state: keepSelected({ ...quiet, withOver: !state.withOver }) }
    case 'r':
      return { state: quiet, effect: { kind: 'look' } }
    case 'x':
    case '\u001b[3~': {
      const job = topJobs(state).find((one) => one.job === state.selected)
      if (!job) return { state: { ...state, message: 'no job is selected' } }
      return job.endedAtMs === undefined ? { state: { ...quiet, asking: job.job } } : { state: { ...state, message: 'it is over' } }
    }
    default:
      return { state }
  }
}

/** Jobs as they are listed. */
export function topJobs({ look, sort, withOver }: TopState): readonly JobInfo[] {
  const jobs = (look?.jobs ?? []).filter(({ endedAtMs }) => withOver || endedAtMs === undefined)
  const keyOf: Readonly<Record<TopSort, (job: JobInfo) => string>> = {
    newest: () => '',
    device: ({ device }) => look?.devices.find(({ deviceId }) => deviceId === device)?.name ?? '\uffff',
    state: ({ state }) => state,
    command: ({ commandLine }) => commandLine,
  }
  const key = keyOf[sort]
  return jobs.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : b.askedAtMs - a.askedAtMs))
}

function move(state: TopState, by: number): TopState {
  const jobs = topJobs(state)
  const at = jobs.findIndex(({ job }) => job === state.selected)
  const next = jobs[Math.max(0, Math.min(jobs.length - 1, at + by))]
  return { ...state, selected: next?.job }
}

/** The selected job stays that; when it is gone, the first one is. */
function keepSelected(state: TopState): TopState {
  const jobs = topJobs(state)
  const isThere = jobs.some(({ job }) => job === state.selected)
  return { ...state, selected: isThere ? state.selected : jobs[0]?.job, asking: isThere ? state.asking : undefined }
}
