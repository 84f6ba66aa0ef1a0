import { afterEach, expect, it, vi } from 'vitest'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import type { PlacementAnswer } from '../../jobs/placement-contract.ts'
import type { DeviceClient } from '../desk/device-connection.ts'
import { useDoor } from '../desk/door-store.ts'
import { useJobs } from '../desk/jobs-store.ts'
import { clearPlan } from '../desk/run-plan-store.ts'
import { runPlanned } from './run-there.ts'

const answer: PlacementAnswer = {
  classification: { label: 'batch', effects: 'files-only', endpoints: [], reason: '', confidence: 'certain' },
  table: [],
  reason: '',
} as unknown as PlacementAnswer
const info: JobInfo = {
  job: 'JobaaaaaaaaaaaaaaA1',
  commandLine: 'make',
  label: 'batch',
  effects: 'files-only',
  folder: { device: 'laptop', path: '/src' },
  state: 'starting',
  why: '',
  attempts: [],
  askedAtMs: 1_000,
  outputBytes: 0,
  droppedBytes: 0,
  lastLine: '',
  ports: [],
  results: { files: 0, conflicts: 0 },
}

afterEach(() => {
  vi.unstubAllGlobals()
  clearPlan()
  useDoor.setState({ client: undefined })
  useJobs.setState({ jobs: [], cards: [] })
})

it('[AP95] a press that is repeated before the job is there starts one job, and another command a second', async () => {
  vi.stubGlobal('document', { querySelector: () => null })
  const started: string[] = []
  const client = {
    readText: () => Promise.reject(new Error('none')),
    startJob: ({ commandLine }: { commandLine: string }) => {
      started.push(commandLine)
      return Promise.resolve(info)
    },
  }
  useDoor.setState({ client: client as unknown as DeviceClient })
  const run = (line: string) => runPlanned({ line, folder: '/src', answer }, 'best')
  await Promise.all([run('make'), run('make'), run('make test')])
  expect(started).toEqual(['make', 'make test'])
  await run('make')
  expect(started).toEqual(['make', 'make test', 'make'])
})
