import { expect, it } from 'vitest'
import { cellText, COLUMNS, untilText } from './grant-words.ts'

const NOW = new Date(2026, 10, 29, 10).getTime()
const at = (...when: [number, number, number, number]) => ({ untilMs: new Date(...when).getTime(), isOver: false })

it.each([
  [{ isOver: false }, 'until you revoke it'],
  [at(2026, 10, 29, 18), 'until today at 18:00'],
  [at(2026, 11, 4, 18), 'until Friday at 18:00'],
  [at(2027, 2, 1, 18), 'until 1 March 2027'],
  [at(2026, 10, 28, 18), 'over since 28 November 2026 at 18:00'],
])('[ID80] how long: %j', (grant, expected) => expect(untilText(grant, NOW, 'en-GB')).toBe(expected))

it('[ID77] a cell says who may what, and why', () => {
  const row = { deviceId: 'x', name: 'phone', role: 'member' as const, may: { 'files:read': 'role', shell: 'grant' } as const }
  const texts = COLUMNS.map((column) => cellText(row as never, column))
  expect(texts).toContain('phone may read files here')
  expect(texts).toContain('phone may by a grant run programs in a shell here')
  expect(texts).toContain('phone may not change files here')
})
