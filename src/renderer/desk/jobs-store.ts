import { create } from 'zustand'
import type { JobInfo, JobState } from '../../jobs/jobs-contract.ts'

export interface JobsSlice {
  /** Newest first, as the device lists them. */
  readonly jobs: readonly JobInfo[]
  /** The device has been asked once. */
  readonly loaded: boolean
  /** Jobs this display shows a card of, oldest first: started from it, and not yet looked at and put away. */
  readonly cards: readonly string[]
  /** Of these a terminal came up by itself already. */
  readonly offered: readonly string[]
}

const CARDS_KEY = 'elsewhere:job-cards'
const OFFERED_KEY = 'elsewhere:job-terminals'
/** As many are remembered: more than cards, so that none comes up twice. */
const MAX_OFFERED = 64
/** Cards over the desk at once; the oldest makes room. More would cover what the person works on. */
export const MAX_CARDS = 4

export const useJobs = create<JobsSlice>(() => ({
  jobs: [],
  loaded: false,
  cards: readIds(CARDS_KEY).slice(-MAX_CARDS),
  offered: readIds(OFFERED_KEY),
}))

const OVER: ReadonlySet<JobState> = new Set(['done', 'failed', 'cancelled'])
export const isOver = ({ state }: Pick<JobInfo, 'state'>): boolean => OVER.has(state)

/** `jobs` with a newer state of one of them, or with a new one in its place. Pure. */
export function withJob(jobs: readonly JobInfo[], info: JobInfo): readonly JobInfo[] {
  const at = jobs.findIndex(({ job }) => job === info.job)
  if (at >= 0) return jobs.with(at, info)
  const after = jobs.findIndex(({ askedAtMs }) => askedAtMs <= info.askedAtMs)
  return after < 0 ? [...jobs, info] : jobs.toSpliced(after, 0, info)
}

/** From now on a card follows the job on this display. */
export const showCard = (job: string): void => keepCards([...useJobs.getState().cards.filter((one) => one !== job), job].slice(-MAX_CARDS))

/** The job goes on; only its card is put away. */
export const hideCard = (job: string): void => keepCards(useJobs.getState().cards.filter((one) => one !== job))

/** Its terminal has come up: not again, also when the person has closed it. */
export function noteOffered(job: string): void {
  const offered = [...useJobs.getState().offered, job].slice(-MAX_OFFERED)
  useJobs.setState({ offered })
  keepIds(OFFERED_KEY, offered)
}

function keepCards(cards: readonly string[]): void {
  useJobs.setState({ cards })
  keepIds(CARDS_KEY, cards)
}

/** Ids only, so that a card is still there when the display was locked and unlocked; nothing of the job is kept. */
function keepIds(name: string, ids: readonly string[]): void {
  try {
    sessionStorage.setItem(name, ids.join(' '))
  } catch {
    // storage is refused or full: the cards are gone after the next lock, the jobs are not
  }
}

function readIds(name: string): readonly string[] {
  try {
    return (sessionStorage.getItem(name) ?? '').split(' ').filter(Boolean)
  } catch {
    return [] // no storage in this page
  }
}
