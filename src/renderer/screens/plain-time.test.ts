import { expect, it } from 'vitest'
import { agoText, clockText } from './plain-time.ts'

const now = new Date(2026, 10, 22, 14, 2).getTime()
const minutes = 60_000

it.each([
  [20_000, 'just now'],
  [4 * minutes, '4 min ago'],
  [59 * minutes, '59 min ago'],
  [61 * minutes, '1 h ago'],
  [5.9 * 60 * minutes, '5 h ago'],
])('%i ms ago is %s', (ms, text) => expect(agoText(now - ms, now)).toBe(text))

it('names the day once hours stop helping', () => {
  const at = new Date(2026, 10, 22, 7, 5)
  expect(agoText(at.getTime(), now)).toBe(`today at ${clockText(at)}`)
  const yesterday = new Date(2026, 10, 21, 23, 59)
  expect(agoText(yesterday.getTime(), now)).toBe(`yesterday at ${clockText(yesterday)}`)
  expect(agoText(new Date(2026, 4, 3, 9, 15).getTime(), now)).toMatch(/3/)
})

it('a clock that runs ahead is not shown as a negative time', () => {
  expect(agoText(now + 5 * minutes, now)).toBe('just now')
})
