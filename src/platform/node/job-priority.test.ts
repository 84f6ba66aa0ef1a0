import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type AutogroupAnswer, JobPriority, START_MS } from './job-priority.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function job(answer: () => AutogroupAnswer = () => 'set') {
  const nices: number[] = []
  const state = { isMade: true }
  const priority = new JobPriority({
    set: (nice) => {
      const said = answer()
      if (said === 'set') nices.push(nice)
      return said
    },
    isMade: () => state.isMade,
  })
  return { priority, nices, state }
}

it('[JB41] a program weighs what others do while it starts, and least from then on', () => {
  const { priority, nices } = job()
  expect(priority.begin()).toBe(true)
  vi.advanceTimersByTime(START_MS - 1)
  expect(nices).toEqual([0])
  vi.advanceTimersByTime(1)
  expect(nices).toEqual([0, 19])
  vi.advanceTimersByTime(60_000)
  expect(nices).toEqual([0, 19])
})

it('[JB41] it starts once its sandbox is made, which is not waited for without end', () => {
  const { priority, nices, state } = job()
  state.isMade = false
  priority.begin()
  vi.advanceTimersByTime(2_000)
  expect(nices).toEqual([0])
  state.isMade = true
  vi.advanceTimersByTime(100 + START_MS)
  expect(nices).toEqual([0, 19])
  const stuck = job()
  stuck.state.isMade = false
  stuck.priority.begin()
  vi.advanceTimersByTime(10_000)
  expect(stuck.nices).toEqual([0, 19])
})

it('[JB41] what the kernel does not take now it is told again; what it refuses the program does itself, at once', () => {
  let isTaken = false
  const { priority, nices } = job(() => (isTaken ? 'set' : 'later'))
  expect(priority.begin()).toBe(true)
  vi.advanceTimersByTime(START_MS + 500)
  expect(nices).toEqual([])
  isTaken = true
  vi.advanceTimersByTime(100)
  expect(nices).toEqual([19])
  expect(job(() => 'refused').priority.begin()).toBe(false)
})

it('[JB41] what is to be killed is raised, and stays so; what has ended is not touched any more', () => {
  const { priority, nices } = job()
  priority.begin()
  priority.raise()
  vi.advanceTimersByTime(60_000)
  expect(nices).toEqual([0, 0])
  const over = job()
  over.priority.begin()
  over.priority.dispose()
  vi.advanceTimersByTime(60_000)
  expect(over.nices).toEqual([0])
})
