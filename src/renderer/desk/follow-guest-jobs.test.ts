import { beforeEach, expect, it } from 'vitest'
import { Emitter } from '../../base/emitter.ts'
import type { GuestJob } from '../../jobs/guest-jobs-contract.ts'
import { useDevices } from './devices-store.ts'
import { followGuestJobs, useGuestJobs } from './follow-guest-jobs.ts'
import { useMessages } from './messages-store.ts'

const NOW = 1_800_000_000_000
const job = (attempt: string, startedAtMs: number, asker = 'desktop'): GuestJob => ({
  attempt,
  asker,
  line: 'make',
  startedAtMs,
  isHeld: false,
})

beforeEach(() => {
  useMessages.setState({ messages: [] })
  useGuestJobs.setState({ jobs: [] })
  useDevices.setState({ contactDevices: { desktop: { name: 'desktop of Bob', isLinked: true, runsJobs: false } } })
})

it("[AP143] that a contact's device runs something here is said once in a minute, of one's own nothing; all are listed, oldest first", async () => {
  const changed = new Emitter<GuestJob[]>()
  const client = { onDidChangeGuestJobs: changed.event, listGuestJobs: async () => [job('a', NOW)] }
  const following = followGuestJobs(client as never)
  await new Promise((resolve) => setImmediate(resolve))
  for (let at = 1; at < 30; at++) changed.fire([job(`b${at}`, NOW + at * 1_000), job('a', NOW), job('own', NOW + 5, 'server')])
  expect(useGuestJobs.getState().jobs.map(({ attempt }) => attempt)).toEqual(['a', 'own', 'b29'])
  const told = () => useMessages.getState().messages.map(({ title, quiet, atMs }) => [title, quiet, atMs - NOW])
  expect(told()).toEqual([['desktop of Bob runs a job on this device', true, 29_000]])
  changed.fire([job('later', NOW + 89_000)])
  expect(told()).toEqual([['desktop of Bob runs a job on this device', false, 89_000]])
  following.dispose()
})
