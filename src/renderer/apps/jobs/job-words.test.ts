import { expect, it } from 'vitest'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import { attemptWords, groupOf, lineOf, matchingJobs, resultWords, runsText, stateWords, tookText, whyWords } from './job-words.ts'

const jobOf = (over: Partial<JobInfo> = {}): JobInfo => ({
  job: 'JobaaaaaaaaaaaaaaA1',
  commandLine: 'cargo build --release',
  label: 'batch',
  effects: 'files-only',
  folder: { device: 'laptop', path: '/home/kim/engine' },
  state: 'running',
  device: 'server',
  why: 'idle, 16 cores',
  attempts: [],
  askedAtMs: 1_000,
  outputBytes: 0,
  droppedBytes: 0,
  lastLine: 'Compiling serde',
  ports: [],
  results: { files: 0, conflicts: 0 },
  ...over,
})

it.each([
  ['waiting', {}, 'waiting', 'Waiting'],
  ['starting', {}, 'running', 'Starting'],
  ['running', {}, 'running', 'Running'],
  ['paused', {}, 'running', 'Held still'],
  ['done', { exit: { code: 0 } }, 'done', 'Done'],
  ['failed', { exit: { code: 2 } }, 'done', 'Failed, code 2'],
  ['failed', { exit: { code: -1, signal: 'SIGKILL' } }, 'done', 'Ended by SIGKILL'],
  ['failed', {}, 'done', 'Failed'],
  ['cancelled', {}, 'done', 'Cancelled'],
] as const)('[AP120] a job that is %s %o is among the %s and says "%s"', (state, over, group, words) => {
  const info = jobOf({ state, ...over })
  expect(groupOf(info)).toBe(group)
  expect(stateWords(info)).toBe(words)
})

it('[AP120] its line says why it waits or failed, else what it said last', () => {
  expect(lineOf(jobOf())).toBe('Compiling serde')
  expect(lineOf(jobOf({ state: 'waiting', waitingFor: 'server is away' }))).toBe('server is away')
  expect(lineOf(jobOf({ state: 'failed', error: { code: 'job/x', message: 'cargo is not there' } }))).toBe('cargo is not there')
})

it('[AP120] times and results are told plainly', () => {
  expect([400, 12_300, 124_000, 3_900_000].map(tookText)).toEqual(['0.4 s', '12 s', '2 min 04 s', '1 h 05 min'])
  expect([-5, 3_900, 61_000].map(runsText)).toEqual(['0 s', '3 s', '1 min 01 s'])
  expect(resultWords(jobOf())).toBeUndefined()
  expect(resultWords(jobOf({ results: { files: 1, conflicts: 0 } }))).toBe('1 file came back')
  expect(resultWords(jobOf({ results: { files: 3, conflicts: 2 } }))).toBe('3 files came back; 2 of them lie beside a newer one of yours')
  expect(attemptWords({ endedAtMs: undefined, ended: undefined })).toBe('goes on')
  expect(attemptWords({ endedAtMs: 1, ended: 'lease' })).toContain('out of reach')
  expect(attemptWords({ endedAtMs: 1, ended: 'a reason of a newer version' })).toBe('a reason of a newer version')
})

it('[AP121] filter and search: every word must be found, in command, folder, device, state or last line', () => {
  const jobs = [
    jobOf(),
    jobOf({ commandLine: 'npm test', state: 'failed', exit: { code: 1 } }),
    jobOf({ commandLine: 'make', state: 'waiting' }),
  ]
  const found = (show: 'all' | 'running' | 'waiting' | 'done', text: string) =>
    matchingJobs(jobs, show, text, (device) => (device === 'server' ? 'Big Box' : device)).map(({ commandLine }) => commandLine)
  expect(found('all', '')).toHaveLength(3)
  expect(found('running', '')).toEqual(['cargo build --release'])
  expect(found('waiting', 'make')).toEqual(['make'])
  expect(found('done', 'cargo')).toEqual([])
  expect(found('all', ' BIG  failed ')).toEqual(['npm test'])
})

it('[AP120] why it is where it is does not say the place again', () => {
  expect(whyWords('server: you chose it', 'server')).toBe('you chose it')
  expect(whyWords('here: no other device suits it by itself', 'kitchen')).toBe('no other device suits it by itself')
  expect(whyWords('no device can take it', 'this device')).toBe('no device can take it')
})
