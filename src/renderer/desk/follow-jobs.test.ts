import { expect, it } from 'vitest'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import { endMessage } from './follow-jobs.ts'
import { withJob } from './jobs-store.ts'

const running: JobInfo = {
  job: 'JobaaaaaaaaaaaaaaA1',
  commandLine: 'make all',
  label: 'batch',
  effects: 'files-only',
  folder: { device: 'laptop', path: '/src' },
  state: 'running',
  device: 'server',
  why: '',
  attempts: [],
  askedAtMs: 1_000,
  outputBytes: 0,
  droppedBytes: 0,
  lastLine: 'ok',
  ports: [],
  results: { files: 0, conflicts: 0 },
}
const ended = (over: Partial<JobInfo> = {}): JobInfo => ({ ...running, state: 'done', endedAtMs: 61_000, exit: { code: 0 }, ...over })
const told = (before: JobInfo | undefined, info: JobInfo, hasCard = false) =>
  endMessage(before, info, 'laptop', hasCard, (device) => device)

it('[AP125] that a job of mine ended on another device is said once', () => {
  expect(told(running, ended())).toMatchObject({ severity: 'info', title: 'Done on server', body: 'make all · ok', atMs: 61_000 })
  expect(told(running, ended({ state: 'failed', exit: { code: 2 } }))).toMatchObject({
    severity: 'warn',
    title: 'Failed on server with code 2',
  })
  expect(told(ended(), ended())).toBeUndefined()
})

it.each([
  ['it was over before this display looked', undefined, ended()],
  ['it goes on', running, running],
  ['it ran here', running, ended({ device: 'laptop' })],
  ['the person cancelled it', running, ended({ state: 'cancelled' })],
  ['it was short: who asked still looks', running, ended({ endedAtMs: 2_000 })],
] as const)('[AP125] nothing is said when %s', (_name, before, info) => expect(told(before, info)).toBeUndefined())

it('[AP125] a job with a card here is listed, and not said over its card', () => {
  expect(told(running, ended({ endedAtMs: 2_000 }), true)).toMatchObject({ quiet: true })
})

it('[AP120] jobs stay newest first, each once', () => {
  const at = (job: string, askedAtMs: number) => ({ ...running, job, askedAtMs })
  let jobs: readonly JobInfo[] = []
  for (const info of [at('b', 2), at('c', 3), at('a', 1), at('c', 3)]) jobs = withJob(jobs, info)
  expect(jobs.map(({ job }) => job)).toEqual(['c', 'b', 'a'])
  expect(withJob(jobs, { ...at('b', 2), state: 'done' })[1]?.state).toBe('done')
})
