import { afterEach, expect, it, vi } from 'vitest'
import { listGuestJobs, stopGuestJob } from './guest-job-verbs.ts'

const job = { attempt: 'A1B2C3D4E5F6G7H8', asker: 'desktop', line: 'make all', startedAtMs: 0, isHeld: false }
const stopped: string[] = []
const deviceWith = (jobs: readonly object[]) =>
  ({
    listGuestJobs: async () => jobs,
    endGuestJob: async ({ attempt }: { attempt: string }) => void stopped.push(attempt),
    listDevices: async () => [{ deviceId: 'server', name: 'server' }],
    listContacts: async () => ({ contacts: [{ name: 'Bob', devices: [{ deviceId: 'desktop', name: 'desktop' }] }] }),
  }) as never
const said = () => {
  const out: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line) => void out.push(line))
  return out
}
afterEach(() => void vi.restoreAllMocks())

it('[JB111] what runs here for others is listed with whom it is for, and another’s words do nothing to the terminal', async () => {
  const out = said()
  const hostile = { ...job, attempt: 'Z1B2C3D4E5F6G7H8', asker: 'server', startedAtMs: -60_000, isHeld: true }
  await listGuestJobs(deviceWith([job, { ...hostile, line: '\u001b]0;x\u0007\u001b[2Jrm\n\u202eevil' }]), false)
  expect(out).toEqual([
    'Z1B2C3D4E5  for server since 1969-12-31 23:59 UTC, holds still  ?]0;x??[2Jrm??evil',
    'A1B2C3D4E5  for desktop of Bob since 1970-01-01 00:00 UTC  make all',
  ])
  out.length = 0
  await listGuestJobs(deviceWith([]), false)
  expect(out).toEqual(['Nothing runs on this device for others.'])
})

it('[JB111] one is stopped by the start of its id, none by a guess', async () => {
  said()
  await stopGuestJob(deviceWith([job]), 'A1B2C3')
  expect(stopped).toEqual([job.attempt])
  await expect(stopGuestJob(deviceWith([job]), 'A')).rejects.toThrow('elsewhere jobs --others')
  await expect(stopGuestJob(deviceWith([job, { ...job, attempt: 'A1B2C3XXXXXXXXXX' }]), 'A1B2C3')).rejects.toThrow('no job of others')
  expect(stopped).toHaveLength(1)
})
