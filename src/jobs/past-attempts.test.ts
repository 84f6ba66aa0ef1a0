import { expect, it } from 'vitest'
import { MAX_BEGUN, MAX_ENDED_EARLY, PastAttempts } from './past-attempts.ts'

const none = () => false

it('[JB114] names are bounded also while the oldest one runs, whose name stays', () => {
  const past = new PastAttempts()
  const isHere = (id: string) => id === 'runs'
  past.begin('runs', isHere)
  for (let n = 0; n < 2 * MAX_BEGUN; n++) past.begin(`x${n}`, isHere)
  expect(past.count).toBe(MAX_BEGUN)
  expect(past.isPast('runs', undefined)).toBe(true)
  expect(past.isPast('x0', 'kitchen')).toBe(false)
  expect(past.isPast(`x${2 * MAX_BEGUN - 1}`, 'kitchen')).toBe(true)
})

it('[JB114] ends of what never began are kept apart for each asker, the newest, and count for that asker only', () => {
  const past = new PastAttempts()
  past.begin('began', none)
  past.endEarly('kitchens', 'kitchen')
  for (let n = 0; n < 2 * MAX_BEGUN; n++) past.endEarly(`x${n}`, 'bob')
  for (let n = 0; n < 10; n++) past.endEarly('y', `bob-${n}`)
  expect(past.count).toBe(1)
  expect(past.isPast('began', 'kitchen')).toBe(true)
  expect(past.isPast('kitchens', 'kitchen')).toBe(true)
  expect(past.isPast('kitchens', 'bob')).toBe(false)
  const kept = Array.from({ length: 2 * MAX_BEGUN }, (_, n) => past.isPast(`x${n}`, 'bob')).filter(Boolean)
  expect(kept).toHaveLength(MAX_ENDED_EARLY)
  expect(past.isPast(`x${2 * MAX_BEGUN - 1}`, 'bob')).toBe(true)
})
