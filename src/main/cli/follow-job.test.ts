import { expect, it } from 'vitest'
import { encodeJobDown } from '../../jobs/job-frames-contract.ts'
import { memoryChannelPair } from '../../testkit/memory-channels.ts'
import { EarlyInterrupt, followToExit, INTERRUPTED } from './follow-job.ts'
import type { DeviceClient } from './local-client.ts'

/** A device that answers when it is told to. */
function slowDevice() {
  const [near, far] = memoryChannelPair()
  const cancelled: string[] = []
  let answer = () => {}
  const opened = new Promise<{ channel: number }>((resolve) => (answer = () => resolve({ channel: 1 })))
  const device = {
    openJobOutput: () => opened,
    channel: () => near,
    cancelJob: async ({ job }: { job: string }) => void cancelled.push(job),
  } as unknown as DeviceClient
  return { device, far, cancelled, answer }
}

/** Calls what listens for Ctrl-C since, and nothing of the test runner's. */
function pressing(): { press(): void; left(): number } {
  const before = new Set(process.listeners('SIGINT'))
  const ours = () => process.listeners('SIGINT').filter((listener) => !before.has(listener))
  return { press: () => ours().forEach((listener) => listener('SIGINT')), left: () => ours().length }
}

it('[JB43] Ctrl-C before the output of a job is opened cancels it: it is not left running', async () => {
  const { device, cancelled, answer } = slowDevice()
  const keys = pressing()
  const exit = followToExit(device, 'a job', { signals: true })
  keys.press()
  answer()
  expect(await exit).toMatchObject({ code: INTERRUPTED })
  expect(cancelled).toEqual(['a job'])
  expect(keys.left()).toBe(0)
})

it('[JB43] Ctrl-C before there is a job at all cancels it once there is', async () => {
  const { device, cancelled, answer } = slowDevice()
  const keys = pressing()
  const early = new EarlyInterrupt()
  keys.press()
  answer()
  expect(await followToExit(device, 'a job', { signals: true, early })).toMatchObject({ code: INTERRUPTED })
  expect(cancelled).toEqual(['a job'])
  expect(keys.left()).toBe(0)
})

it('[JB43] without it the job is followed to its end', async () => {
  const { device, far, cancelled, answer } = slowDevice()
  const exit = followToExit(device, 'a job', { signals: true })
  answer()
  await Promise.resolve()
  far.send(encodeJobDown({ kind: 'exit', code: 3, cpuMs: 0 }))
  expect(await exit).toMatchObject({ code: 3 })
  expect(cancelled).toEqual([])
})
