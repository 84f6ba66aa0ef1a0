import { spawn } from 'node:child_process'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { JobCgroups } from './job-limits.ts'
import { WaitingSandboxes } from './waiting-sandboxes.ts'

const IDLE_MS = 60_000
let started: number[]
let sandboxes: WaitingSandboxes

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  started = []
  sandboxes = new WaitingSandboxes((memoryMiB) => {
    started.push(memoryMiB)
    return { child: spawn('sleep', ['300']), cgroups: { folders: [], remove: () => undefined } as unknown as JobCgroups }
  }, IDLE_MS)
})
afterEach(() => {
  sandboxes.dispose()
  vi.useRealTimers()
})

it('[JB108] nothing is started while no job asked for one: there are no limits to start it with', () => {
  sandboxes.noteEnded()
  vi.advanceTimersByTime(10_000)
  expect(started).toEqual([])
})

it('[JB108] those made when a job ends that ran for longer than any is kept do not stay for ever', () => {
  expect(sandboxes.take(256)).toBeUndefined()
  vi.advanceTimersByTime(IDLE_MS * 2)
  expect(sandboxes.children).toEqual([])
  sandboxes.noteEnded()
  vi.advanceTimersByTime(5_000)
  expect(sandboxes.children).toHaveLength(2)
  vi.advanceTimersByTime(IDLE_MS)
  expect(sandboxes.children).toEqual([])
  expect(new Set(started)).toEqual(new Set([256]))
})
